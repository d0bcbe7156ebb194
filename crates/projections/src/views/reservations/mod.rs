//! `reservations`: a reservation with its payment, voucher and resort in one row: the customer's page and the manager's
//! board.
//!
//! A reservation's events find their row by their stream, those of its voucher and payment by the reservation that they
//! name, and those payment events that name nothing by what they belong to (correlation id).

mod fold;
mod row;
#[cfg(test)]
mod tests;

use domain::Envelope;

pub use row::{
    ReservationCancellation, ReservationInternal, ReservationPayment, ReservationRefusal,
    ReservationRefusalCode, ReservationRow, ReservationStatus, ReservationVoucher,
};

use crate::{Column, Columns, Key, Rows, View};

/// The view `reservations`.
#[derive(Debug)]
pub struct Reservations;

impl View for Reservations {
    type Row = ReservationRow;
    const NAME: &'static str = "reservations";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] = &[
        Column::text("customer_id"),
        Column::text("manager_id"),
        Column::text("resort_id"),
        Column::text("status"),
    ];
    const INDEXES: &'static [&'static [&'static str]] = &[
        &["sort"],
        &["customer_id", "sort"],
        &["manager_id", "sort"],
        &["manager_id", "status", "sort"],
        &["resort_id", "sort"],
        &["status", "sort"],
    ];

    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &ReservationRow, columns: &mut Columns<'_>) {
        columns
            .text(row.customer_id.as_str())
            .text(row.manager_id.as_str())
            .id(row.resort_id.uuid())
            .word(row.status.name());
    }
}
