//! The work store (`work.db`): instances with the steps they have still to do, timers, checkpoints, and the executor's
//! snapshots. Written without waiting for the disk: rows and checkpoint go together, so after a power loss the log is
//! simply read again from an older checkpoint, and every command that took effect before is recognised by its id.

mod instances;
mod row;

pub use row::{InstanceDetails, InstanceState, InstanceSummary, PendingStep, TimerDetails};
pub(crate) use row::{Saved, TimerRow};

use std::{path::Path, sync::Arc};

use domain::Position;
use eventlog::{
    Checkpoint, SnapshotStore, SqliteSnapshots, StoreError, Timers,
    sqlite::{Durability, Readers, Writer},
};
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

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
    ) STRICT, WITHOUT ROWID;
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

/// The work store.
#[derive(Clone)]
pub struct WorkStore {
    pub(crate) writer: Writer,
    pub(crate) readers: Readers,
}

impl WorkStore {
    /// Opens `work.db`, creating it if need be. Blocks.
    ///
    /// # Errors
    /// When it cannot be opened, is damaged, or was written by a newer release.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let writer = Writer::open(path, Durability::Normal, MIGRATIONS)?;
        let readers = Readers::open(path, READERS)?;
        Ok(Self { writer, readers })
    }

    /// The executor's snapshots.
    #[must_use]
    pub fn snapshots(&self) -> Arc<dyn SnapshotStore> {
        Arc::new(SqliteSnapshots::new(self.writer.clone(), self.readers.clone()))
    }

    /// Writes what waits, then closes the file.
    pub async fn close(&self) {
        self.writer.close().await;
    }

    /// How far a process manager has read the log.
    pub(crate) async fn checkpoint(&self, consumer: &'static str) -> Result<Option<Checkpoint>, StoreError> {
        self.readers
            .read(move |conn| {
                conn.query_row(
                    "SELECT log_id, position, event_id FROM checkpoints WHERE consumer = ?1",
                    [consumer],
                    |row| {
                        Ok(Checkpoint {
                            log_id: row.get::<_, Uuid>(0)?,
                            position: row.get::<_, i64>(1)?.unsigned_abs(),
                            event_id: row.get(2)?,
                        })
                    },
                )
                .optional()
            })
            .await
    }

    /// The earliest timer of a process manager.
    pub(crate) async fn next_timer(
        &self,
        consumer: &'static str,
    ) -> Result<Option<domain::Timestamp>, StoreError> {
        self.readers.read(move |conn| Timers::next_due(conn, consumer)).await
    }

    /// The timers that are due.
    pub(crate) async fn due_timers(
        &self,
        consumer: &'static str,
        now: domain::Timestamp,
        limit: usize,
    ) -> Result<Vec<eventlog::Timer>, StoreError> {
        self.readers.read(move |conn| Timers::due(conn, consumer, now, limit)).await
    }
}

/// Everything that a batch of inputs changed: written in one transaction.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    /// Instances as they are now.
    pub(crate) instances: Vec<Saved>,
    /// Timers set and cleared, in order.
    pub(crate) timers: Vec<TimerRow>,
    /// The new checkpoint.
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl Changes {
    pub(crate) fn write(&self, conn: &Connection, process: &'static str) -> rusqlite::Result<()> {
        for instance in &self.instances {
            instance.upsert(conn, process)?;
        }
        for timer in &self.timers {
            match timer.due_at {
                Some(due_at) => Timers::set(conn, process, timer.key.as_bytes(), &timer.name, due_at)?,
                None => {
                    Timers::clear(conn, process, timer.key.as_bytes(), &timer.name)?;
                }
            }
        }
        if let Some(checkpoint) = &self.checkpoint {
            write_checkpoint(conn, process, checkpoint)?;
        }
        Ok(())
    }
}

fn write_checkpoint(conn: &Connection, consumer: &str, checkpoint: &Checkpoint) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO checkpoints (consumer, log_id, position, event_id) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET log_id = excluded.log_id, position = excluded.position, event_id = excluded.event_id",
    )?
    .execute(params![consumer, checkpoint.log_id, stored(checkpoint.position), checkpoint.event_id])?;
    Ok(())
}

/// Positions are stored as SQLite's signed integers; 2^63 events are never reached.
pub(crate) fn stored(position: Position) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
