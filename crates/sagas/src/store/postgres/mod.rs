//! The work store in PostgreSQL: several processes share the work of a process manager by slots.

mod instances;
mod published;
mod schema;
mod wishes;
mod write;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::Timestamp;
use eventlog::{
    Checkpoint, SnapshotStore, StoreError, Timer,
    postgres::{Balance, Database, Held, LEASES, Leases, PostgresSnapshots, SNAPSHOTS},
};
use sqlx::Row;
use uuid::Uuid;

pub use self::schema::WORK;
use super::{Backend, Changes, InstanceDetails, InstanceState, Published, Saved, Wish, time};

/// Over how many slots the work of a process manager is spread. Stored with every instance: it never changes.
pub(super) const SLOTS: u16 = 64;

/// Process managers' leases, apart from those of views, which may have the same names.
fn consumer(process: &str) -> String {
    format!("process:{process}")
}

/// Slots as the database knows numbers.
fn numbers(slots: &[u16]) -> Vec<i16> {
    slots.iter().map(|slot| slot.cast_signed()).collect()
}

pub(super) struct PostgresWork {
    database: Database,
    leases: Leases,
}

impl PostgresWork {
    pub(super) async fn open(database: &Database, leases: Leases) -> Result<Self, StoreError> {
        for part in [WORK, LEASES, SNAPSHOTS] {
            database.require(part).await?;
        }
        Ok(Self { database: database.clone(), leases })
    }
}

#[async_trait]
impl Backend for PostgresWork {
    fn slots(&self) -> u16 {
        SLOTS
    }

    fn renew_every(&self) -> Option<Duration> {
        Some(self.leases.options().renew_every())
    }

    async fn balance(&self, process: &'static str) -> Result<Balance, StoreError> {
        self.leases.balance(&consumer(process), SLOTS).await
    }

    async fn release(&self, process: &'static str, held: &[Held]) -> Result<(), StoreError> {
        self.leases.release(&consumer(process), held).await
    }

    async fn retire(&self, process: &'static str) -> Result<(), StoreError> {
        self.leases.retire(&consumer(process)).await
    }

    async fn leave(&self, process: &'static str) -> Result<(), StoreError> {
        self.leases.leave(&consumer(process)).await
    }

    async fn take_if_free(&self, process: &'static str, slot: u16) -> Result<Option<Held>, StoreError> {
        self.leases.take_if_free(&consumer(process), slot).await
    }

    async fn members(&self, process: &'static str) -> Result<Vec<(String, u64)>, StoreError> {
        self.leases.members(&consumer(process)).await
    }

    async fn checkpoints(&self, process: &'static str) -> Result<Vec<(u16, Checkpoint)>, StoreError> {
        let found = self.database.run(move |conn| {
            let sql = "SELECT slot, log_id, position, event_id FROM checkpoints WHERE process = $1";
            Box::pin(async move { sqlx::query(sql).bind(process).fetch_all(conn).await })
        });
        let checkpoint = |row: &sqlx::postgres::PgRow| {
            let position = row.get::<i64, _>(2).unsigned_abs();
            let checkpoint = Checkpoint { log_id: row.get(1), position, event_id: row.get(3) };
            (row.get::<i16, _>(0).cast_unsigned(), checkpoint)
        };
        Ok(found.await?.iter().map(checkpoint).collect())
    }

    async fn load(&self, process: &'static str, keys: Vec<Uuid>) -> Result<Vec<Saved>, StoreError> {
        instances::load(&self.database, process, keys).await
    }

    async fn unfinished(&self, process: &'static str, slots: &[u16]) -> Result<Vec<Saved>, StoreError> {
        instances::unfinished(&self.database, process, numbers(slots)).await
    }

    async fn counts(&self, process: &'static str) -> Result<Vec<(InstanceState, u64)>, StoreError> {
        instances::counts(&self.database, process).await
    }

    async fn list(
        &self,
        process: &'static str,
        state: Option<InstanceState>,
        after: Uuid,
        limit: usize,
    ) -> Result<Vec<Saved>, StoreError> {
        instances::list(&self.database, process, state, after, limit).await
    }

    async fn show(&self, process: &'static str, key: Uuid) -> Result<Option<InstanceDetails>, StoreError> {
        instances::show(&self.database, process, key).await
    }

    async fn next_timer(
        &self,
        process: &'static str,
        slots: &[u16],
    ) -> Result<Option<Timestamp>, StoreError> {
        let slots = numbers(slots);
        let next = self.database.run(move |conn| {
            let slots = slots.clone();
            let sql = "SELECT min(due_at) FROM timers WHERE process = $1 AND slot = ANY($2)";
            Box::pin(async move { sqlx::query(sql).bind(process).bind(slots).fetch_one(conn).await })
        });
        Ok(next.await?.get::<Option<i64>, _>(0).map(time))
    }

    async fn due_timers(
        &self,
        process: &'static str,
        slots: &[u16],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Timer>, StoreError> {
        let slots = numbers(slots);
        let due = self.database.run(move |conn| {
            let slots = slots.clone();
            let sql =
                "SELECT key, name, due_at FROM timers WHERE process = $1 AND slot = ANY($2) AND due_at <= $3
                       ORDER BY due_at, key, name LIMIT $4";
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            Box::pin(async move {
                let due = sqlx::query(sql).bind(process).bind(slots).bind(now.timestamp_micros()).bind(limit);
                due.fetch_all(conn).await
            })
        });
        let timer = |row: &sqlx::postgres::PgRow| Timer {
            consumer: process.to_owned(),
            instance: row.get::<Uuid, _>(0).as_bytes().to_vec(),
            name: row.get(1),
            due_at: time(row.get(2)),
        };
        Ok(due.await?.iter().map(timer).collect())
    }

    async fn write(&self, process: &'static str, changes: Arc<Changes>) -> Result<(), StoreError> {
        let rows = Arc::new(write::Rows::of(&changes));
        let (leases, consumer) = (self.leases.clone(), consumer(process));
        let written = self.database.run(move |conn| {
            let (leases, changes, consumer) = (leases.clone(), changes.clone(), consumer.clone());
            let rows = rows.clone();
            Box::pin(
                async move { write::write(conn, &leases, &consumer, process, &changes.held, &rows).await },
            )
        });
        if written.await? { Ok(()) } else { Err(StoreError::Fenced) }
    }

    async fn wish(&self, process: &'static str, wish: Wish) -> Result<(), StoreError> {
        wishes::leave(&self.database, process, wish).await
    }

    async fn is_wished(&self, process: &'static str, wish: Wish) -> Result<bool, StoreError> {
        wishes::is_there(&self.database, process, wish).await
    }

    async fn wishes(&self, process: &'static str, slots: &[u16]) -> Result<Vec<Wish>, StoreError> {
        wishes::of_slots(&self.database, process, numbers(slots)).await
    }

    async fn forget_wish(&self, process: &'static str, wish: Wish) -> Result<(), StoreError> {
        wishes::forget(&self.database, process, wish).await
    }

    async fn publish(
        &self,
        name: &'static str,
        holder: Uuid,
        value: String,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        published::publish(&self.database, name, holder, value, ttl).await
    }

    async fn published(&self, name: &'static str) -> Result<Vec<Published>, StoreError> {
        published::of_everybody(&self.database, name).await
    }

    fn snapshots(&self) -> Arc<dyn SnapshotStore> {
        Arc::new(PostgresSnapshots::new(self.database.clone()))
    }

    /// The connections belong to everybody who uses the database.
    async fn close(&self) {}
}
