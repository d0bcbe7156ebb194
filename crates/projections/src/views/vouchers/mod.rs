//! `vouchers`: what guests show at a resort, and whether they have it.

mod fold;
mod row;
#[cfg(test)]
mod tests;

use domain::Envelope;

pub use row::{VoucherRow, VoucherStatus};

use crate::{Column, Columns, Key, Rows, View};

/// The view `vouchers`.
#[derive(Debug)]
pub struct Vouchers;

impl View for Vouchers {
    type Row = VoucherRow;
    const NAME: &'static str = "vouchers";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::text("customer_id"),
        Column::text("manager_id"),
        Column::text("reservation_id"),
        Column::text("status"),
    ];
    const INDEXES: &'static [&'static [&'static str]] =
        &[&["sort"], &["customer_id", "sort"], &["manager_id", "sort"], &["reservation_id", "sort"]];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &VoucherRow, columns: &mut Columns<'_>) {
        columns
            .text(row.customer_id.as_str())
            .text(row.manager_id.as_str())
            .id(row.reservation_id.uuid())
            .word(row.status.name());
    }
}
