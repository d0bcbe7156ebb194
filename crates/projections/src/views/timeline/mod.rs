//! `timeline`: every step of an order, by order and by customer.
//!
//! A step is a row that never changes (`<order_id>/<position>`). Beside the steps an order has one row that lists do
//! not show, its *header* under the order's id: it remembers customer and shop, which most events do not name.

mod fold;
mod row;
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
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] =
        &[Column::text("order_id"), Column::text("customer_id"), Column::text("shop_id")];
    /// No index by shop alone: a shop asks for the steps of an order. It would cost every event an index entry.
    const INDEXES: &'static [&'static [&'static str]] = &[&["order_id", "sort"], &["customer_id", "sort"]];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &TimelineStep, columns: &mut Columns<'_>) {
        if row.is_header() {
            columns.null().null().null();
        } else {
            columns.id(row.order_id.uuid()).text(row.customer_id.as_str()).text(row.shop_id.as_str());
        }
    }
}
