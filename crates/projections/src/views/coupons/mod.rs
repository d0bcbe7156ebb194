//! `coupons`: what orders earned, and what became of it.

mod fold;
mod row;
#[cfg(test)]
mod tests;

use domain::Envelope;

pub use row::{CouponInternal, CouponKind, CouponRow, CouponUse, CouponWorth};

use crate::{Column, Columns, Key, Rows, View};

/// The view `coupons`.
#[derive(Debug)]
pub struct Coupons;

impl View for Coupons {
    type Row = CouponRow;
    const NAME: &'static str = "coupons";
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
        &["customer_id", "status", "sort"],
        &["shop_id", "sort"],
        &["order_id", "sort"],
    ];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &CouponRow, columns: &mut Columns<'_>) {
        columns
            .text(row.customer_id.as_str())
            .text(row.shop_id.as_str())
            .id(row.order_id.uuid())
            .word(row.status.name());
    }
}
