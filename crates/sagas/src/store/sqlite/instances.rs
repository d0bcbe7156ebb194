//! Reading instances: for the runner by key, for operators by list.

use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Type};
use uuid::Uuid;

use crate::store::{InstanceDetails, InstanceState, Saved, TimerDetails, row::SavedColumns, time};

/// How many keys one statement looks up.
const KEYS_PER_LOOKUP: usize = 64;

/// An instance from a row with [`Saved::COLUMNS`].
fn read(row: &Row<'_>) -> rusqlite::Result<Saved> {
    let columns = SavedColumns {
        key: row.get(0)?,
        version: row.get(1)?,
        status: row.get(2)?,
        state: row.get(3)?,
        outbox: row.get(4)?,
        awaiting: row.get(5)?,
        deadline: row.get(6)?,
        since: row.get(7)?,
        last_position: row.get(8)?,
        correlation_id: row.get(9)?,
    };
    Saved::from_columns(columns)
        .map_err(|reason| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, reason.into()))
}

pub(super) fn load(conn: &Connection, process: &str, keys: &[Uuid]) -> rusqlite::Result<Vec<Saved>> {
    let mut found = Vec::with_capacity(keys.len());
    for keys in keys.chunks(KEYS_PER_LOOKUP) {
        let marks = vec!["?"; keys.len()].join(", ");
        let sql = format!(
            "SELECT {} FROM instances WHERE process = '{process}' AND key IN ({marks})",
            Saved::COLUMNS
        );
        let mut statement = conn.prepare_cached(&sql)?;
        for row in statement.query_map(params_from_iter(keys), read)? {
            found.push(row?);
        }
    }
    Ok(found)
}

pub(super) fn unfinished(conn: &Connection, process: &str) -> rusqlite::Result<Vec<Saved>> {
    let sql = format!(
        "SELECT {} FROM instances WHERE process = ?1 AND status <> 'ended' AND status <> 'waiting'",
        Saved::COLUMNS
    );
    conn.prepare_cached(&sql)?.query_map([process], read)?.collect()
}

pub(super) fn counts(conn: &Connection, process: &str) -> rusqlite::Result<Vec<(InstanceState, u64)>> {
    conn.prepare_cached(
        "SELECT status, count(*) FROM instances WHERE process = ?1 AND status <> 'ended' GROUP BY status",
    )?
    .query_map([process], |row| {
        let status: String = row.get(0)?;
        let state = InstanceState::from_name(&status).unwrap_or(InstanceState::Running);
        Ok((state, row.get::<_, i64>(1)?.unsigned_abs()))
    })?
    .collect()
}

pub(super) fn list(
    conn: &Connection,
    process: &str,
    state: Option<InstanceState>,
    after: Uuid,
    limit: usize,
) -> rusqlite::Result<Vec<Saved>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let wanted = InstanceState::condition(state);
    let sql = format!(
        "SELECT {} FROM instances WHERE process = ?1 AND {wanted} AND key > ?2 ORDER BY key LIMIT ?3",
        Saved::COLUMNS
    );
    conn.prepare_cached(&sql)?.query_map(params![process, after, limit], read)?.collect()
}

pub(super) fn show(conn: &Connection, process: &str, key: Uuid) -> rusqlite::Result<Option<InstanceDetails>> {
    let sql = format!("SELECT {} FROM instances WHERE process = ?1 AND key = ?2", Saved::COLUMNS);
    let saved = conn.prepare_cached(&sql)?.query_row(params![process, key], read).optional()?;
    let Some(saved) = saved else { return Ok(None) };
    let timers = conn
        .prepare_cached(
            "SELECT name, due_at FROM timers WHERE consumer = ?1 AND instance = ?2 ORDER BY due_at",
        )?
        .query_map(params![process, key.as_bytes().as_slice()], |row| {
            Ok(TimerDetails { name: row.get(0)?, due_at: time(row.get(1)?) })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(saved.details(process, timers)))
}
