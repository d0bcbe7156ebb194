//! `refunds`: what customers gave back, why, and what they got for it.

mod fold;
mod row;
#[cfg(test)]
mod tests;

use domain::Envelope;

pub use row::{RefundInternal, RefundRow};

use crate::{Column, Columns, Key, Rows, View};

/// The view `refunds`.
#[derive(Debug)]
pub struct Refunds;

impl View for Refunds {
    type Row = RefundRow;
    const NAME: &'static str = "refunds";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::text("customer_id"),
        Column::text("shop_id"),
        Column::text("order_id"),
        Column::text("status"),
    ];
    const INDEXES: &'static [&'static [&'static str]] = &[
        &["sort"],
        &["customer_id", "sort"],
        &["shop_id", "sort"],
        &["shop_id", "status", "sort"],
        &["order_id", "sort"],
        &["status", "sort"],
    ];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &RefundRow, columns: &mut Columns<'_>) {
        columns
            .text(row.customer_id.as_str())
            .text(row.shop_id.as_str())
            .id(row.order_id.uuid())
            .word(row.status.name());
    }
}
