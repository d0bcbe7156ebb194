//! The rows that a window of events is folded over.

use domain::Position;
use lru::LruCache;

use crate::{RowKey, View, batch::Batch};

/// A row in memory.
#[derive(Debug)]
pub(crate) struct Entry<R> {
    /// None: known not to exist.
    pub(crate) row: Option<R>,
    /// Position of the event that created it; none for a row that lists do not show.
    pub(crate) sort: Option<Position>,
    /// Changed in the window that is being folded.
    pub(crate) dirty: bool,
    /// The last window that changed it.
    pub(crate) window: u64,
}

impl<R> Entry<R> {
    pub(crate) fn absent() -> Self {
        Self { row: None, sort: None, dirty: false, window: 0 }
    }
}

/// The rows that are there before a window of events is folded.
#[derive(Debug)]
pub struct Known<'a, V: View>(pub(crate) &'a LruCache<RowKey, Entry<V::Row>>);

impl<V: View> Known<'_, V> {
    /// The row.
    pub fn peek(&self, key: impl Into<RowKey>) -> Option<&V::Row> {
        self.0.peek(&key.into())?.row.as_ref()
    }
}

/// What an event may read and change.
pub struct Rows<'a, V: View> {
    pub(crate) cache: &'a mut LruCache<RowKey, Entry<V::Row>>,
    pub(crate) touched: &'a mut Vec<RowKey>,
    pub(crate) batch: &'a mut Batch,
    pub(crate) position: Position,
}

impl<V: View> Rows<'_, V> {
    /// The row, to be read. It is not written for that.
    pub fn peek(&self, key: impl Into<RowKey>) -> Option<&V::Row> {
        self.cache.peek(&key.into())?.row.as_ref()
    }

    /// The row, to be changed.
    pub fn get(&mut self, key: impl Into<RowKey>) -> Option<&mut V::Row> {
        let key = key.into();
        let entry = self.cache.get_mut(&key)?;
        let row = entry.row.as_mut()?;
        if !entry.dirty {
            entry.dirty = true;
            self.touched.push(key);
        }
        Some(row)
    }

    /// Creates the row, or replaces it. It is listed at this event's place.
    pub fn insert(&mut self, key: impl Into<RowKey>, row: V::Row) {
        let position = self.position;
        self.put(key.into(), Some(row), Some(position));
    }

    /// Creates a row that lists do not show: for what later events need to know.
    pub fn insert_unlisted(&mut self, key: impl Into<RowKey>, row: V::Row) {
        self.put(key.into(), Some(row), None);
    }

    /// Removes the row.
    pub fn remove(&mut self, key: impl Into<RowKey>) {
        self.put(key.into(), None, None);
    }

    /// Creates a row that no later event changes; `keys` need not name it.
    pub fn append(&mut self, key: impl Into<RowKey>, row: &V::Row) {
        self.batch.upsert(&key.into(), Some(self.position), row, V::columns);
    }

    fn put(&mut self, key: RowKey, row: Option<V::Row>, sort: Option<Position>) {
        debug_assert!(self.cache.contains(&key), "{} changes {key}, which its keys did not name", V::NAME);
        let entry = self.cache.get_or_insert_mut(key.clone(), Entry::absent);
        entry.sort = entry.row.as_ref().and(entry.sort).or(sort);
        entry.row = row;
        if !entry.dirty {
            entry.dirty = true;
            self.touched.push(key);
        }
    }
}
