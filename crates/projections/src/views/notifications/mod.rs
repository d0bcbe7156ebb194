//! `notifications`: what customers were told, and whether it reached them.

mod fold;
mod row;
#[cfg(test)]
mod tests;

use domain::{Envelope, OrderId, ReservationId, ShopId};

pub use row::{NotificationRow, NotificationStatus};

use crate::{Column, Columns, Key, Rows, View};

/// The view `notifications`.
#[derive(Debug)]
pub struct Notifications;

impl View for Notifications {
    type Row = NotificationRow;
    const NAME: &'static str = "notifications";
    const VERSION: u32 = 3;
    const COLUMNS: &'static [Column] = &[
        Column::text("customer_id"),
        Column::text("shop_id"),
        Column::text("order_id"),
        Column::text("reservation_id"),
    ];
    const INDEXES: &'static [&'static [&'static str]] = &[
        &["sort"],
        &["customer_id", "sort"],
        &["shop_id", "sort"],
        &["order_id", "sort"],
        &["reservation_id", "sort"],
    ];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &NotificationRow, columns: &mut Columns<'_>) {
        columns.text(row.customer_id.as_str()).text_or_null(row.shop_id.as_ref().map(ShopId::as_str));
        columns.id_or_null(row.order_id.map(OrderId::uuid));
        columns.id_or_null(row.reservation_id.map(ReservationId::uuid));
    }
}
