//! The registry in the file.

use std::{sync::Arc, time::Duration};

use domain::Position;
use eventlog::{
    Checkpoint,
    sqlite::{StoreError, Writer},
};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};
use uuid::Uuid;

use super::statements;
use crate::{
    batch::as_integer,
    spec::Spec,
    store::{BuildState, Registered, Table, table::table_name},
};

/// Rows deleted at once from a table that is to go, so that live writes get their turn in between.
const SHRINK_ROWS: i64 = 4_000;

fn now_micros() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

/// All builds.
pub(super) fn registered(conn: &Connection) -> rusqlite::Result<Vec<Registered>> {
    let mut statement = conn.prepare_cached(
        "SELECT b.view, b.version, b.build, b.state, b.retired_at, c.log_id, c.position, c.event_id
         FROM builds b LEFT JOIN checkpoints c USING (view, version, build)
         ORDER BY b.view, b.version, b.build",
    )?;
    statement.query_map([], of_row)?.collect()
}

pub(super) fn create(
    conn: &Connection,
    spec: &'static Spec,
    state: BuildState,
    log_id: Uuid,
) -> rusqlite::Result<Option<Arc<Table>>> {
    if state == BuildState::Live && live_build(conn, spec)?.is_some() {
        return Ok(None);
    }
    let build: u32 = conn.query_row(
        "SELECT coalesce(max(build), 0) + 1 FROM builds WHERE view = ?1 AND version = ?2",
        params![spec.name, spec.version],
        |row| row.get(0),
    )?;
    conn.execute(
        "INSERT INTO builds (view, version, build, state, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![spec.name, spec.version, build, state.name(), now_micros()],
    )?;
    let table = Arc::new(Table::new(spec, build));
    conn.execute_batch(&statements::create(&table))?;
    if state == BuildState::Live {
        for index in statements::create_indexes(&table) {
            conn.execute_batch(&index)?;
        }
        insert_checkpoint(conn, &table, &Checkpoint { log_id, position: 0, event_id: None })?;
    }
    Ok(Some(table))
}

/// Creates an index. Its entries are sorted in temporary files (in the folder that `SQLITE_TMPDIR` or `TMPDIR` names, or
/// the system's): in memory, as the connection sorts else, they would take some 100 bytes an event of the log.
pub(super) fn create_index(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.execute_batch("PRAGMA temp_store = FILE")?;
    let created = conn.execute_batch(sql);
    conn.execute_batch("PRAGMA temp_store = MEMORY")?;
    created
}

pub(super) fn switch(
    conn: &Connection,
    old: &Table,
    new: &Table,
    checkpoint: &Checkpoint,
    force: bool,
) -> rusqlite::Result<bool> {
    let (name, version) = (new.spec.name, new.spec.version);
    let retired = conn.execute(
        "UPDATE builds SET state = 'retired', retired_at = ?4
         WHERE view = ?1 AND version = ?2 AND build = ?3 AND state = 'live'
           AND EXISTS (SELECT 1 FROM builds n WHERE n.view = ?1 AND n.version = ?2 AND n.build = ?5
                       AND n.state = 'building')
           AND (?8 OR NOT EXISTS (SELECT 1 FROM checkpoints c WHERE c.view = ?1 AND c.version = ?2
                                  AND c.build = ?3 AND c.log_id = ?6 AND c.position > ?7))",
        params![
            name,
            version,
            old.build,
            now_micros(),
            new.build,
            checkpoint.log_id.to_string(),
            as_integer(checkpoint.position),
            force
        ],
    )?;
    if retired == 0 {
        return Ok(false);
    }
    conn.execute(
        "UPDATE builds SET state = 'live' WHERE view = ?1 AND version = ?2 AND build = ?3",
        params![name, version, new.build],
    )?;
    insert_checkpoint(conn, new, checkpoint)?;
    Ok(true)
}

pub(super) fn retire_older_versions(conn: &Connection, spec: &Spec) -> rusqlite::Result<()> {
    conn.execute(
        "UPDATE builds SET state = 'retired', retired_at = ?3
         WHERE view = ?1 AND version < ?2 AND state = 'live'",
        params![spec.name, spec.version, now_micros()],
    )
    .map(drop)
}

/// Drops a build that is not live. A big table goes piece by piece, since dropping it at once would keep the writer busy
/// for seconds.
pub(super) async fn drop_build(
    writer: &Writer,
    view: &str,
    version: u32,
    build: u32,
) -> Result<(), StoreError> {
    let name = table_name(view, version, build);
    let key = (view.to_owned(), version, build);
    let of = key.clone();
    if writer.write(move |conn| is_live(conn, &of)).await? {
        return Ok(());
    }
    loop {
        let shrink = format!("DELETE FROM {name} WHERE key IN (SELECT key FROM {name} LIMIT ?1)");
        let exists = name.clone();
        let gone = writer.write(move |conn| {
            if table_exists(conn, &exists)? {
                conn.prepare_cached(&shrink)?.execute([SHRINK_ROWS])
            } else {
                Ok(0)
            }
        });
        if gone.await? == 0 {
            break;
        }
    }
    let drop_table = move |conn: &Connection| {
        conn.execute_batch(&format!("DROP TABLE IF EXISTS {name}"))?;
        for registry in ["checkpoints", "builds"] {
            let sql = format!("DELETE FROM {registry} WHERE view = ?1 AND version = ?2 AND build = ?3");
            conn.execute(&sql, params![key.0, key.1, key.2])?;
        }
        Ok(())
    };
    writer.write(drop_table).await
}

fn is_live(conn: &Connection, (view, version, build): &(String, u32, u32)) -> rusqlite::Result<bool> {
    conn.prepare_cached(
        "SELECT 1 FROM builds WHERE view = ?1 AND version = ?2 AND build = ?3 AND state = 'live'",
    )?
    .exists(params![view, version, build])
}

fn of_row(row: &Row<'_>) -> rusqlite::Result<Registered> {
    let state: String = row.get(3)?;
    let log_id: Option<String> = row.get(5)?;
    let checkpoint = match log_id {
        None => None,
        Some(log_id) => Some(Checkpoint {
            log_id: uuid(5, &log_id)?,
            position: row.get::<_, i64>(6)?.unsigned_abs() as Position,
            event_id: row.get::<_, Option<String>>(7)?.map(|id| uuid(7, &id)).transpose()?,
        }),
    };
    Ok(Registered {
        view: row.get(0)?,
        version: row.get(1)?,
        build: row.get(2)?,
        state: BuildState::of_name(&state),
        retired_for: row.get::<_, Option<i64>>(4)?.map(since),
        checkpoint,
    })
}

fn since(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(now_micros().saturating_sub(micros)).unwrap_or(0))
}

fn uuid(column: usize, text: &str) -> rusqlite::Result<Uuid> {
    Uuid::try_parse(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

fn live_build(conn: &Connection, spec: &Spec) -> rusqlite::Result<Option<u32>> {
    conn.query_row(
        "SELECT build FROM builds WHERE view = ?1 AND version = ?2 AND state = 'live'",
        params![spec.name, spec.version],
        |row| row.get(0),
    )
    .optional()
}

fn insert_checkpoint(conn: &Connection, table: &Table, checkpoint: &Checkpoint) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT INTO checkpoints (view, version, build, log_id, position, event_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            table.spec.name,
            table.spec.version,
            table.build,
            checkpoint.log_id.to_string(),
            as_integer(checkpoint.position),
            checkpoint.event_id.map(|id| id.to_string())
        ],
    )
    .map(drop)
}

fn table_exists(conn: &Connection, name: &str) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?.exists([name])
}
