//! The table of events: its schema, and how rows are read.

use domain::{Position, StreamId, Version};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use crate::RawEvent;

/// Migrations of `log.db`.
///
/// `first` marks a commit's first event: the unique index over (stream, command id) holds those rows only, which makes
/// a command id unique per stream and keeps the index small.
pub(crate) const MIGRATIONS: &[&str] = &["
    CREATE TABLE events (
        position       INTEGER PRIMARY KEY,
        kind           INTEGER NOT NULL,
        stream_id      BLOB    NOT NULL,
        version        INTEGER NOT NULL,
        type           TEXT    NOT NULL,
        type_version   INTEGER NOT NULL,
        first          INTEGER NOT NULL,
        event_id       BLOB    NOT NULL,
        command_id     BLOB    NOT NULL,
        correlation_id BLOB    NOT NULL,
        causation_id   BLOB,
        actor          TEXT    NOT NULL,
        recorded_at    INTEGER NOT NULL,
        traceparent    TEXT,
        payload        BLOB    NOT NULL
    ) STRICT;
    CREATE UNIQUE INDEX events_by_stream ON events (kind, stream_id, version);
    CREATE UNIQUE INDEX events_by_command ON events (kind, stream_id, command_id) WHERE first = 1;
    CREATE TABLE log_meta (
        one        INTEGER PRIMARY KEY CHECK (one = 1),
        log_id     BLOB    NOT NULL,
        created_at INTEGER NOT NULL
    ) STRICT;
"];

/// The columns of an event, in the order in which they are inserted and read.
pub(crate) const COLUMNS: &str = "position, kind, stream_id, version, type, type_version, first, event_id, \
     command_id, correlation_id, causation_id, actor, recorded_at, traceparent, payload";
/// How many there are.
pub(crate) const COLUMN_COUNT: usize = 15;

fn uuid(row: &Row<'_>, column: usize) -> rusqlite::Result<Uuid> {
    row.get::<_, [u8; 16]>(column).map(Uuid::from_bytes)
}

pub(crate) fn read_row(row: &Row<'_>) -> rusqlite::Result<RawEvent> {
    Ok(RawEvent {
        position: row.get::<_, i64>(0)?.cast_unsigned(),
        kind: row.get(1)?,
        stream_id: uuid(row, 2)?,
        version: row.get::<_, i64>(3)?.cast_unsigned(),
        name: row.get(4)?,
        type_version: row.get(5)?,
        event_id: uuid(row, 7)?,
        command_id: uuid(row, 8)?,
        correlation_id: uuid(row, 9)?,
        causation_id: row.get::<_, Option<[u8; 16]>>(10)?.map(Uuid::from_bytes),
        actor: row.get(11)?,
        recorded_at: row.get(12)?,
        traceparent: row.get(13)?,
        payload: row.get(14)?,
    })
}

fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// SQLite counts in signed numbers: nothing lies beyond them, and nothing before the first.
fn place(after: u64) -> i64 {
    i64::try_from(after).unwrap_or(i64::MAX)
}

pub(crate) fn read_stream(
    conn: &Connection,
    stream: StreamId,
    after: Version,
    most: usize,
) -> rusqlite::Result<Vec<RawEvent>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM events WHERE kind = ?1 AND stream_id = ?2 AND version > ?3 ORDER BY version LIMIT ?4"
    );
    conn.prepare_cached(&sql)?
        .query_map(params![stream.kind.code(), stream.id.as_bytes(), place(after), limit(most)], read_row)?
        .collect()
}

pub(crate) fn read_all(conn: &Connection, after: Position, most: usize) -> rusqlite::Result<Vec<RawEvent>> {
    let sql = format!("SELECT {COLUMNS} FROM events WHERE position > ?1 ORDER BY position LIMIT ?2");
    conn.prepare_cached(&sql)?.query_map(params![place(after), limit(most)], read_row)?.collect()
}

pub(crate) fn head(conn: &Connection) -> rusqlite::Result<Position> {
    conn.prepare_cached("SELECT ifnull(max(position), 0) FROM events")?
        .query_row([], |row| row.get::<_, i64>(0))
        .map(i64::cast_unsigned)
}
