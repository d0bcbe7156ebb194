//! What booking remembers of a reservation.

use domain::{
    AnyCommand, CustomerId, Money, PaymentId, ReservationId, ResortId, Stay, Timestamp,
    payment::{PaymentCommand, PaymentTiming},
    reservation::{ReservationCommand, ReservationRequested},
    resort::ResortCommand,
};
use serde::{Deserialize, Serialize};

/// The process; see the [module](super).
#[derive(Clone, Copy, Debug)]
pub struct Booking;

/// What is being booked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Booked {
    /// Which reservation.
    pub reservation_id: ReservationId,
    /// At which resort.
    pub resort_id: ResortId,
    /// Who wants to stay.
    pub customer_id: CustomerId,
    /// Which nights.
    pub stay: Stay,
    /// The payment that decides it.
    pub payment_id: PaymentId,
    /// When it must be paid.
    pub payment_due_at: Timestamp,
    /// When the stay is over.
    pub ends_at: Timestamp,
}

impl Booked {
    pub(super) fn of(requested: &ReservationRequested) -> Self {
        Self {
            reservation_id: requested.reservation_id,
            resort_id: requested.resort_id,
            customer_id: requested.customer_id.clone(),
            stay: requested.stay,
            payment_id: requested.payment_id,
            payment_due_at: requested.payment_due_at,
            ends_at: requested.ends_at,
        }
    }

    pub(super) fn reservation(&self, command: ReservationCommand) -> AnyCommand {
        AnyCommand::Reservation { id: self.reservation_id, command }
    }

    pub(super) fn finish_cancellation(&self) -> AnyCommand {
        self.reservation(ReservationCommand::FinishCancellation)
    }

    /// The resort judges by the time at which the command is carried out.
    pub(super) fn hold_nights(&self, price: Money, at: Timestamp) -> AnyCommand {
        let command =
            ResortCommand::HoldNights { reservation_id: self.reservation_id, stay: self.stay, price, at };
        AnyCommand::Resort { id: self.resort_id, command }
    }

    pub(super) fn release_nights(&self) -> AnyCommand {
        let command = ResortCommand::ReleaseNights { reservation_id: self.reservation_id };
        AnyCommand::Resort { id: self.resort_id, command }
    }

    pub(super) fn payment(&self, command: PaymentCommand) -> AnyCommand {
        AnyCommand::Payment { id: self.payment_id, command }
    }

    /// It gets its method when the customer pays.
    pub(super) fn request_payment(&self, amount: Money) -> AnyCommand {
        self.payment(PaymentCommand::RequestPayment {
            payment_id: self.payment_id,
            subject: self.reservation_id.into(),
            customer_id: self.customer_id.clone(),
            shop_id: None,
            amount,
            timing: PaymentTiming::Deferred,
            method: None,
            due_at: self.payment_due_at,
        })
    }
}

/// How far booking is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", content = "memory", rename_all = "snake_case")]
pub enum BookingState {
    /// Not begun.
    #[default]
    Idle,
    /// The resort is asked for the nights.
    Holding {
        /// What is being booked.
        booked: Booked,
        /// Whether somebody has called it back meanwhile.
        cancelled: bool,
    },
    /// The nights are held, the customer is to pay.
    AwaitingPayment(Booked),
    /// The money is there.
    Recording(Booked),
    /// It is a deal: the customer is coming, or there.
    Staying(Booked),
    /// The nights are not to be had.
    Refusing(Booked),
    /// It was not paid in time.
    Expiring(Booked),
    /// Somebody called it back.
    Undoing(Booked),
    /// Over.
    Done,
}
