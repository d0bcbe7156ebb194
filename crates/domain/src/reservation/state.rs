//! What the past of a reservation comes to.

use serde::{Deserialize, Serialize};

use super::{ReservationEvent, ReservationRequested};
use crate::{
    ContactId, CustomerId, Money, PaymentId, ReservationId, ResortId, Stay, Timestamp, VoucherId,
    resort::NightsRefusal,
};

/// What every reservation that exists knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReservationDetails {
    /// Which reservation.
    pub reservation_id: ReservationId,
    /// At which resort.
    pub resort_id: ResortId,
    /// Who looks after the resort.
    pub manager_id: CustomerId,
    /// Who stays.
    pub customer_id: CustomerId,
    /// Which nights.
    pub stay: Stay,
    /// What they cost together.
    pub total: Money,
    /// Where the guest stands.
    pub contact_id: ContactId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// When it must be paid.
    pub payment_due_at: Timestamp,
    /// Its voucher.
    pub voucher_id: VoucherId,
    /// Until when it can be cancelled.
    pub cancellable_until: Timestamp,
    /// When the stay is over.
    pub ends_at: Timestamp,
}

/// A reservation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Reservation {
    /// No such reservation.
    #[default]
    Absent,
    /// Asked for; the resort has not answered.
    Requested(ReservationDetails),
    /// The nights are held.
    AwaitingPayment(ReservationDetails),
    /// Paid.
    Paid(ReservationDetails),
    /// Being undone.
    Cancelling {
        /// The reservation.
        reservation: ReservationDetails,
        /// Whether it was paid.
        was_paid: bool,
    },
    /// Undone.
    Cancelled(ReservationDetails),
    /// Not paid in time.
    Expired(ReservationDetails),
    /// The nights were not to be had.
    Refused {
        /// The reservation.
        reservation: ReservationDetails,
        /// Why.
        reason: NightsRefusal,
    },
    /// The stay is over.
    Completed(ReservationDetails),
}

impl Reservation {
    /// The details, of a reservation that exists.
    #[must_use]
    pub fn details(&self) -> Option<&ReservationDetails> {
        match self {
            Self::Absent => None,
            Self::Requested(reservation)
            | Self::AwaitingPayment(reservation)
            | Self::Paid(reservation)
            | Self::Cancelling { reservation, .. }
            | Self::Cancelled(reservation)
            | Self::Expired(reservation)
            | Self::Refused { reservation, .. }
            | Self::Completed(reservation) => Some(reservation),
        }
    }

    fn into_details(self) -> Option<ReservationDetails> {
        match self {
            Self::Absent => None,
            Self::Requested(reservation)
            | Self::AwaitingPayment(reservation)
            | Self::Paid(reservation)
            | Self::Cancelling { reservation, .. }
            | Self::Cancelled(reservation)
            | Self::Expired(reservation)
            | Self::Refused { reservation, .. }
            | Self::Completed(reservation) => Some(reservation),
        }
    }
}

pub(super) fn evolve(state: &mut Reservation, event: &ReservationEvent) {
    if let ReservationEvent::ReservationRequested(requested) = event {
        *state = Reservation::Requested(details(requested));
        return;
    }
    let Some(reservation) = std::mem::take(state).into_details() else { return };
    *state = match event {
        ReservationEvent::ReservationRequested(_) => Reservation::Requested(reservation),
        ReservationEvent::ReservationConfirmed(_) => Reservation::AwaitingPayment(reservation),
        ReservationEvent::ReservationRefused(event) => {
            Reservation::Refused { reservation, reason: event.reason }
        }
        ReservationEvent::ReservationPaid(_) => Reservation::Paid(reservation),
        ReservationEvent::ReservationCancellationRequested(event) => {
            Reservation::Cancelling { reservation, was_paid: event.was_paid }
        }
        ReservationEvent::ReservationCancelled(_) => Reservation::Cancelled(reservation),
        ReservationEvent::ReservationExpired(_) => Reservation::Expired(reservation),
        ReservationEvent::ReservationCompleted(_) => Reservation::Completed(reservation),
    };
}

fn details(requested: &ReservationRequested) -> ReservationDetails {
    ReservationDetails {
        reservation_id: requested.reservation_id,
        resort_id: requested.resort_id,
        manager_id: requested.manager_id.clone(),
        customer_id: requested.customer_id.clone(),
        stay: requested.stay,
        total: requested.total,
        contact_id: requested.contact_id,
        payment_id: requested.payment_id,
        payment_due_at: requested.payment_due_at,
        voucher_id: requested.voucher_id,
        cancellable_until: requested.cancellable_until,
        ends_at: requested.ends_at,
    }
}

pub(super) fn status(reservation: &Reservation) -> &'static str {
    match reservation {
        Reservation::Absent => "absent",
        Reservation::Requested(_) => "requested",
        Reservation::AwaitingPayment(_) => "awaiting_payment",
        Reservation::Paid(_) => "paid",
        Reservation::Cancelling { .. } => "cancelling",
        Reservation::Cancelled(_) => "cancelled",
        Reservation::Expired(_) => "expired",
        Reservation::Refused { .. } => "refused",
        Reservation::Completed(_) => "completed",
    }
}
