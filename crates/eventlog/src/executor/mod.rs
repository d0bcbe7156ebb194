//! The executor: load, decide, append, answer.
//!
//! Commands for one stream are decided in turn against the newest state of this process, flushed or not, and their
//! commits are queued in the same order. Whatever was decided on a flush that failed is decided again before anyone is
//! answered. A refusal, too, waits for what it was decided on and asserts the version, so that no stale cache refuses.

mod any;
mod cache;
mod error;
mod load;
mod run;
mod turns;

use std::{sync::Arc, time::Duration};

use domain::{Actor, Aggregate, AggregateId, Position, StreamId, Timestamp, Version};
use uuid::Uuid;

use self::cache::{Caches, Cell, Slot};
pub use self::error::{AnyError, ExecuteError};
use crate::{Log, LogError, SnapshotStore, tailer::Observer};

/// How an executor is run.
#[derive(Clone, Debug)]
pub struct ExecutorOptions {
    /// Aggregates of each kind that are kept in memory.
    pub cached_per_kind: usize,
    /// How long a command is tried again after conflicts.
    pub deadline: Duration,
    /// A snapshot is made whenever a stream passes a multiple of so many events.
    pub snapshot_every: u64,
    /// Most commands of one stream that are queued or being written: one batch in flight and one gathering.
    pub in_flight_per_stream: usize,
    /// A stream whose id was minted so short a time before the command is taken to be new, without asking the store.
    /// When it is not, the append conflicts and the stream is loaded. Zero: always ask.
    pub assume_new_within: Duration,
}

impl Default for ExecutorOptions {
    fn default() -> Self {
        Self {
            cached_per_kind: 16_384,
            deadline: Duration::from_secs(5),
            snapshot_every: 512,
            in_flight_per_stream: 128,
            assume_new_within: Duration::from_secs(2),
        }
    }
}

/// What stands beside a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandContext {
    /// The same command twice has the same id and takes effect once.
    pub command_id: Uuid,
    /// What it all belongs to.
    pub correlation_id: Uuid,
    /// The event that caused it.
    pub causation_id: Option<Uuid>,
    /// Who wants it.
    pub actor: Actor,
    /// When. UTC, microseconds.
    pub at: Timestamp,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// What a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// New events.
    Applied,
    /// Nothing: the aggregate was already so, through another command.
    AlreadyApplied,
    /// Nothing now: this very command took effect before.
    Duplicate,
}

/// A command that was carried out; its events are on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Version after the command (of the first time, for a duplicate).
    pub version: Version,
    /// Position of the command's last event (of the first time, for a duplicate; of the stream's last event, when it was
    /// already applied).
    pub position: Position,
    /// What it did.
    pub effect: Effect,
}

/// An aggregate and its version; version 0 and the default state when it does not exist.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded<A> {
    /// Version of the state.
    pub version: Version,
    /// The aggregate.
    pub state: A,
}

/// Carries out commands. Cheap to clone.
#[derive(Clone)]
pub struct Executor {
    log: Log,
    snapshots: Option<Arc<dyn SnapshotStore>>,
    options: Arc<ExecutorOptions>,
    caches: Arc<Caches>,
}

impl Executor {
    /// An executor over `log`. Without `snapshots`, every load folds a stream from its start.
    #[must_use]
    pub fn new(log: Log, snapshots: Option<Arc<dyn SnapshotStore>>, options: ExecutorOptions) -> Self {
        let caches = Arc::new(Caches::new(options.cached_per_kind, options.in_flight_per_stream));
        if !log.store().single_writer() {
            let observer: Arc<dyn Observer> = caches.clone();
            log.add_observer(Arc::downgrade(&observer));
        }
        Self { log, snapshots, options: Arc::new(options), caches }
    }

    /// The log underneath.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The newest state this process knows: everything on disk that this process has written or seen, and possibly
    /// decisions of this process that are just being written.
    ///
    /// # Errors
    /// When the store does not answer or an event cannot be read.
    pub async fn load<A: Aggregate>(&self, id: &A::Id) -> Result<Loaded<A>, LogError> {
        self.inspect(id, |version, state: &A| Loaded { version, state: state.clone() }).await
    }

    /// The same without a copy of the state, which may be large (a product knows all orders that hold pieces of it).
    /// `read` runs while commands for the stream wait.
    ///
    /// # Errors
    /// When the store does not answer or an event cannot be read.
    pub async fn inspect<A: Aggregate, R>(
        &self,
        id: &A::Id,
        read: impl FnOnce(Version, &A) -> R + Send,
    ) -> Result<R, LogError> {
        let stream = StreamId::new(A::KIND, id.uuid());
        let slot = self.caches.of::<A>().slot(stream.id);
        let mut cell = slot.cell.lock().await;
        if slot.is_only_assumed(&cell) {
            // Read past the cell: it holds what is just being decided, and a load would put older things in its place.
            let (version, state) = self.fold::<A>(stream).await?;
            return Ok(read(version, &state));
        }
        self.refresh(&slot, &mut cell, stream).await?;
        Ok(read(cell.version, &cell.state))
    }

    /// Carries out a command; answers once its events are on disk. A caller who hangs up loses only the answer.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub async fn execute<A: Aggregate>(
        &self,
        id: &A::Id,
        command: <A as Aggregate>::Command,
        ctx: CommandContext,
    ) -> Result<Executed, ExecuteError<<A as Aggregate>::Error>> {
        self.execute_if::<A>(id, None, command, ctx).await
    }

    /// The same, but only on the version that the caller has seen (If-Match). A command that took effect before is
    /// answered as a duplicate, whatever the version is by now.
    ///
    /// # Errors
    /// See [`ExecuteError`].
    pub async fn execute_if<A: Aggregate>(
        &self,
        id: &A::Id,
        expected_version: Option<Version>,
        command: <A as Aggregate>::Command,
        ctx: CommandContext,
    ) -> Result<Executed, ExecuteError<<A as Aggregate>::Error>> {
        self.run::<A>(id, expected_version, &command, &ctx).await.map_err(|failed| failed.error)
    }

    /// Loads the aggregate unless what is cached is good.
    async fn refresh<A: Aggregate>(
        &self,
        slot: &Slot<A>,
        cell: &mut Cell<A>,
        stream: StreamId,
    ) -> Result<(), LogError> {
        if slot.is_fresh(cell) {
            return Ok(());
        }
        // Numbered before reading: a failure of an older decision that shows meanwhile does not concern this load.
        let generation = slot.next_generation(cell);
        let (version, state) = self.fold::<A>(stream).await?;
        *cell = Cell { generation, assumed: false, version, state };
        Ok(())
    }
}
