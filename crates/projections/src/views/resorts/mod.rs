//! `resorts`: everything that is registered, and which of its nights are held.

mod fold;
mod row;
#[cfg(test)]
mod tests;

use domain::Envelope;

pub use row::{HeldNights, NightStatus, ResortInternal, ResortRow, ResortStatus};

use crate::{Column, Columns, Key, Rows, View};

/// The view `resorts`.
#[derive(Debug)]
pub struct Resorts;

impl View for Resorts {
    type Row = ResortRow;
    const NAME: &'static str = "resorts";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[Column::text("manager_id"), Column::text("status")];
    const INDEXES: &'static [&'static [&'static str]] =
        &[&["sort"], &["manager_id", "sort"], &["status", "sort"]];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &ResortRow, columns: &mut Columns<'_>) {
        columns.text(row.manager_id.as_str()).word(row.status.name());
    }
}
