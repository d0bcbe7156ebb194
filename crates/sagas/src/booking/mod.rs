//! Booking: makes a stay of a reservation, or leaves nothing behind. Instance: the reservation.
//!
//! | stage | input | next | does | undone by |
//! |---|---|---|---|---|
//! | Idle | ReservationRequested | Holding | hold nights | release nights |
//! | Holding | NightsHeld | AwaitingPayment | confirm reservation, request payment | void payment (gives captured money back) |
//! | Holding | NightsRefused | Refusing | refuse reservation | |
//! | Holding | ReservationCancellationRequested | Holding, cancelled | waits for the resort's answer | |
//! | Holding, cancelled | NightsHeld | Done | release nights, finish cancellation | |
//! | Holding, cancelled | NightsRefused | Done | finish cancellation | |
//! | AwaitingPayment | PaymentCaptured | Recording | record paid | |
//! | AwaitingPayment | PaymentDeclined, PaymentExpired | Expiring | release nights, expire reservation | |
//! | Recording | ReservationPaid | Staying | wakes when the stay is over | |
//! | Staying | timer `stay_over` | Staying | complete reservation | |
//! | Staying | ReservationCompleted | Done | | |
//! | AwaitingPayment, Recording, Staying | ReservationCancellationRequested | Undoing | void payment, release nights | |
//! | Undoing | PaymentVoided, PaymentDeclined, PaymentExpired, PaymentRefunded in full | Done | finish cancellation | |
//! | Refusing | ReservationRefused | Done | | |
//! | Expiring | ReservationExpired | Done | | |
//! | Refusing, Expiring | ReservationCancellationRequested | Done | finish cancellation | |
//!
//! Confirming, recording, refusing, expiring and completing are superseded by a cancellation that was faster. The voucher
//! is not booking's: see [`vouchers`](crate::vouchers).

mod state;
#[cfg(test)]
mod tests;

pub use state::{Booked, Booking, BookingState};

use domain::{
    Envelope, Event, ReservationId, Timestamp,
    payment::{PaymentCommand, PaymentEvent, full_refund_of},
    reservation::{ReservationCommand, ReservationEvent},
    resort::ResortEvent,
};
use uuid::Uuid;

use crate::{
    payments::subject_of_outcome,
    process::{Awaiting, Input, Process, Reaction, go, ignore},
};

const STAY_OVER: &str = "stay_over";
/// A cancellation was faster; it is further down the log and will find us.
const OVERTAKEN: &[&str] = &["illegal_transition"];

impl Process for Booking {
    type State = BookingState;
    const NAME: &'static str = "booking";
    const VERSION: u32 = 1;

    fn instance(event: &Envelope) -> Option<Uuid> {
        match &event.event {
            Event::Reservation(_) => Some(event.stream.id),
            Event::Resort(ResortEvent::NightsHeld(e)) => Some(e.reservation_id.uuid()),
            Event::Resort(ResortEvent::NightsRefused(e)) => Some(e.reservation_id.uuid()),
            other => subject_of_outcome(other)?.reservation_id().map(ReservationId::uuid),
        }
    }

    fn begins(event: &Envelope) -> bool {
        matches!(event.event, Event::Reservation(ReservationEvent::ReservationRequested(_)))
    }

    fn react(state: &BookingState, input: Input<'_>) -> Reaction<BookingState> {
        use BookingState::{
            AwaitingPayment, Done, Expiring, Holding, Idle, Recording, Refusing, Staying, Undoing,
        };
        let event = match input {
            Input::Event(event) => event,
            Input::Timer { name, due_at } => return woken(state, name, due_at),
        };
        match (state, &event.event) {
            (Idle, Event::Reservation(ReservationEvent::ReservationRequested(e))) => {
                let booked = Booked::of(e);
                let hold = booked.hold_nights(e.total, event.metadata.recorded_at);
                go(Holding { booked, cancelled: false }).send("hold_nights", hold)
            }

            (Holding { booked, cancelled: false }, Event::Resort(ResortEvent::NightsHeld(e))) => {
                // Both are given in any case: a cancellation that was faster voids the payment.
                go(AwaitingPayment(booked.clone()))
                    .send("confirm_reservation", booked.reservation(ReservationCommand::ConfirmReservation))
                    .unless(OVERTAKEN)
                    .send("request_payment", booked.request_payment(e.price))
            }
            (Holding { booked, cancelled: false }, Event::Resort(ResortEvent::NightsRefused(e))) => {
                let refuse = ReservationCommand::RefuseReservation { reason: e.reason };
                go(Refusing(booked.clone()))
                    .send("refuse_reservation", booked.reservation(refuse))
                    .unless(OVERTAKEN)
            }
            (
                Holding { booked, .. },
                Event::Reservation(ReservationEvent::ReservationCancellationRequested(_)),
            ) => go(Holding { booked: booked.clone(), cancelled: true }),
            (Holding { booked, cancelled: true }, Event::Resort(ResortEvent::NightsHeld(_))) => go(Done)
                .send("release_nights", booked.release_nights())
                .send("finish_cancellation", booked.finish_cancellation()),
            (Holding { booked, cancelled: true }, Event::Resort(ResortEvent::NightsRefused(_))) => {
                go(Done).send("finish_cancellation", booked.finish_cancellation())
            }

            (AwaitingPayment(booked), Event::Payment(PaymentEvent::PaymentCaptured(_))) => {
                go(Recording(booked.clone()))
                    .send("record_paid", booked.reservation(ReservationCommand::RecordPaid))
                    .unless(OVERTAKEN)
            }
            (
                AwaitingPayment(booked),
                Event::Payment(PaymentEvent::PaymentDeclined(_) | PaymentEvent::PaymentExpired(_)),
            ) => go(Expiring(booked.clone()))
                .send("release_nights", booked.release_nights())
                .send("expire_reservation", booked.reservation(ReservationCommand::ExpireReservation))
                .unless(OVERTAKEN),
            (Recording(booked), Event::Reservation(ReservationEvent::ReservationPaid(_))) => {
                go(Staying(booked.clone())).wake(STAY_OVER, booked.ends_at)
            }

            (
                AwaitingPayment(booked) | Recording(booked),
                Event::Reservation(ReservationEvent::ReservationCancellationRequested(_)),
            ) => undo(booked),
            (Staying(booked), Event::Reservation(ReservationEvent::ReservationCancellationRequested(_))) => {
                undo(booked).unwake(STAY_OVER)
            }
            (
                Undoing(booked),
                Event::Payment(
                    PaymentEvent::PaymentVoided(_)
                    | PaymentEvent::PaymentDeclined(_)
                    | PaymentEvent::PaymentExpired(_),
                ),
            ) => undone(booked),
            (Undoing(booked), Event::Payment(PaymentEvent::PaymentRefunded(e)))
                if e.refund_id == full_refund_of(booked.payment_id) =>
            {
                undone(booked)
            }

            (
                Refusing(booked) | Expiring(booked),
                Event::Reservation(ReservationEvent::ReservationCancellationRequested(_)),
            ) => go(Done).send("finish_cancellation", booked.finish_cancellation()),
            (Refusing(_), Event::Reservation(ReservationEvent::ReservationRefused(_)))
            | (Expiring(_), Event::Reservation(ReservationEvent::ReservationExpired(_)))
            | (Staying(_), Event::Reservation(ReservationEvent::ReservationCompleted(_))) => go(Done),

            _ => ignore(),
        }
    }

    fn awaits(state: &BookingState) -> Option<Awaiting> {
        use BookingState::{
            AwaitingPayment, Done, Expiring, Holding, Idle, Recording, Refusing, Staying, Undoing,
        };
        match state {
            Idle | Done => None,
            Holding { .. } => Awaiting::for_event("the resort's nights (NightsHeld or NightsRefused)"),
            AwaitingPayment(booked) => Awaiting::until("the payment's outcome", booked.payment_due_at),
            Recording(_) => Awaiting::for_event("ReservationPaid"),
            Staying(booked) => Awaiting::until("the end of the stay", booked.ends_at),
            Refusing(_) => Awaiting::for_event("ReservationRefused"),
            Expiring(_) => Awaiting::for_event("ReservationExpired"),
            Undoing(_) => Awaiting::for_event("PaymentVoided or PaymentRefunded"),
        }
    }
}

fn woken(state: &BookingState, name: &str, due_at: Timestamp) -> Reaction<BookingState> {
    match (state, name) {
        (BookingState::Staying(booked), STAY_OVER) => {
            let complete = ReservationCommand::CompleteReservation { at: due_at };
            go(state.clone()).send("complete_reservation", booked.reservation(complete)).unless(OVERTAKEN)
        }
        _ => ignore(),
    }
}

/// First the money: from then on it goes back whatever happens. The nights are free at once, even where a provider takes
/// its time to give money back.
fn undo(booked: &Booked) -> Reaction<BookingState> {
    go(BookingState::Undoing(booked.clone()))
        .send("void_payment", booked.payment(PaymentCommand::VoidPayment))
        .send("release_nights", booked.release_nights())
}

/// The money is back, or was never taken.
fn undone(booked: &Booked) -> Reaction<BookingState> {
    go(BookingState::Done).send("finish_cancellation", booked.finish_cancellation())
}
