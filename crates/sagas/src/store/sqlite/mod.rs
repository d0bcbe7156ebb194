//! The work store in one file, `work.db`: one process, one slot.

mod instances;
mod write;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use domain::Timestamp;
use eventlog::{
    Checkpoint, SnapshotStore, SqliteSnapshots, StoreError, Timer, Timers,
    postgres::{Balance, Held},
    sqlite::{Durability, Readers, Writer},
};
use uuid::Uuid;

use super::{Backend, Changes, InstanceDetails, InstanceState, Published, Saved, Wish};

/// Instances have a rowid: without one the tree that keys are looked up in would hold whole rows, and be deeper.
const MIGRATIONS: &[&str] = &[
    "CREATE TABLE instances (
        process       TEXT    NOT NULL,
        key           BLOB    NOT NULL,
        version       INTEGER NOT NULL,
        status        TEXT    NOT NULL,
        state         TEXT    NOT NULL,
        outbox        TEXT    NOT NULL,
        awaiting      TEXT,
        deadline      INTEGER,
        since         INTEGER NOT NULL,
        last_position INTEGER NOT NULL,
        correlation_id BLOB   NOT NULL,
        PRIMARY KEY (process, key)
    ) STRICT;
    CREATE INDEX instances_open ON instances (process, status, key) WHERE status <> 'ended';
    CREATE TABLE checkpoints (
        consumer TEXT    NOT NULL PRIMARY KEY,
        log_id   BLOB    NOT NULL,
        position INTEGER NOT NULL,
        event_id BLOB
    ) STRICT, WITHOUT ROWID;",
    Timers::schema(),
    SqliteSnapshots::schema(),
];

/// How many connections read the work store at once.
const READERS: usize = 4;
/// The slot of everything.
const ONLY: Held = Held { slot: 0, epoch: 0 };

/// A name and a holder.
type Said = (&'static str, Uuid);

pub(super) struct SqliteWork {
    writer: Writer,
    readers: Readers,
    /// In memory: nobody else is there to read it.
    published: Mutex<HashMap<Said, (String, Instant)>>,
}

impl SqliteWork {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let writer = Writer::open(path, Durability::Normal, MIGRATIONS)?;
        let readers = Readers::open(path, READERS)?;
        Ok(Self { writer, readers, published: Mutex::default() })
    }
}

#[async_trait]
impl Backend for SqliteWork {
    fn slots(&self) -> u16 {
        1
    }

    fn renew_every(&self) -> Option<Duration> {
        None
    }

    async fn balance(&self, _: &'static str) -> Result<Balance, StoreError> {
        Ok(Balance { held: vec![ONLY], surplus: 0 })
    }

    async fn release(&self, _: &'static str, _: &[Held]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn retire(&self, _: &'static str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn leave(&self, _: &'static str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn take_if_free(&self, _: &'static str, _: u16) -> Result<Option<Held>, StoreError> {
        Ok(Some(ONLY))
    }

    async fn members(&self, _: &'static str) -> Result<Vec<(String, u64)>, StoreError> {
        Ok(Vec::new())
    }

    async fn checkpoints(&self, process: &'static str) -> Result<Vec<(u16, Checkpoint)>, StoreError> {
        self.readers.read(move |conn| write::checkpoint(conn, process)).await
    }

    async fn load(&self, process: &'static str, keys: Vec<Uuid>) -> Result<Vec<Saved>, StoreError> {
        self.readers.read(move |conn| instances::load(conn, process, &keys)).await
    }

    async fn unfinished(&self, process: &'static str, _: &[u16]) -> Result<Vec<Saved>, StoreError> {
        self.readers.read(move |conn| instances::unfinished(conn, process)).await
    }

    async fn counts(&self, process: &'static str) -> Result<Vec<(InstanceState, u64)>, StoreError> {
        self.readers.read(move |conn| instances::counts(conn, process)).await
    }

    async fn list(
        &self,
        process: &'static str,
        state: Option<InstanceState>,
        after: Uuid,
        limit: usize,
    ) -> Result<Vec<Saved>, StoreError> {
        self.readers.read(move |conn| instances::list(conn, process, state, after, limit)).await
    }

    async fn show(&self, process: &'static str, key: Uuid) -> Result<Option<InstanceDetails>, StoreError> {
        self.readers.read(move |conn| instances::show(conn, process, key)).await
    }

    async fn next_timer(&self, process: &'static str, _: &[u16]) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(move |conn| Timers::next_due(conn, process)).await
    }

    async fn due_timers(
        &self,
        process: &'static str,
        _: &[u16],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Timer>, StoreError> {
        self.readers.read(move |conn| Timers::due(conn, process, now, limit)).await
    }

    async fn write(&self, process: &'static str, changes: Arc<Changes>) -> Result<(), StoreError> {
        self.writer.write(move |conn| write::write(conn, process, &changes)).await
    }

    async fn wish(&self, _: &'static str, _: Wish) -> Result<(), StoreError> {
        Ok(())
    }

    async fn is_wished(&self, _: &'static str, _: Wish) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn wishes(&self, _: &'static str, _: &[u16]) -> Result<Vec<Wish>, StoreError> {
        Ok(Vec::new())
    }

    async fn forget_wish(&self, _: &'static str, _: Wish) -> Result<(), StoreError> {
        Ok(())
    }

    async fn publish(
        &self,
        name: &'static str,
        holder: Uuid,
        value: String,
        ttl: Duration,
    ) -> Result<(), StoreError> {
        let now = Instant::now();
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        published.retain(|_, (_, until)| *until > now);
        published.insert((name, holder), (value, now + ttl));
        Ok(())
    }

    async fn published(&self, name: &'static str) -> Result<Vec<Published>, StoreError> {
        let now = Instant::now();
        let published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let of_name = published.iter().filter(|((of, _), (_, until))| *of == name && *until > now);
        Ok(of_name
            .map(|(_, (value, until))| Published { value: value.clone(), left: *until - now })
            .collect())
    }

    fn snapshots(&self) -> Arc<dyn SnapshotStore> {
        Arc::new(SqliteSnapshots::new(self.writer.clone(), self.readers.clone()))
    }

    async fn close(&self) {
        self.writer.close().await;
    }
}
