//! Contacts that were written a moment ago, in memory: an order's payment and its answer need the row that the order has
//! just written. Only where no other process can erase them.

use std::{
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::ContactId;
use lru::LruCache;
use serde_json::Value;

/// Rows that are kept: some seconds of a rush.
const ROWS: NonZeroUsize = NonZeroUsize::new(8_192).expect("not zero");

/// The latest contacts. Cheap to clone.
#[derive(Clone)]
pub(super) struct FreshContacts(Arc<Mutex<Inner>>);

struct Inner {
    rows: LruCache<ContactId, Value>,
    /// Raised by every erasure: a row that was written before one must not be remembered after it.
    erasures: u64,
}

impl FreshContacts {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Inner { rows: LruCache::new(ROWS), erasures: 0 })))
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many erasures there were: to be asked before a row is written.
    pub(super) fn erasures(&self) -> u64 {
        self.inner().erasures
    }

    /// Remembers a row that was written, unless something was erased since `erasures` was asked.
    pub(super) fn remember(&self, id: ContactId, data: Value, erasures: u64) {
        let mut inner = self.inner();
        if inner.erasures == erasures {
            inner.rows.put(id, data);
        }
    }

    pub(super) fn get(&self, id: ContactId) -> Option<Value> {
        self.inner().rows.get(&id).cloned()
    }

    /// Forgets everything. Called before and after rows are erased.
    pub(super) fn forget(&self) {
        let mut inner = self.inner();
        inner.rows.clear();
        inner.erasures += 1;
    }
}
