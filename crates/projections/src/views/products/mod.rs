//! `products`: what a shop sells, at which price, and how much of it is left.

mod fold;
mod row;
#[cfg(test)]
mod tests;

use domain::Envelope;

pub use row::{ProductRow, ProductStatus};

use crate::{Column, Columns, Key, Rows, View};

/// The view `products`.
#[derive(Debug)]
pub struct Products;

impl View for Products {
    type Row = ProductRow;
    const NAME: &'static str = "products";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[Column::text("shop_id"), Column::text("status")];
    const INDEXES: &'static [&'static [&'static str]] =
        &[&["shop_id", "status", "sort"], &["status", "sort"]];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &ProductRow, columns: &mut Columns<'_>) {
        columns.text(row.shop_id.as_str()).word(row.status.name());
    }
}
