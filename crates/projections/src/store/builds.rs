//! The registry: which builds of a view there are, which one is live, and how far each has come.

use std::{sync::Arc, time::Duration};

use domain::Position;
use eventlog::{Checkpoint, sqlite::StoreError};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};
use uuid::Uuid;

use super::{Table, ViewStore};
use crate::{batch::as_integer, spec::Spec};

/// Rows deleted at once from a table that is to go, so that live writes get their turn in between.
const SHRINK_ROWS: i64 = 4_000;

/// What a build is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BuildState {
    /// Not finished; worthless after a restart.
    Building,
    /// Read by queries.
    Live,
    /// Was live; kept for queries that began before the switch.
    Retired,
}

impl BuildState {
    fn name(self) -> &'static str {
        match self {
            Self::Building => "building",
            Self::Live => "live",
            Self::Retired => "retired",
        }
    }
}

/// A build in the registry.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) view: String,
    pub(crate) version: u32,
    pub(crate) build: u32,
    pub(crate) state: BuildState,
    /// When it was retired. UTC, microseconds.
    pub(crate) retired_at: Option<i64>,
    /// How far it is; none for one that was never live.
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl Registered {
    pub(crate) fn is_of(&self, spec: &Spec) -> bool {
        self.view == spec.name && self.version == spec.version
    }
    /// Whether the time has come to drop it.
    pub(crate) fn is_overdue(&self, keep: Duration) -> bool {
        let keep = i64::try_from(keep.as_micros()).unwrap_or(i64::MAX);
        self.retired_at.is_some_and(|at| at.saturating_add(keep) <= now_micros())
    }
}

pub(super) fn now_micros() -> i64 {
    chrono::Utc::now().timestamp_micros()
}

impl ViewStore {
    /// All builds.
    pub(crate) async fn registered(&self) -> Result<Vec<Registered>, StoreError> {
        self.readers
            .read(|conn| {
                let mut statement = conn.prepare_cached(
                    "SELECT b.view, b.version, b.build, b.state, b.retired_at, c.log_id, c.position, c.event_id
                     FROM builds b LEFT JOIN checkpoints c USING (view, version, build)
                     ORDER BY b.view, b.version, b.build",
                )?;
                statement.query_map([], registered)?.collect()
            })
            .await
    }

    /// Creates a build: registry entry and table. A `live` one gets its indexes now and begins at the log's start; it
    /// is given up for the one that is live already, if there is one.
    pub(crate) async fn create_build(
        &self,
        spec: &'static Spec,
        state: BuildState,
        log_id: Uuid,
    ) -> Result<Option<Arc<Table>>, StoreError> {
        let create = move |conn: &Connection| -> rusqlite::Result<Option<Arc<Table>>> {
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
            conn.execute_batch(&table.create())?;
            if state == BuildState::Live {
                for index in table.create_indexes() {
                    conn.execute_batch(&index)?;
                }
                insert_checkpoint(conn, &table, &Checkpoint { log_id, position: 0, event_id: None })?;
            }
            Ok(Some(table))
        };
        self.writer.write(create).await
    }

    /// Creates the indexes of a build, each in a transaction of its own.
    pub(crate) async fn create_indexes(&self, table: &Table) -> Result<(), StoreError> {
        for index in table.create_indexes() {
            self.writer.write(move |conn| conn.execute_batch(&index)).await?;
        }
        Ok(())
    }

    /// Makes `new` the live build in place of `old`, if `old` is still live and no further than `checkpoint`
    /// (unless it counted another log, or `force`). Returns whether it did.
    pub(crate) async fn switch(
        &self,
        old: Arc<Table>,
        new: Arc<Table>,
        checkpoint: Checkpoint,
        force: bool,
    ) -> Result<bool, StoreError> {
        let switch = move |conn: &Connection| -> rusqlite::Result<bool> {
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
            insert_checkpoint(conn, &new, &checkpoint)?;
            Ok(true)
        };
        self.writer.write(switch).await
    }

    /// Retires what is live of versions before this release's: called when this one has caught up.
    pub(crate) async fn retire_older_versions(&self, spec: &'static Spec) -> Result<(), StoreError> {
        let retire = move |conn: &Connection| {
            conn.execute(
                "UPDATE builds SET state = 'retired', retired_at = ?3
                 WHERE view = ?1 AND version < ?2 AND state = 'live'",
                params![spec.name, spec.version, now_micros()],
            )
        };
        self.writer.write(retire).await.map(drop)
    }

    /// Drops a build that is not live. A big table goes piece by piece, since dropping it at once would keep the
    /// writer busy for seconds.
    pub(crate) async fn drop_build(&self, view: &str, version: u32, build: u32) -> Result<(), StoreError> {
        let name = format!("{view}_v{version}_b{build}");
        loop {
            let shrink = format!("DELETE FROM {name} WHERE key IN (SELECT key FROM {name} LIMIT ?1)");
            let exists = name.clone();
            let gone = self.writer.write(move |conn| {
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
        let key = (view.to_owned(), version, build);
        let drop_table = move |conn: &Connection| {
            conn.execute_batch(&format!("DROP TABLE IF EXISTS {name}"))?;
            for registry in ["checkpoints", "builds"] {
                let sql = format!("DELETE FROM {registry} WHERE view = ?1 AND version = ?2 AND build = ?3");
                conn.execute(&sql, params![key.0, key.1, key.2])?;
            }
            Ok(())
        };
        self.writer.write(drop_table).await
    }
}

fn registered(row: &Row<'_>) -> rusqlite::Result<Registered> {
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
        state: match state.as_str() {
            "live" => BuildState::Live,
            "retired" => BuildState::Retired,
            _ => BuildState::Building,
        },
        retired_at: row.get(4)?,
        checkpoint,
    })
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

pub(super) fn table_exists(conn: &Connection, name: &str) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")?.exists([name])
}
