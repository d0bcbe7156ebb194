//! A reservation: the nights that a customer wants at a resort, and what has become of them.
//!
//! ```text
//! (absent) --request--> Requested --confirm--> AwaitingPayment --record_paid--> Paid --complete--> Completed
//!                         |    |                 |       |                       |
//!                      refuse  |               expire    |                       |
//!                         v    |                 v       |                       |
//!                      Refused |              Expired    |                       |
//!                              \------------ cancel -----+-----------------------/
//!                                              v
//!                                         Cancelling --finish_cancellation--> Cancelled
//! ```
//! Invariants: the total is the price of one night times the nights; what is not paid can be cancelled at any time, what
//! is paid only before `cancellable_until`; it is completed only once the stay is over (`ends_at`). A cancellation that
//! was requested is never taken back, so that a payment or held nights that come late are undone and not used.

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::ReservationCommand;
pub use error::ReservationError;
pub use event::{
    ReservationCancellationRequested, ReservationCancelled, ReservationCompleted, ReservationConfirmed,
    ReservationEvent, ReservationExpired, ReservationPaid, ReservationRefused, ReservationRequested,
};
pub use state::{Reservation, ReservationDetails};

use crate::{ContactId, PaymentId, ReservationId, VoucherId};

aggregate!(Reservation, kind: Reservation, id: ReservationId, command: ReservationCommand, event: ReservationEvent, error: ReservationError, fold_version: 1);

/// The payment of a reservation: known to everyone who knows the reservation.
#[must_use]
pub fn payment_of(reservation: ReservationId) -> PaymentId {
    PaymentId::derived(reservation.uuid(), "payment", "")
}

/// The voucher of a reservation.
#[must_use]
pub fn voucher_of(reservation: ReservationId) -> VoucherId {
    VoucherId::derived(reservation.uuid(), "voucher", "")
}

/// The erasable row with the guest of a reservation.
#[must_use]
pub fn contact_of(reservation: ReservationId) -> ContactId {
    ContactId::derived(reservation.uuid(), "contact", "")
}
