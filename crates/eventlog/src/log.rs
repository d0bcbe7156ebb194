//! The handle through which everybody writes and reads the log.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use domain::{Envelope, Position, StreamId, Version};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::{
    AppendError, Appended, Commit, CorrelationWatch, LogError, PendingAppend, RawEvent, SqliteStore, Store,
    queue::{Link, Queue},
    tailer::{self, Observer, Tail},
};

/// How a log is run. The defaults are for one process on one machine.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// Most commits in one batch.
    pub max_batch_commits: usize,
    /// Most events in one batch, unless a single commit has more.
    pub max_batch_events: usize,
    /// Most commits of one stream in one batch, so that a hot stream leaves room for others.
    pub max_batch_per_stream: usize,
    /// Most commits that wait; beyond that an append is answered `Unavailable`.
    pub queue_capacity: usize,
    /// How long a batch of unknown outcome is sent again before it is answered `Unavailable`.
    pub retry_deadline: Duration,
    /// Most events that the tailer keeps in memory.
    pub ring_capacity: usize,
    /// How often the store is polled when other processes write to it.
    pub poll_interval: Duration,
    /// Read connections of the SQLite adapter.
    pub readers: usize,
    /// Largest size of the SQLite adapter's file in MiB, beyond which appends are answered `Full`; 0: the disk's.
    pub max_file_mib: u32,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            max_batch_commits: 512,
            max_batch_events: 2_048,
            max_batch_per_stream: 64,
            queue_capacity: 16_384,
            retry_deadline: Duration::from_secs(5),
            ring_capacity: 32_768,
            poll_interval: Duration::from_millis(50),
            readers: 4,
            max_file_mib: 0,
        }
    }
}

/// SQLite's pages of 4 KiB in a MiB.
const PAGES_PER_MIB: u32 = 256;
/// How often a log that only this process writes to is polled: a safety net, since every write wakes the tailer.
const SINGLE_WRITER_POLL: Duration = Duration::from_secs(1);

/// Figures since the log was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Batches written.
    pub batches: u64,
    /// Commits answered in them, of any outcome.
    pub commits: u64,
    /// Events appended.
    pub events: u64,
    /// Commits that wait or are being written.
    pub queue_depth: usize,
}

/// The event log. Cheap to clone; the log stops when the last clone is dropped.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn Store>,
    log_id: Uuid,
    queue: Queue,
    tail: Arc<Tail>,
    stop: CancellationToken,
    _stop_when_dropped: DropGuard,
}

impl Log {
    /// Opens the log in the SQLite file at `path`, creating it if need be.
    ///
    /// # Errors
    /// When it cannot be opened, is damaged, or was written by a newer release.
    pub async fn open_sqlite(path: &Path, options: LogOptions) -> Result<Self, LogError> {
        let store = SqliteStore::open(path, options.readers).await?;
        store.limit_pages(options.max_file_mib.saturating_mul(PAGES_PER_MIB));
        Self::start(Arc::new(store), options).await
    }

    /// Starts batcher and tailer on a store.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn start(store: Arc<dyn Store>, options: LogOptions) -> Result<Self, LogError> {
        crate::faults::read();
        let log_id = store.log_id().await?;
        let tail = Arc::new(Tail::new(store.head().await?, options.ring_capacity));
        let queue = Queue::start(store.clone(), tail.clone(), &options);
        let stop = CancellationToken::new();
        let poll = if store.single_writer() { SINGLE_WRITER_POLL } else { options.poll_interval };
        tokio::spawn(tailer::tail_store(store.clone(), tail.clone(), poll, stop.clone()));
        let guard = stop.clone().drop_guard();
        Ok(Self { inner: Arc::new(Inner { store, log_id, queue, tail, stop, _stop_when_dropped: guard }) })
    }

    /// Appends a commit together with everything else that waits; answered once it is on disk.
    ///
    /// # Errors
    /// See [`AppendError`].
    pub async fn append(&self, commit: Commit) -> Result<Appended, AppendError> {
        self.enqueue(commit).await
    }

    /// Takes the commit's place in the queue now. Commits are written in the order of these calls.
    pub fn enqueue(&self, commit: Commit) -> PendingAppend {
        self.inner.queue.push(commit, None)
    }

    /// The same for a commit that was decided on the one before it.
    pub(crate) fn enqueue_linked(&self, commit: Commit, link: Link) -> PendingAppend {
        self.inner.queue.push(commit, Some(link))
    }

    /// Events of one stream with a version above `after_version`, in order, at most `limit`.
    ///
    /// # Errors
    /// When the store does not answer or an event cannot be read.
    pub async fn read_stream(
        &self,
        stream: StreamId,
        after_version: Version,
        limit: usize,
    ) -> Result<Vec<Arc<Envelope>>, LogError> {
        decode_all(self.inner.store.read_stream(stream, after_version, limit).await?)
    }

    /// Events with a position above `after`, in order, at most `limit`: from memory when they are recent.
    ///
    /// # Errors
    /// When the store does not answer or the first of the events cannot be read.
    pub async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<Arc<Envelope>>, LogError> {
        match self.inner.tail.read(after, limit) {
            Some(events) => Ok(events),
            None => decode_all(self.inner.store.read_all(after, limit).await?),
        }
    }

    /// Whether there is room for some more events.
    ///
    /// # Errors
    /// There is none, or the store does not answer.
    pub async fn has_room(&self) -> Result<(), LogError> {
        self.inner.store.has_room().await
    }

    /// The last position, 0 when there is none.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn head(&self) -> Result<Position, LogError> {
        self.inner.store.head().await
    }

    /// Which log this is: minted when it was created.
    #[must_use]
    pub fn log_id(&self) -> Uuid {
        self.inner.log_id
    }

    /// The position up to which events are published. An answered append of this process is published.
    #[must_use]
    pub fn subscribe_head(&self) -> watch::Receiver<Position> {
        self.inner.tail.subscribe()
    }

    /// The next events after `after`, at most `limit`: waits until there is one. Empty when `stop` is cancelled or the
    /// log shuts down.
    ///
    /// # Errors
    /// When the store does not answer or the next event cannot be read.
    pub async fn next(
        &self,
        after: Position,
        limit: usize,
        stop: &CancellationToken,
    ) -> Result<Vec<Arc<Envelope>>, LogError> {
        let mut head = self.subscribe_head();
        loop {
            if stop.is_cancelled() {
                return Ok(Vec::new());
            }
            let published = *head.borrow_and_update();
            if after < published {
                return self.read_all(after, limit).await;
            }
            if let Some(error) = self.inner.tail.stuck() {
                return Err(error);
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(Vec::new()),
                () = self.inner.stop.cancelled() => return Ok(Vec::new()),
                changed = head.changed() => if changed.is_err() { return Ok(Vec::new()) },
            }
        }
    }

    /// The events of one correlation that are published from now on.
    #[must_use]
    pub fn watch_correlation(&self, correlation_id: Uuid) -> CorrelationWatch {
        self.inner.tail.watch(correlation_id)
    }

    /// Refuses new appends, writes what waits, then stops everybody who follows the log and closes the store.
    pub async fn shutdown(&self) {
        self.inner.queue.close().await;
        self.inner.stop.cancel();
        self.inner.store.close().await;
    }

    /// Figures since the log was opened.
    #[must_use]
    pub fn stats(&self) -> LogStats {
        let counters = &self.inner.queue.counters;
        LogStats {
            batches: counters.batches.load(Ordering::Relaxed),
            commits: counters.commits.load(Ordering::Relaxed),
            events: counters.events.load(Ordering::Relaxed),
            queue_depth: counters.depth.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    pub(crate) fn add_observer(&self, observer: std::sync::Weak<dyn Observer>) {
        self.inner.tail.add_observer(observer);
    }
}

/// Decodes in order. An event that cannot be read ends the page; only as the first of a page is it an error, so that a
/// consumer handles everything before it.
fn decode_all(raw: Vec<RawEvent>) -> Result<Vec<Arc<Envelope>>, LogError> {
    let mut events = Vec::with_capacity(raw.len());
    for raw in raw {
        match raw.decode() {
            Ok(event) => events.push(Arc::new(event)),
            Err(error) if events.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    Ok(events)
}
