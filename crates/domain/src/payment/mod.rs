//! A payment: money asked for, taken, and given back, for one order or one reservation.
//!
//! ```text
//! (absent) --request--> Requested --start_capture--> Capturing --captured--> Captured (refunds live inside)
//!                        |  |  ^                      |  |
//!                        |  |  \--declined (deferred)-/  \--declined--> Declined
//!                        |  \--expire--> Expired         \--declined, void asked for--> Voided
//!                        \--void--> Voided
//! ```
//! Invariants: the intent (`CaptureStarted`, `RefundStarted`) is on the log before the provider is called; in Capturing,
//! void and expiry wait for the outcome; money that is captured after nobody wants it any more is given back in the
//! same commit; refunds started or done never exceed what was captured; nothing new is charged after `due_at`.

mod command;
mod decide;
mod error;
mod event;
mod refund;
mod state;
#[cfg(test)]
mod tests;

pub use command::{CaptureOutcome, PaymentCommand, RefundOutcome};
pub use error::PaymentError;
pub use event::{
    CaptureDeclined, CaptureStarted, LateCaptureFound, PaymentCaptured, PaymentDeclined, PaymentEvent,
    PaymentExpired, PaymentRefunded, PaymentRequested, PaymentTiming, PaymentVoidRequested, PaymentVoided,
    RefundFailed, RefundStarted,
};
pub use state::{Payment, PaymentDetails, PaymentStage, RefundProgress, RefundState};

use crate::{PaymentId, RefundId};

aggregate!(Payment, kind: Payment, id: PaymentId, command: PaymentCommand, event: PaymentEvent, error: PaymentError, fold_version: 2);

/// The refund that gives everything back when an order or a reservation is undone.
#[must_use]
pub fn full_refund_of(payment: PaymentId) -> RefundId {
    RefundId::derived(payment.uuid(), "refund", "full")
}
