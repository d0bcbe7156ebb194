//! `shops`: who sells, and how.

mod fold;
mod row;
#[cfg(test)]
mod tests;

use domain::Envelope;

pub use row::{ShopRow, ShopStatus};

use crate::{Column, Columns, Key, Rows, View};

/// The view `shops`. Its keys are slugs.
#[derive(Debug)]
pub struct Shops;

impl View for Shops {
    type Row = ShopRow;
    const NAME: &'static str = "shops";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[Column::text("status")];
    const INDEXES: &'static [&'static [&'static str]] = &[&["sort"], &["status", "sort"]];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &ShopRow, columns: &mut Columns<'_>) {
        columns.word(row.status.name());
    }
}
