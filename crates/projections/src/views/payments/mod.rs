//! `payments`: what is asked for, taken and given back for an order or a reservation.

mod fold;
mod row;
#[cfg(test)]
mod tests;

use domain::{Envelope, ShopId};

pub use row::{PaymentRefund, PaymentRow, PaymentStatus, RefundStatus};

use crate::{Column, Columns, Key, Rows, View};

/// The view `payments`.
#[derive(Debug)]
pub struct Payments;

impl View for Payments {
    type Row = PaymentRow;
    const NAME: &'static str = "payments";
    const VERSION: u32 = 2;
    const COLUMNS: &'static [Column] =
        &[Column::text("customer_id"), Column::text("shop_id"), Column::text("status")];
    const INDEXES: &'static [&'static [&'static str]] =
        &[&["customer_id", "sort"], &["shop_id", "sort"], &["status", "sort"]];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &PaymentRow, columns: &mut Columns<'_>) {
        columns.text(row.customer_id.as_str());
        columns.text_or_null(row.shop_id.as_ref().map(ShopId::as_str)).word(row.status.name());
    }
}
