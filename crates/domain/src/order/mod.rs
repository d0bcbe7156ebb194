//! An order: what a customer wants from one shop, and whether it is a deal.
//!
//! ```text
//! (absent) --place--> AwaitingPayment --confirm--> Confirmed --complete--> Completed
//!                      |        \                    |   ^
//!                      reject    cancel              |   | refuse_cancellation
//!                      v          v                  v   |
//!                   Rejected   Cancelling <---------- cancel
//!                                 |  \--complete--> Completed (with OrderCancellationRefused in the same commit)
//!                                 finish_cancellation
//!                                 v
//!                              Cancelled
//! ```
//! Invariants: the total is the sum of the lines, all in one currency; what was charged per line sums up to the total;
//! a cancellation that was requested before the order was confirmed is undone by checkout, a later one by cancellation
//! (`was_confirmed` says whose it is).

mod command;
mod decide;
mod error;
mod event;
mod lines;
mod state;
#[cfg(test)]
mod tests;

pub use command::OrderCommand;
pub use error::OrderError;
pub use event::{
    AppliedCoupon, CancellationCause, ChargedLine, OrderCancellationRefused, OrderCancellationRequested,
    OrderCancelled, OrderCompleted, OrderConfirmed, OrderEvent, OrderLine, OrderPlaced, OrderRejected,
    OrderRejection,
};
pub use lines::{MAX_LINES, MAX_OPTION_CHARS, spread, total_of};
pub use state::{Order, OrderDetails};

use crate::{ContactId, DeliveryId, OrderId, PaymentId};

aggregate!(Order, kind: Order, id: OrderId, command: OrderCommand, event: OrderEvent, error: OrderError, fold_version: 2);

/// The payment of an order: known to everyone who knows the order.
#[must_use]
pub fn payment_of(order: OrderId) -> PaymentId {
    PaymentId::derived(order.uuid(), "payment", "")
}

/// The delivery of an order.
#[must_use]
pub fn delivery_of(order: OrderId) -> DeliveryId {
    DeliveryId::derived(order.uuid(), "delivery", "")
}

/// The erasable row with the recipient and the payment token of an order.
#[must_use]
pub fn contact_of(order: OrderId) -> ContactId {
    ContactId::derived(order.uuid(), "contact", "")
}
