//! What else is worth knowing of a reservation's steps.

use domain::{
    Stay,
    reservation::ReservationEvent,
    resort::{NightsRefusal, ResortEvent},
    voucher::VoucherEvent,
};

use super::{StepDetails, details::refused};

pub(super) fn of_reservation(change: &ReservationEvent) -> StepDetails {
    match change {
        ReservationEvent::ReservationRequested(e) => {
            StepDetails { amount: Some(e.total), due_at: Some(e.payment_due_at), ..nights(e.stay) }
        }
        ReservationEvent::ReservationRefused(e) => refused(word(e.reason)),
        _ => StepDetails::default(),
    }
}

pub(super) fn of_nights(change: &ResortEvent) -> StepDetails {
    match change {
        ResortEvent::NightsHeld(e) => StepDetails { amount: Some(e.price), ..nights(e.stay) },
        ResortEvent::NightsRefused(e) => refused(word(e.reason)),
        ResortEvent::NightsReleased(e) => nights(e.stay),
        _ => StepDetails::default(),
    }
}

/// The code stays out: whoever has it has the room.
pub(super) fn of_voucher(change: &VoucherEvent) -> StepDetails {
    let sending = match change {
        VoucherEvent::VoucherSendRequested(e) => Some(e.sending),
        VoucherEvent::VoucherSent(e) => Some(e.sending),
        VoucherEvent::VoucherIssued(_) | VoucherEvent::VoucherDeactivated(_) => None,
    };
    StepDetails { sending, ..StepDetails::default() }
}

fn nights(stay: Stay) -> StepDetails {
    StepDetails { check_in: Some(stay.check_in), check_out: Some(stay.check_out), ..StepDetails::default() }
}

fn word(refusal: NightsRefusal) -> &'static str {
    match refusal {
        NightsRefusal::Taken { .. } => "taken",
        NightsRefusal::Retired => "retired",
        NightsRefusal::NotOpen { .. } => "not_open",
        NightsRefusal::Past => "past",
    }
}
