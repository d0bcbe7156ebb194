//! Views: rows for reading, folded from the event log, thrown away and folded again at will.
//!
//! A view is a pure fold ([`View`]): it says which rows an event touches, from the event alone or from rows that never
//! change once they are there ([`View::introduces`], [`View::related`]), and how they change.
//! Everything else is one mechanism for all views: fetching and caching rows, writing each touched row once per window
//! of events together with the checkpoint ([`Views::start`]), blue/green rebuild ([`Views::rebuild`]) and proof that
//! the rows are what the log says ([`Views::verify`]).
//!
//! To add a view: one folder under `views/` and one line in its registry.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod batch;
mod error;
mod fold;
mod query;
mod report;
mod rows;
mod service;
mod spec;
mod store;
#[cfg(test)]
mod testing;
mod view;
pub mod views;

pub use batch::Columns;
pub use error::ViewError;
pub use query::{Cursor, CursorError, ListQuery, Page, Value};
pub use report::{
    Difference, Phase, Progress, RebuildReport, RebuildStatus, VerifyReport, ViewState, ViewStatus,
};
pub use rows::{Known, Rows};
pub use service::{CustomerEntry, ViewOptions, Views};
pub use store::{VIEWS, ViewPlace};
pub use view::{Column, ColumnKind, Key, RowKey, View};
pub use views::{
    CouponRow, Coupons, DailyFigures, Deliveries, DeliveryRow, FiguresRow, NotificationRow, Notifications,
    OrderRow, Orders, PaymentRow, Payments, ProductRow, Products, RefundRow, Refunds, ReservationRow,
    Reservations, ResortRow, Resorts, ShopRow, Shops, Timeline, TimelineStep, VoucherRow, Vouchers,
    order_as_of, view_names,
};
