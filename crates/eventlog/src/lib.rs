//! The append-only event log: the port that an adapter implements, the SQLite and PostgreSQL adapters, group commit, the tailer that
//! feeds every consumer, the executor that decides commands, and the durable helpers (snapshots, timers, checkpoints).
//!
//! The way of one command: [`Executor::execute`] decides on the cached aggregate, [`Log::enqueue`] encodes the events
//! and takes a place in the queue, the batcher writes everything that waits in one transaction through a [`Store`], the
//! tailer publishes what was written, and only then the caller is answered.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod batcher;
mod checkpoint;
mod clock;
pub mod conformance;
mod error;
mod executor;
mod faults;
mod idgen;
mod log;
mod port;
pub mod postgres;
mod queue;
mod reader;
mod snapshot;
pub mod sqlite;
mod store_error;
mod tailer;
pub mod timers;
pub mod transfer;

pub use checkpoint::Checkpoint;
pub use clock::{Clock, ManualClock, SystemClock};
pub use error::{AppendError, LogError};
pub use executor::{
    AnyError, CommandContext, Effect, ExecuteError, Executed, Executor, ExecutorOptions, Loaded,
};
#[cfg(feature = "faults")]
pub use faults::KILL_POINTS;
pub use faults::{Bug, FAULT_VARIABLES, kill_point, planted};
pub use idgen::{IdGen, event_id};
pub use log::{Log, LogOptions, LogStats};
pub use port::{Appended, Commit, EncodedCommit, NewEvent, RawEvent, Store, StreamTurn};
pub use queue::PendingAppend;
pub use reader::LogReader;
pub use snapshot::{Snapshot, SnapshotStore, SqliteSnapshots};
pub use sqlite::SqliteStore;
pub use store_error::StoreError;
pub use tailer::CorrelationWatch;
pub use timers::{Timer, Timers};
