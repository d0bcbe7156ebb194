//! Writing instances, timers and checkpoints: whole columns at once, under the leases of their slots.

use std::collections::HashMap;

use eventlog::postgres::{Held, Leases};
use sqlx::{Connection, postgres::PgConnection};
use uuid::Uuid;

use super::SLOTS;
use crate::store::{Changes, slot_of, stored};

fn slot(key: Uuid) -> i16 {
    slot_of(key, SLOTS).cast_signed()
}

/// Changes, column by column.
#[derive(Default)]
pub(super) struct Rows {
    keys: Vec<Uuid>,
    slots: Vec<i16>,
    versions: Vec<i32>,
    statuses: Vec<&'static str>,
    states: Vec<String>,
    outboxes: Vec<String>,
    awaiting: Vec<Option<String>>,
    deadlines: Vec<Option<i64>>,
    since: Vec<i64>,
    last_positions: Vec<i64>,
    correlation_ids: Vec<Uuid>,
    timers_set: Timers,
    timers_cleared: Timers,
    checkpoint_slots: Vec<i16>,
    log_ids: Vec<Uuid>,
    positions: Vec<i64>,
    event_ids: Vec<Option<Uuid>>,
}

#[derive(Default)]
struct Timers {
    keys: Vec<Uuid>,
    slots: Vec<i16>,
    names: Vec<String>,
    due_at: Vec<i64>,
}

impl Timers {
    fn push(&mut self, key: Uuid, name: &str, due_at: i64) {
        self.keys.push(key);
        self.slots.push(slot(key));
        self.names.push(name.to_owned());
        self.due_at.push(due_at);
    }
}

impl Rows {
    pub(super) fn of(changes: &Changes) -> Self {
        let mut rows = Self::default();
        for saved in &changes.instances {
            rows.keys.push(saved.key);
            rows.slots.push(slot(saved.key));
            rows.versions.push(saved.version.cast_signed());
            rows.statuses.push(saved.status.name());
            rows.states.push(saved.state.clone());
            rows.outboxes.push(saved.outbox_text());
            rows.awaiting.push(saved.awaiting.as_ref().map(|awaiting| awaiting.what.clone()));
            rows.deadlines.push(saved.deadline_micros());
            rows.since.push(saved.since.timestamp_micros());
            rows.last_positions.push(stored(saved.last_position));
            rows.correlation_ids.push(saved.correlation_id);
        }
        // What a timer was told last counts.
        let last: HashMap<(Uuid, &str), Option<i64>> = changes
            .timers
            .iter()
            .map(|timer| ((timer.key, timer.name.as_str()), timer.due_at.map(|at| at.timestamp_micros())))
            .collect();
        for ((key, name), due_at) in last {
            match due_at {
                Some(due_at) => rows.timers_set.push(key, name, due_at),
                None => rows.timers_cleared.push(key, name, 0),
            }
        }
        for (slot, checkpoint) in &changes.checkpoints {
            rows.checkpoint_slots.push(slot.cast_signed());
            rows.log_ids.push(checkpoint.log_id);
            rows.positions.push(stored(checkpoint.position));
            rows.event_ids.push(checkpoint.event_id);
        }
        rows
    }
}

/// Tells whether it was written: not if one of the slots is not ours any more.
pub(super) async fn write(
    conn: &mut PgConnection,
    leases: &Leases,
    consumer: &str,
    process: &'static str,
    held: &[Held],
    rows: &Rows,
) -> Result<bool, sqlx::Error> {
    let mut transaction = conn.begin().await?;
    if !leases.check(&mut transaction, consumer, held).await? {
        return Ok(false);
    }
    if !rows.keys.is_empty() {
        let sql = "INSERT INTO instances (process, key, slot, version, status, state, outbox, awaiting, deadline, since,
                       last_position, correlation_id)
                   SELECT $1, * FROM unnest($2::uuid[], $3::smallint[], $4::integer[], $5::text[], $6::text[], $7::text[],
                       $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::uuid[])
                   ON CONFLICT (process, key) DO UPDATE SET version = excluded.version, status = excluded.status,
                       state = excluded.state, outbox = excluded.outbox, awaiting = excluded.awaiting,
                       deadline = excluded.deadline, since = excluded.since, last_position = excluded.last_position";
        let upsert = sqlx::query(sql).bind(process).bind(&rows.keys).bind(&rows.slots).bind(&rows.versions);
        let upsert = upsert.bind(&rows.statuses).bind(&rows.states).bind(&rows.outboxes).bind(&rows.awaiting);
        let upsert = upsert.bind(&rows.deadlines).bind(&rows.since).bind(&rows.last_positions);
        upsert.bind(&rows.correlation_ids).execute(&mut *transaction).await?;
    }
    if !rows.timers_cleared.keys.is_empty() {
        let (keys, names) = (&rows.timers_cleared.keys, &rows.timers_cleared.names);
        let sql = "DELETE FROM timers t USING unnest($2::uuid[], $3::text[]) AS gone (key, name)
                   WHERE t.process = $1 AND t.key = gone.key AND t.name = gone.name";
        sqlx::query(sql).bind(process).bind(keys).bind(names).execute(&mut *transaction).await?;
    }
    if !rows.timers_set.keys.is_empty() {
        let Timers { keys, slots, names, due_at } = &rows.timers_set;
        let sql = "INSERT INTO timers (process, key, slot, name, due_at)
                   SELECT $1, * FROM unnest($2::uuid[], $3::smallint[], $4::text[], $5::bigint[])
                   ON CONFLICT (process, key, name) DO UPDATE SET due_at = excluded.due_at";
        let set = sqlx::query(sql).bind(process).bind(keys).bind(slots).bind(names).bind(due_at);
        set.execute(&mut *transaction).await?;
    }
    if !rows.checkpoint_slots.is_empty() {
        let sql = "INSERT INTO checkpoints (process, slot, log_id, position, event_id)
                   SELECT $1, * FROM unnest($2::smallint[], $3::uuid[], $4::bigint[], $5::uuid[])
                   ON CONFLICT (process, slot) DO UPDATE SET log_id = excluded.log_id, position = excluded.position,
                       event_id = excluded.event_id";
        let move_on = sqlx::query(sql).bind(process).bind(&rows.checkpoint_slots).bind(&rows.log_ids);
        move_on.bind(&rows.positions).bind(&rows.event_ids).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(true)
}
