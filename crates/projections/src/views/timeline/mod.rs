//! `timeline`: every step of an order or a reservation, by that and by customer: all steps of one customer come in the
//! order in which they happened.
//!
//! A step is a row that never changes (`<order_id>/<position>`, or the reservation's id). Beside the steps an order or
//! reservation has one row that lists do not show, its *header* under its id: it remembers which of the two it is, the
//! customer and the shop, which most events do not name.

mod details;
mod fold;
mod row;
mod stay;
#[cfg(test)]
mod tests;

use domain::{Envelope, OrderId, ReservationId, ShopId};

pub use row::{StepDetails, TimelineStep};

use crate::{Column, Columns, Key, Rows, View};

/// The view `timeline`.
#[derive(Debug)]
pub struct Timeline;

impl View for Timeline {
    type Row = TimelineStep;
    const NAME: &'static str = "timeline";
    const VERSION: u32 = 2;
    const COLUMNS: &'static [Column] = &[
        Column::text("order_id"),
        Column::text("reservation_id"),
        Column::text("customer_id"),
        Column::text("shop_id"),
    ];
    /// No index by shop alone: a shop asks for the steps of an order. It would cost every event an index entry.
    const INDEXES: &'static [&'static [&'static str]] =
        &[&["order_id", "sort"], &["reservation_id", "sort"], &["customer_id", "sort"]];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &TimelineStep, columns: &mut Columns<'_>) {
        if row.is_header() {
            columns.null().null().null().null();
        } else {
            columns.id_or_null(row.order_id.map(OrderId::uuid));
            columns.id_or_null(row.reservation_id.map(ReservationId::uuid)).text(row.customer_id.as_str());
            columns.text_or_null(row.shop_id.as_ref().map(ShopId::as_str));
        }
    }
}
