//! The tailer: one per log. Keeps the latest events in memory in order of position, tells everybody who waits, and
//! reads from the store whatever did not come through this process.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{Envelope, Position};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{LogError, Store};

/// Events read at once when catching up.
const PAGE: usize = 1_000;
/// Pause after the store could not be read.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(250);

/// Is told every event as it is published, in order.
pub(crate) trait Observer: Send + Sync {
    fn observe(&self, event: &Envelope);
}

/// The latest events: those with positions `base + 1 ..= base + events.len()`.
struct Ring {
    base: Position,
    events: VecDeque<Arc<Envelope>>,
}

impl Ring {
    fn end(&self) -> Position {
        self.base + self.events.len() as u64
    }
}

struct Watcher {
    number: u64,
    sender: mpsc::UnboundedSender<Arc<Envelope>>,
}

/// State shared by the log, its batcher and the tailing task.
pub(crate) struct Tail {
    ring: RwLock<Ring>,
    capacity: usize,
    head: watch::Sender<Position>,
    wake: Notify,
    /// Held while events are published, so that everybody is told in order.
    publishing: Mutex<()>,
    /// None once the log is shut down.
    watchers: Mutex<Option<HashMap<Uuid, Vec<Watcher>>>>,
    watcher_count: AtomicUsize,
    next_watcher: AtomicU64,
    observers: Mutex<Vec<Weak<dyn Observer>>>,
    /// The event that the tailer cannot get past.
    stuck: Mutex<Option<LogError>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // None of these is left half changed by a panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tail {
    /// Begins behind position `head`.
    pub(crate) fn new(head: Position, capacity: usize) -> Self {
        Self {
            ring: RwLock::new(Ring { base: head, events: VecDeque::new() }),
            capacity,
            head: watch::Sender::new(head),
            wake: Notify::new(),
            publishing: Mutex::default(),
            watchers: Mutex::new(Some(HashMap::new())),
            watcher_count: AtomicUsize::new(0),
            next_watcher: AtomicU64::new(0),
            observers: Mutex::default(),
            stuck: Mutex::default(),
        }
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    /// The last published position.
    pub(crate) fn end(&self) -> Position {
        *self.head.borrow()
    }

    /// Makes the tailing task look at the store.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    pub(crate) fn stuck(&self) -> Option<LogError> {
        lock(&self.stuck).clone()
    }

    pub(crate) fn add_observer(&self, observer: Weak<dyn Observer>) {
        lock(&self.observers).push(observer);
    }

    /// Publishes events in order of position. Those that are published already are skipped; from a gap on, the rest is
    /// left to the tailing task, which reads it from the store.
    pub(crate) fn publish(&self, mut events: Vec<Arc<Envelope>>) {
        if events.is_empty() {
            return;
        }
        let _in_order = lock(&self.publishing);
        let end = self.end();
        let first_new = events.partition_point(|event| event.position <= end);
        events.drain(..first_new);
        let mut contiguous = 0;
        while events.get(contiguous).is_some_and(|event| event.position == end + 1 + contiguous as u64) {
            contiguous += 1;
        }
        if contiguous < events.len() {
            self.wake();
        }
        events.truncate(contiguous);
        if events.is_empty() {
            return;
        }
        {
            let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
            ring.events.extend(events.iter().cloned());
            let over = ring.events.len().saturating_sub(self.capacity);
            ring.events.drain(..over);
            ring.base += over as u64;
        }
        self.observe(&events);
        self.tell_watchers(&events);
        self.head.send_replace(end + contiguous as u64);
    }

    fn observe(&self, events: &[Arc<Envelope>]) {
        let mut observers = lock(&self.observers);
        observers.retain(|observer| match observer.upgrade() {
            Some(observer) => {
                events.iter().for_each(|event| observer.observe(event));
                true
            }
            None => false,
        });
    }

    fn tell_watchers(&self, events: &[Arc<Envelope>]) {
        if self.watcher_count.load(Ordering::SeqCst) == 0 {
            return;
        }
        let watchers = lock(&self.watchers);
        let Some(watchers) = watchers.as_ref() else { return };
        for event in events {
            for watcher in watchers.get(&event.metadata.correlation_id).into_iter().flatten() {
                // A closed receiver unregisters itself.
                let _ = watcher.sender.send(event.clone());
            }
        }
    }

    /// Events behind `after` from memory; `None` when the store has to be asked.
    pub(crate) fn read(&self, after: Position, limit: usize) -> Option<Vec<Arc<Envelope>>> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        if after < ring.base || after >= ring.end() {
            return None;
        }
        let skip = usize::try_from(after - ring.base).expect("the ring fits into memory");
        Some(ring.events.iter().skip(skip).take(limit).cloned().collect())
    }

    pub(crate) fn watch(self: &Arc<Self>, correlation_id: Uuid) -> CorrelationWatch {
        let (sender, events) = mpsc::unbounded_channel();
        let number = self.next_watcher.fetch_add(1, Ordering::Relaxed);
        if let Some(watchers) = lock(&self.watchers).as_mut() {
            self.watcher_count.fetch_add(1, Ordering::SeqCst);
            watchers.entry(correlation_id).or_default().push(Watcher { number, sender });
        }
        CorrelationWatch { events, correlation_id, number, tail: Arc::downgrade(self) }
    }

    fn unwatch(&self, correlation_id: Uuid, number: u64) {
        let mut watchers = lock(&self.watchers);
        let Some(watchers) = watchers.as_mut() else { return };
        if let Some(of_one) = watchers.get_mut(&correlation_id) {
            of_one.retain(|watcher| watcher.number != number);
            if of_one.is_empty() {
                watchers.remove(&correlation_id);
            }
            self.watcher_count.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Wakes everybody who waits, for good: the log is going away.
    fn close_watchers(&self) {
        *lock(&self.watchers) = None;
        self.watcher_count.store(0, Ordering::SeqCst);
    }
}

/// The events of one correlation as they are published. Unregisters when dropped.
#[derive(Debug)]
pub struct CorrelationWatch {
    events: mpsc::UnboundedReceiver<Arc<Envelope>>,
    correlation_id: Uuid,
    number: u64,
    tail: Weak<Tail>,
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tail").field("end", &self.end()).finish_non_exhaustive()
    }
}

impl CorrelationWatch {
    /// The next event; `None` once the log is shut down.
    pub async fn recv(&mut self) -> Option<Arc<Envelope>> {
        self.events.recv().await
    }

    /// An event that was published already, if there is one.
    pub fn try_recv(&mut self) -> Option<Arc<Envelope>> {
        self.events.try_recv().ok()
    }
}

impl Drop for CorrelationWatch {
    fn drop(&mut self) {
        if let Some(tail) = self.tail.upgrade() {
            tail.unwatch(self.correlation_id, self.number);
        }
    }
}

/// The tailing task: polls the store, and looks at once when woken.
pub(crate) async fn tail_store(
    store: Arc<dyn Store>,
    tail: Arc<Tail>,
    poll: Duration,
    stop: CancellationToken,
) {
    // What was said last of why it cannot be followed.
    let mut told: Option<String> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = tail.wake.notified() => {}
            () = store.woken() => {}
            () = tokio::time::sleep(poll) => {}
        }
        let caught_up = catch_up(store.as_ref(), &tail).await;
        if caught_up.is_ok() {
            *lock(&tail.stuck) = None;
            if told.take().is_some() {
                tracing::info!(after = tail.end(), "the log is followed again");
            }
        }
        if let Err(error) = caught_up {
            // Once, not as often as it is tried; and not that a log which is being closed is closed.
            let text = error.to_string();
            if told.as_ref() != Some(&text) && !stop.is_cancelled() {
                tracing::error!(%error, after = tail.end(), "the log cannot be followed; it is tried again");
                told = Some(text);
            }
            *lock(&tail.stuck) =
                matches!(error, LogError::Decode { .. } | LogError::Corrupt(_)).then_some(error);
            tail.head.send_modify(|_| {});
            tokio::time::sleep(PAUSE_AFTER_ERROR).await;
        }
    }
    tail.close_watchers();
}

async fn catch_up(store: &dyn Store, tail: &Tail) -> Result<(), LogError> {
    loop {
        let raw = store.read_all(tail.end(), PAGE).await?;
        if raw.is_empty() {
            return Ok(());
        }
        let mut events = Vec::with_capacity(raw.len());
        let mut failure = Ok(());
        for raw in raw {
            match raw.decode() {
                Ok(event) => events.push(Arc::new(event)),
                Err(error) => {
                    failure = Err(error);
                    break;
                }
            }
        }
        tail.publish(events);
        failure?;
    }
}
