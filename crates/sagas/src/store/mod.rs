//! The work store: instances with the steps they have still to do, timers, checkpoints, and the executor's snapshots.
//! Written without waiting for the disk where the store allows it: rows and checkpoint go together, so after a power loss
//! the log is simply read again from an older checkpoint, and every command that took effect before is recognised by its id.
//!
//! The work of a process manager is spread over slots by instance. Embedded in one process there is one slot, which is
//! always ours; in PostgreSQL there are 64, each done by one process at a time.

mod backend;
mod postgres;
mod row;
mod slots;
mod sqlite;

pub(crate) use backend::{Backend, Changes, Published, Wish};
pub use postgres::WORK;
pub use row::{InstanceDetails, InstanceState, InstanceSummary, PendingStep, TimerDetails};
pub(crate) use row::{Saved, TimerRow, time};
#[doc(hidden)]
pub use slots::slot_of;

use std::{path::Path, sync::Arc};

use domain::Position;
use eventlog::{
    StoreError,
    postgres::{Database, Leases},
};

/// The work store. Cheap to clone.
#[derive(Clone)]
pub struct WorkStore(Arc<dyn Backend>);

impl WorkStore {
    /// Opens `work.db`, creating it if need be. Blocks.
    ///
    /// # Errors
    /// When it cannot be opened, is damaged, or was written by a newer release.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(sqlite::SqliteWork::open(path)?)))
    }

    /// Uses a database that has [`WORK`] and the leases; several processes may.
    ///
    /// # Errors
    /// When it has not, or does not answer.
    pub async fn open_postgres(database: &Database, leases: Leases) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(postgres::PostgresWork::open(database, leases).await?)))
    }

    /// The executor's snapshots.
    #[must_use]
    pub fn snapshots(&self) -> Arc<dyn eventlog::SnapshotStore> {
        self.0.snapshots()
    }

    pub(crate) fn backend(&self) -> Arc<dyn Backend> {
        self.0.clone()
    }

    /// Writes what waits, then lets go of the store.
    pub async fn close(&self) {
        self.0.close().await;
    }
}

/// Positions are stored as signed integers; 2^63 events are never reached.
pub(crate) fn stored(position: Position) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
