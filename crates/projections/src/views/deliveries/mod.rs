//! `deliveries`: what a shop has to hand over, how far it is, and what comes back of it.

mod fold;
mod row;
#[cfg(test)]
mod tests;

use domain::Envelope;

pub use row::{DeliveryInternal, DeliveryLine, DeliveryRow, DeliveryStatus, OpenReturn, ReturnLine};

use crate::{Column, Columns, Key, Rows, View};

/// The view `deliveries`.
#[derive(Debug)]
pub struct Deliveries;

impl View for Deliveries {
    type Row = DeliveryRow;
    const NAME: &'static str = "deliveries";
    const VERSION: u32 = 2;
    const COLUMNS: &'static [Column] =
        &[Column::text("shop_id"), Column::text("customer_id"), Column::text("status")];
    const INDEXES: &'static [&'static [&'static str]] = &[
        &["shop_id", "sort"],
        &["shop_id", "status", "sort"],
        &["status", "sort"],
        &["customer_id", "sort"],
    ];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &DeliveryRow, columns: &mut Columns<'_>) {
        columns.text(row.shop_id.as_str()).text(row.customer_id.as_str()).word(row.status.name());
    }
}
