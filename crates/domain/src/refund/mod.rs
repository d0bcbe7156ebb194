//! A refund: money back for goods that were delivered, all of them or some.
//!
//! ```text
//! (absent) --request--> Requested --accept--> Returning --complete--> Completed
//!                        |     |                 |
//!                        |     \----cancel-------+--cancel--> Cancelled
//!                        \--refuse--> Refused
//! ```
//! Invariants: the delivery alone decides whether goods go back, the refund records its answer; money is given back
//! only for goods that the shop has again; what was given back and what came off for a coupon are together what the
//! goods were charged with. Another try after a refusal or a cancellation is another refund.

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::RefundCommand;
pub use error::RefundError;
pub use event::{
    RefundAccepted, RefundCancelled, RefundCompleted, RefundEvent, RefundRefused, RefundRequested,
    ReturnedLine,
};
pub use state::{Refund, RefundDetails};

aggregate!(Refund, kind: Refund, id: crate::RefundId, command: RefundCommand, event: RefundEvent, error: RefundError, fold_version: 1);

/// The erasable row with the reason of a refund.
#[must_use]
pub fn reason_of(refund: crate::RefundId) -> crate::ContactId {
    crate::ContactId::derived(refund.uuid(), "reason", "")
}
