//! `timeline`: every step of an order or a reservation, by that and by customer: all steps of one customer come in the
//! order in which they happened.
//!
//! A step is a row that never changes (`<order_id>/<position>`, or the reservation's id), and so a part of its order. Beside the steps an order or
//! reservation has one row that lists do not show, its *header* under its id: it remembers which of the two it is, the
//! customer and the shop, which most events do not name.

mod details;
mod fold;
mod row;
mod stay;
#[cfg(test)]
mod tests;

use domain::Envelope;

pub use row::{StepDetails, TimelineStep};

use crate::{Column, Columns, Key, Rows, View};

/// The view `timeline`.
#[derive(Debug)]
pub struct Timeline;

impl View for Timeline {
    type Row = TimelineStep;
    const NAME: &'static str = "timeline";
    const VERSION: u32 = 3;
    /// The steps of an order or a reservation are its parts. Every column and every index is paid for by every event:
    /// a third of what a rebuild of all views writes are these rows.
    const COLUMNS: &'static [Column] = &[Column::text("customer_id")];
    const INDEXES: &'static [&'static [&'static str]] = &[&["customer_id", "sort"]];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &TimelineStep, columns: &mut Columns<'_>) {
        if row.is_header() {
            columns.null();
        } else {
            columns.text(row.customer_id.as_str());
        }
    }
}
