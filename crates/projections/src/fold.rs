//! Folding windows of events into rows, the same way for every view.

use std::sync::Arc;

use domain::{Envelope, Position};
use lru::LruCache;

use crate::{Key, Known, RowKey, Rows, View, ViewError, batch::Batch, rows::Entry};

/// A row as the store gives it.
#[derive(Debug)]
pub(crate) struct StoredRow {
    pub(crate) key: RowKey,
    pub(crate) sort: Option<Position>,
    pub(crate) doc: String,
}

/// A view's fold without its type: what the runner drives.
///
/// A window goes through `missing`, then `load` with what the store has of that; through `related` and `load` once more;
/// then `fold`. Rows stay in memory for the windows to come; those that are not written yet are never dropped, so the
/// store need not be asked for them.
pub(crate) trait Fold: Send + Sync {
    /// The rows that the window touches and that are not in memory.
    fn missing(&mut self, events: &[Arc<Envelope>]) -> Vec<RowKey>;
    /// The rows that the window touches too, as what is loaded tells, and that are not in memory.
    fn related(&mut self, events: &[Arc<Envelope>]) -> Vec<RowKey>;
    /// Takes what the store has; what it does not have does not exist.
    fn load(&mut self, rows: Vec<StoredRow>) -> Result<(), ViewError>;
    /// Folds the window that `missing` saw last.
    fn fold(&mut self, events: &[Arc<Envelope>]) -> Batch;
    /// The number of the last folded window.
    fn window(&self) -> u64;
    /// Everything up to this window is written: rows of older windows may be dropped.
    fn settle(&mut self, window: u64);
    /// Keep about so many rows in memory.
    fn set_capacity(&mut self, rows: usize);
}

/// The fold of one view.
pub(crate) struct Folder<V: View> {
    cache: LruCache<RowKey, Entry<V::Row>>,
    capacity: usize,
    window: u64,
    /// Rows that the window has changed, in order.
    touched: Vec<RowKey>,
    /// Places of the events that mean something to the view, in the window that `missing` saw.
    touching: Vec<usize>,
    keys: Vec<Key>,
}

impl<V: View> Folder<V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            cache: LruCache::unbounded(),
            capacity,
            window: 0,
            touched: Vec::new(),
            touching: Vec::new(),
            keys: Vec::new(),
        }
    }

    /// Moves the keys that are collected to `missing`, except those of rows in memory.
    fn look_up(&mut self, missing: &mut Vec<RowKey>) {
        for key in self.keys.drain(..) {
            if self.cache.get(&key.row).is_none() {
                if !key.fresh {
                    missing.push(key.row.clone());
                }
                self.cache.put(key.row, Entry::absent());
            }
        }
    }

    /// Puts a row there that events to come need.
    fn introduce(&mut self, key: RowKey, row: V::Row) {
        let entry = self.cache.get_or_insert_mut(key.clone(), Entry::absent);
        if entry.row.is_none() {
            entry.row = Some(row);
            entry.dirty = true;
            self.touched.push(key);
        }
    }

    /// The row, after a fold.
    pub(crate) fn row(&self, key: impl Into<RowKey>) -> Option<&V::Row> {
        self.cache.peek(&key.into())?.row.as_ref()
    }
}

impl<V: View> Fold for Folder<V> {
    fn missing(&mut self, events: &[Arc<Envelope>]) -> Vec<RowKey> {
        let mut missing = Vec::new();
        self.touching.clear();
        for (place, event) in events.iter().enumerate() {
            if let Some((key, row)) = V::introduces(event) {
                self.introduce(key, row);
            }
            V::keys(event, &mut self.keys);
            if !self.keys.is_empty() {
                self.touching.push(place);
            }
            self.look_up(&mut missing);
        }
        missing
    }

    fn related(&mut self, events: &[Arc<Envelope>]) -> Vec<RowKey> {
        let mut missing = Vec::new();
        for at in 0..self.touching.len() {
            V::related(&events[self.touching[at]], &Known(&self.cache), &mut self.keys);
            self.look_up(&mut missing);
        }
        missing
    }

    fn load(&mut self, rows: Vec<StoredRow>) -> Result<(), ViewError> {
        for StoredRow { key, sort, doc } in rows {
            let row = serde_json::from_str(&doc).map_err(|error| ViewError::Row {
                view: V::NAME,
                key: key.to_string(),
                reason: error.to_string(),
            })?;
            self.cache.put(key, Entry { row: Some(row), sort, dirty: false, window: 0 });
        }
        Ok(())
    }

    fn fold(&mut self, events: &[Arc<Envelope>]) -> Batch {
        self.window += 1;
        let mut batch = Batch::new(V::COLUMNS.len());
        for place in &self.touching {
            let event = &events[*place];
            let (cache, touched) = (&mut self.cache, &mut self.touched);
            V::apply(event, &mut Rows { cache, touched, batch: &mut batch, position: event.position });
        }
        for key in self.touched.drain(..) {
            let Some(entry) = self.cache.peek_mut(&key) else { continue };
            entry.dirty = false;
            entry.window = self.window;
            match &entry.row {
                Some(row) => batch.upsert(&key, entry.sort, row, V::columns),
                None => batch.delete(key),
            }
        }
        batch
    }

    fn window(&self) -> u64 {
        self.window
    }

    fn settle(&mut self, window: u64) {
        while self.cache.len() > self.capacity {
            match self.cache.peek_lru() {
                Some((_, oldest)) if oldest.window <= window => self.cache.pop_lru(),
                _ => break,
            };
        }
    }

    fn set_capacity(&mut self, rows: usize) {
        self.capacity = rows;
        self.settle(self.window);
    }
}
