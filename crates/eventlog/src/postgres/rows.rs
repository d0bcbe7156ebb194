//! Reading the table of events.

use domain::{Position, StreamId, Version};
use sqlx::{
    Row,
    postgres::{PgConnection, PgRow},
};
use uuid::Uuid;

use crate::RawEvent;

const COLUMNS: &str = "position, kind, stream_id, version, type, type_version, event_id, command_id, correlation_id, \
     causation_id, actor, recorded_at, traceparent, payload";

fn read_row(row: &PgRow) -> Result<RawEvent, sqlx::Error> {
    let damaged = |column: &str| sqlx::Error::Decode(format!("{column} is out of range").into());
    Ok(RawEvent {
        position: row.try_get::<i64, _>(0)?.cast_unsigned(),
        kind: u8::try_from(row.try_get::<i16, _>(1)?).map_err(|_| damaged("kind"))?,
        stream_id: row.try_get(2)?,
        version: u64::try_from(row.try_get::<i32, _>(3)?).map_err(|_| damaged("version"))?,
        name: row.try_get(4)?,
        type_version: u32::try_from(row.try_get::<i16, _>(5)?).map_err(|_| damaged("type_version"))?,
        event_id: row.try_get(6)?,
        command_id: row.try_get(7)?,
        correlation_id: row.try_get(8)?,
        causation_id: row.try_get(9)?,
        actor: row.try_get(10)?,
        recorded_at: row.try_get(11)?,
        traceparent: row.try_get(12)?,
        payload: row.try_get(13)?,
    })
}

pub(crate) async fn read_stream(
    conn: &mut PgConnection,
    stream: StreamId,
    after: Version,
    limit: usize,
) -> Result<Vec<RawEvent>, sqlx::Error> {
    // No stream has a version that does not fit.
    let Ok(after) = i32::try_from(after) else { return Ok(Vec::new()) };
    let sql = format!(
        "SELECT {COLUMNS} FROM events WHERE kind = $1 AND stream_id = $2 AND version > $3 ORDER BY version LIMIT $4"
    );
    let query = sqlx::query(&sql).bind(i16::from(stream.kind.code())).bind(stream.id).bind(after);
    let rows = query.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(conn).await?;
    rows.iter().map(read_row).collect()
}

/// Positions have no gaps, so a page has both its ends: the plan for a range goes through the index, however empty the
/// table was when it was made.
pub(crate) async fn read_all(
    conn: &mut PgConnection,
    after: Position,
    limit: usize,
) -> Result<Vec<RawEvent>, sqlx::Error> {
    let sql =
        format!("SELECT {COLUMNS} FROM events WHERE position > $1 AND position <= $2 ORDER BY position");
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let last = after.saturating_add(i64::try_from(limit).unwrap_or(i64::MAX));
    let rows = sqlx::query(&sql).bind(after).bind(last).fetch_all(conn).await?;
    rows.iter().map(read_row).collect()
}

pub(crate) async fn head(conn: &mut PgConnection) -> Result<Position, sqlx::Error> {
    let head = sqlx::query("SELECT coalesce(max(position), 0) FROM events").fetch_one(conn).await?;
    head.try_get::<i64, _>(0).map(i64::cast_unsigned)
}

pub(crate) async fn log_id(conn: &mut PgConnection) -> Result<Uuid, sqlx::Error> {
    sqlx::query("SELECT log_id FROM log_meta").fetch_one(conn).await?.try_get(0)
}
