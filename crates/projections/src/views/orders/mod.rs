//! `orders`: an order with its payment, delivery, refunds and coupons in one row: the customer's page and the shop's
//! board.
//!
//! An order's events find their row by their stream; those of its payment, delivery and refunds by what they belong to
//! (correlation id), since most of them do not name the order. A coupon's events change the row of the order that
//! earned it, whichever order uses it.

mod fold;
mod parts;
mod row;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::Envelope;

pub use row::{
    OrderCancellation, OrderCoupon, OrderCouponUsed, OrderDelivery, OrderInternal, OrderPayment, OrderRefund,
    OrderRefundStatus, OrderRejected, OrderRow, OrderRowLine, OrderStatus, RejectionCode,
};

use crate::{
    Column, Columns, Key, Rows, View,
    fold::{Fold, Folder},
};

/// The view `orders`.
#[derive(Debug)]
pub struct Orders;

impl View for Orders {
    type Row = OrderRow;
    const NAME: &'static str = "orders";
    const VERSION: u32 = 2;
    const COLUMNS: &'static [Column] =
        &[Column::text("customer_id"), Column::text("shop_id"), Column::text("status")];
    const INDEXES: &'static [&'static [&'static str]] =
        &[&["sort"], &["customer_id", "sort"], &["shop_id", "sort"], &["shop_id", "status", "sort"]];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &OrderRow, columns: &mut Columns<'_>) {
        columns.text(row.customer_id.as_str()).text(row.shop_id.as_str()).word(row.status.name());
    }
}

/// The order as it was after `events`: those of the order, its payment, delivery and refunds, and of the coupon that it
/// earned. None if it was not placed. If they are of several orders, the first one placed counts.
#[must_use]
pub fn order_as_of(events: &[Arc<Envelope>]) -> Option<OrderRow> {
    let mut events = events.to_vec();
    events.sort_unstable_by_key(|event| event.position);
    let first = events.iter().find(|event| event.event.kind() == domain::AggregateKind::Order)?.stream.id;
    let mut folder = Folder::<Orders>::new(usize::MAX);
    // Nothing is stored: a row that no event created does not exist.
    folder.missing(&events);
    folder.fold(&events);
    folder.row(first).cloned()
}
