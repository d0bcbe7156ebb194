//! A product: its price, and the stock that orders reserve, release and commit.
//!
//! ```text
//! (absent) --list--> Listed --withdraw--> Withdrawn
//!                    reserve: StockReserved or StockReservationRefused (an event: checkout must react to it)
//!                    release, commit: in both states, so that an order placed before the withdrawal can end
//! ```
//! Invariants: available + reserved + committed = all that was ever stocked; available is never below zero; an order
//! holds at most one reservation of a product. A product without stock is never out of stock and keeps no reservations.

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::ProductCommand;
pub use error::ProductError;
pub use event::{
    ProductEvent, ProductListed, ProductRestocked, ProductRevised, ProductWithdrawn, RefusalReason,
    StockCommitted, StockReleased, StockReservationRefused, StockReserved,
};
pub use state::{Product, ProductDetails, Stock};

/// The most pieces of a product that can be stocked. *Source*: ours; far beyond any shop, far below an overflow.
pub const MAX_STOCK: u64 = 1_000_000_000;

aggregate!(Product, kind: Product, id: crate::ProductId, command: ProductCommand, event: ProductEvent, error: ProductError, fold_version: 1);
