//! A registered view without its type.

use crate::{
    Column, View,
    fold::{Fold, Folder},
};

/// What the runner and the store know of a view.
pub(crate) struct Spec {
    pub(crate) name: &'static str,
    pub(crate) version: u32,
    pub(crate) columns: &'static [Column],
    pub(crate) indexes: &'static [&'static [&'static str]],
    /// A fold that keeps about so many rows in memory.
    pub(crate) folder: fn(usize) -> Box<dyn Fold>,
}

impl Spec {
    pub(crate) const fn of<V: View>() -> Self {
        Self {
            name: V::NAME,
            version: V::VERSION,
            columns: V::COLUMNS,
            indexes: V::INDEXES,
            folder: folder::<V>,
        }
    }
}

fn folder<V: View>(capacity: usize) -> Box<dyn Fold> {
    Box::new(Folder::<V>::new(capacity))
}
