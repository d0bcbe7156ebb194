//! On PostgreSQL: rows go to the server in columns and are inserted there. Nothing is probed, no version is looked at,
//! nobody is notified or answered.

use std::{ops::Range, time::Instant};

use eventlog::postgres::{Database, LOG};
use sqlx::{Connection, Executor, Row, postgres::PgConnection};
use uuid::Uuid;

use crate::{Failure, drive::WARM_UP, store::Schema};

/// The lock is taken before the table is looked at, so that two of these could work side by side as two logs can.
const FUNCTION: &str = "
    CREATE FUNCTION bare_insert(
        b_recorded_at bigint[], b_version integer[], b_kind smallint[], b_type_version smallint[], b_stream uuid[],
        b_event uuid[], b_command uuid[], b_correlation uuid[], b_causation uuid[], b_first boolean[], b_type text[],
        b_actor text[], b_traceparent text[], b_payload bytea[], OUT head bigint
    ) LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock(hashtextextended('orderstream log ' || current_schema(), 0));
        SELECT coalesce(max(events.position), 0) INTO head FROM events;
        INSERT INTO events (position, recorded_at, version, kind, type_version, stream_id, event_id, command_id,
            correlation_id, causation_id, first, type, actor, traceparent, payload)
        SELECT head + fresh.number, fresh.recorded_at, fresh.version, fresh.kind, fresh.type_version, fresh.stream,
            fresh.event, fresh.command, fresh.correlation, fresh.causation, fresh.first, fresh.type, fresh.actor,
            fresh.traceparent, fresh.payload
        FROM unnest(b_recorded_at, b_version, b_kind, b_type_version, b_stream, b_event, b_command, b_correlation,
            b_causation, b_first, b_type, b_actor, b_traceparent, b_payload) WITH ORDINALITY
            AS fresh (recorded_at, version, kind, type_version, stream, event, command, correlation, causation, first,
                type, actor, traceparent, payload, number);
    END $$";

const INSERT: &str = "SELECT bare_insert($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";

/// The bits of a UUIDv7 below its time in milliseconds.
const TIME_OF_ID: u32 = 80;

/// Rows of a log in columns, in the order of their positions.
#[derive(Default)]
pub(in crate::cases::append) struct Rows {
    recorded_at: Vec<i64>,
    version: Vec<i32>,
    kind: Vec<i16>,
    type_version: Vec<i16>,
    stream: Vec<Uuid>,
    event: Vec<Uuid>,
    command: Vec<Uuid>,
    correlation: Vec<Uuid>,
    causation: Vec<Option<Uuid>>,
    first: Vec<bool>,
    name: Vec<String>,
    actor: Vec<String>,
    traceparent: Vec<Option<String>>,
    payload: Vec<Vec<u8>>,
}

/// The last rows that a log holds.
pub(super) async fn read(database: &Database, most: i64) -> Result<Rows, Failure> {
    let sql =
        "SELECT recorded_at, version, kind, type_version, stream_id, event_id, command_id, correlation_id,
                   causation_id, first, type, actor, traceparent, payload FROM events
            WHERE position > (SELECT max(position) FROM events) - $1 ORDER BY position";
    let mut rows = Rows::default();
    for row in sqlx::query(sql).bind(most).fetch_all(database.pool()).await? {
        rows.recorded_at.push(row.try_get(0)?);
        rows.version.push(row.try_get(1)?);
        rows.kind.push(row.try_get(2)?);
        rows.type_version.push(row.try_get(3)?);
        rows.stream.push(row.try_get(4)?);
        rows.event.push(row.try_get(5)?);
        rows.command.push(row.try_get(6)?);
        rows.correlation.push(row.try_get(7)?);
        rows.causation.push(row.try_get(8)?);
        rows.first.push(row.try_get(9)?);
        rows.name.push(row.try_get(10)?);
        rows.actor.push(row.try_get(11)?);
        rows.traceparent.push(row.try_get(12)?);
        rows.payload.push(row.try_get(13)?);
    }
    Ok(rows)
}

impl Rows {
    /// The same rows again, with ids that are as much later as the rows lasted: those of a log that went on.
    fn make_later(&mut self) {
        let millis = |id: &Uuid| id.as_u128() >> TIME_OF_ID;
        let first = self.command.iter().map(millis).min().unwrap_or(0);
        let last = self.command.iter().map(millis).max().unwrap_or(0);
        let later = (last + 1 - first) << TIME_OF_ID;
        for ids in [&mut self.stream, &mut self.event, &mut self.command, &mut self.correlation] {
            for id in ids {
                *id = Uuid::from_u128(id.as_u128() + later);
            }
        }
    }
}

/// Inserts `rows` into a new table, again and again for `seconds`; rows per second.
pub(super) async fn measure(
    schema: &Schema,
    rows: &mut Rows,
    batch: usize,
    seconds: f64,
) -> Result<f64, Failure> {
    let database = schema.database(4).await?;
    database.migrate(LOG).await?;
    database.close().await;
    let mut conn = PgConnection::connect_with(&schema.connect_options()?).await?;
    conn.execute(FUNCTION).await?;
    let all = rows.payload.len();
    let batch = batch.clamp(1, all.max(1));
    let (mut clock, until) = (None, seconds * (1.0 + WARM_UP));
    let (begun, mut next, mut counted) = (Instant::now(), 0, 0);
    loop {
        let now = Instant::now();
        if (now - begun).as_secs_f64() >= seconds * WARM_UP {
            let from = *clock.get_or_insert(now);
            if (now - begun).as_secs_f64() >= until {
                conn.close().await?;
                return Ok(f64::from(counted) / (now - from).as_secs_f64());
            }
        }
        if next + batch > all {
            rows.make_later();
            next = 0;
        }
        insert(&mut conn, rows, next..next + batch).await?;
        next += batch;
        if clock.is_some() {
            counted += u32::try_from(batch)?;
        }
    }
}

async fn insert(conn: &mut PgConnection, rows: &Rows, part: Range<usize>) -> Result<(), Failure> {
    let insert = sqlx::query(INSERT)
        .bind(&rows.recorded_at[part.clone()])
        .bind(&rows.version[part.clone()])
        .bind(&rows.kind[part.clone()])
        .bind(&rows.type_version[part.clone()])
        .bind(&rows.stream[part.clone()])
        .bind(&rows.event[part.clone()])
        .bind(&rows.command[part.clone()])
        .bind(&rows.correlation[part.clone()])
        .bind(&rows.causation[part.clone()])
        .bind(&rows.first[part.clone()])
        .bind(&rows.name[part.clone()])
        .bind(&rows.actor[part.clone()])
        .bind(&rows.traceparent[part.clone()])
        .bind(&rows.payload[part]);
    insert.execute(conn).await?;
    Ok(())
}
