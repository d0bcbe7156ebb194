//! Folded aggregates in memory, bounded per kind.

use std::{
    any::Any,
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock},
};

use domain::{Aggregate, AggregateKind, Envelope, Version};
use lru::LruCache;
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use uuid::Uuid;

use super::turns::Turns;
use crate::{queue::Chain, tailer::Observer};

/// One cached aggregate.
pub(super) struct Slot<A> {
    pub(super) chain: Arc<Chain>,
    pub(super) permits: Arc<Semaphore>,
    /// Locked from the decision until its commit has a place in the queue, so that both are in the same order.
    pub(super) cell: AsyncMutex<Cell<A>>,
    most_permits: usize,
    /// There once a race against another process was lost.
    pub(super) turns: OnceLock<Turns>,
}

/// The newest state this process has decided, flushed or not.
pub(super) struct Cell<A> {
    /// Number of the load it goes back to; good as long as the chain is not broken up to it.
    pub(super) generation: u64,
    /// Not loaded, but taken to be new: good for deciding, since the append asserts it, but not for looking at until a
    /// commit has confirmed it.
    pub(super) assumed: bool,
    pub(super) version: Version,
    pub(super) state: A,
}

impl<A: Aggregate> Slot<A> {
    fn new(most_permits: usize) -> Self {
        let cell = Cell { generation: 0, assumed: false, version: 0, state: A::default() };
        Self {
            chain: Arc::default(),
            permits: Arc::new(Semaphore::new(most_permits)),
            cell: AsyncMutex::new(cell),
            most_permits,
            turns: OnceLock::new(),
        }
    }

    pub(super) fn is_fresh(&self, cell: &Cell<A>) -> bool {
        !self.chain.is_broken(cell.generation)
    }

    /// Whether the stream was taken to be new and no commit has confirmed or disproved it yet.
    pub(super) fn is_only_assumed(&self, cell: &Cell<A>) -> bool {
        cell.assumed && self.is_fresh(cell) && !self.chain.is_confirmed(cell.generation)
    }

    /// Whether no command of the stream is queued or being written.
    pub(super) fn is_idle(&self) -> bool {
        self.permits.available_permits() == self.most_permits
    }

    /// The number of the load that begins now.
    pub(super) fn next_generation(&self, cell: &Cell<A>) -> u64 {
        cell.generation.max(self.chain.broken_up_to()) + 1
    }

    /// Takes in an event that another process has written. Whatever cannot be taken in now shows as a conflict later.
    fn observe(&self, event: &Envelope) {
        let Ok(mut cell) = self.cell.try_lock() else { return };
        if !self.is_fresh(&cell) || event.version <= cell.version {
            return;
        }
        match <A as Aggregate>::Event::try_from(event.event.clone()) {
            Ok(next) if self.is_idle() && event.version == cell.version + 1 => {
                cell.state.evolve(&next);
                cell.version = event.version;
            }
            _ => self.chain.break_up_to(cell.generation),
        }
    }
}

/// The cached aggregates of one kind.
pub(super) struct KindCache<A> {
    slots: Mutex<LruCache<Uuid, Arc<Slot<A>>>>,
    permits: usize,
}

impl<A: Aggregate> KindCache<A> {
    pub(super) fn slot(&self, id: Uuid) -> Arc<Slot<A>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get_or_insert(id, || Arc::new(Slot::new(self.permits))).clone()
    }
}

trait AnyCache: Send + Sync {
    fn observe(&self, event: &Envelope);
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<A: Aggregate> AnyCache for KindCache<A> {
    fn observe(&self, event: &Envelope) {
        let slot = self.slots.lock().unwrap_or_else(PoisonError::into_inner).peek(&event.stream.id).cloned();
        if let Some(slot) = slot {
            slot.observe(event);
        }
    }
    fn as_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// The caches of all kinds.
pub(super) struct Caches {
    kinds: RwLock<HashMap<AggregateKind, Arc<dyn AnyCache>>>,
    capacity: NonZeroUsize,
    permits: usize,
}

impl Caches {
    pub(super) fn new(capacity: usize, permits: usize) -> Self {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        Self { kinds: RwLock::default(), capacity, permits: permits.max(1) }
    }

    pub(super) fn of<A: Aggregate>(&self) -> Arc<KindCache<A>> {
        let known = self.kinds.read().unwrap_or_else(PoisonError::into_inner).get(&A::KIND).cloned();
        let cache = known.unwrap_or_else(|| {
            let mut kinds = self.kinds.write().unwrap_or_else(PoisonError::into_inner);
            let new = || -> Arc<dyn AnyCache> {
                let slots = Mutex::new(LruCache::new(self.capacity));
                Arc::new(KindCache::<A> { slots, permits: self.permits })
            };
            kinds.entry(A::KIND).or_insert_with(new).clone()
        });
        cache.as_any().downcast().expect("one type of aggregate for each kind")
    }
}

impl Observer for Caches {
    fn observe(&self, event: &Envelope) {
        let cache =
            self.kinds.read().unwrap_or_else(PoisonError::into_inner).get(&event.stream.kind).cloned();
        if let Some(cache) = cache {
            cache.observe(event);
        }
    }
}
