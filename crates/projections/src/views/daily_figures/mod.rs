//! `daily_figures`: what a shop or a resort did on a day (UTC).
//!
//! Most events name neither shop nor resort. Beside the figures an order or a reservation has one row that lists do not
//! show, its *owner* under its id: it remembers whose day its events count for.

mod fold;
mod row;
#[cfg(test)]
mod tests;

use domain::Envelope;

pub use row::{CouponFigures, FiguresRow, OrderFigures, ReservationFigures};

use crate::{Column, Columns, Key, Known, RowKey, Rows, View};

/// The view `daily_figures`. Its keys are `shop/<slug>/<day>` and `resort/<id>/<day>`.
#[derive(Debug)]
pub struct DailyFigures;

impl View for DailyFigures {
    type Row = FiguresRow;
    const NAME: &'static str = "daily_figures";
    const VERSION: u32 = 1;
    const COLUMNS: &'static [Column] =
        &[Column::text("shop_id"), Column::text("resort_id"), Column::text("day")];
    const INDEXES: &'static [&'static [&'static str]] =
        &[&["sort"], &["shop_id", "sort"], &["resort_id", "sort"], &["day", "sort"]];

    fn introduces(event: &Envelope) -> Option<(RowKey, FiguresRow)> {
        fold::introduces(event)
    }
    fn keys(event: &Envelope, keys: &mut Vec<Key>) {
        fold::keys(event, keys);
    }
    fn related(event: &Envelope, known: &Known<'_, Self>, keys: &mut Vec<Key>) {
        fold::related(event, known, keys);
    }
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>) {
        fold::apply(event, rows);
    }
    fn columns(row: &FiguresRow, columns: &mut Columns<'_>) {
        match row.day {
            Some(day) => {
                columns
                    .text_or_null(row.shop_id.as_ref().map(|shop| shop.as_str()))
                    .id_or_null(row.resort_id.map(|resort| resort.uuid()))
                    .text(&day.to_string());
            }
            None => {
                columns.null().null().null();
            }
        }
    }
}
