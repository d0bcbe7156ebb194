//! Writing instances, timers and the checkpoint.

use eventlog::{Checkpoint, Timers};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::store::{Changes, Saved, stored};

pub(super) fn write(conn: &Connection, process: &'static str, changes: &Changes) -> rusqlite::Result<()> {
    for instance in &changes.instances {
        upsert(conn, process, instance)?;
    }
    for timer in &changes.timers {
        match timer.due_at {
            Some(due_at) => Timers::set(conn, process, timer.key.as_bytes(), &timer.name, due_at)?,
            None => {
                Timers::clear(conn, process, timer.key.as_bytes(), &timer.name)?;
            }
        }
    }
    for (_, checkpoint) in &changes.checkpoints {
        write_checkpoint(conn, process, checkpoint)?;
    }
    Ok(())
}

fn upsert(conn: &Connection, process: &str, saved: &Saved) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO instances (process, key, version, status, state, outbox, awaiting, deadline, since, last_position,
             correlation_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
         ON CONFLICT DO UPDATE SET version = excluded.version, status = excluded.status, state = excluded.state,
             outbox = excluded.outbox, awaiting = excluded.awaiting, deadline = excluded.deadline,
             since = excluded.since, last_position = excluded.last_position",
    )?
    .execute(params![
        process,
        saved.key,
        saved.version,
        saved.status.name(),
        saved.state,
        saved.outbox_text(),
        saved.awaiting.as_ref().map(|awaiting| &awaiting.what),
        saved.deadline_micros(),
        saved.since.timestamp_micros(),
        stored(saved.last_position),
        saved.correlation_id,
    ])?;
    Ok(())
}

pub(super) fn checkpoint(conn: &Connection, process: &str) -> rusqlite::Result<Vec<(u16, Checkpoint)>> {
    let found = conn
        .prepare_cached("SELECT log_id, position, event_id FROM checkpoints WHERE consumer = ?1")?
        .query_row([process], |row| {
            let position = row.get::<_, i64>(1)?.unsigned_abs();
            Ok(Checkpoint { log_id: row.get::<_, Uuid>(0)?, position, event_id: row.get(2)? })
        })
        .optional()?;
    Ok(found.map(|checkpoint| (super::ONLY.slot, checkpoint)).into_iter().collect())
}

fn write_checkpoint(conn: &Connection, consumer: &str, checkpoint: &Checkpoint) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO checkpoints (consumer, log_id, position, event_id) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET log_id = excluded.log_id, position = excluded.position, event_id = excluded.event_id",
    )?
    .execute(params![consumer, checkpoint.log_id, stored(checkpoint.position), checkpoint.event_id])?;
    Ok(())
}
