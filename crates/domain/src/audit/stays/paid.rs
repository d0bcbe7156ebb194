//! `reservation_paid_only_if_captured`: a reservation counts as paid only when all of it is captured.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Envelope, Event,
    audit::{
        Over,
        check::{Check, Findings},
    },
    payment::PaymentEvent,
    reservation::ReservationEvent,
};

#[derive(Default)]
pub(in crate::audit) struct PaidIfCaptured {
    /// What is still to be captured.
    missing: HashMap<Uuid, i64>,
}

impl Check for PaidIfCaptured {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        match &event.event {
            Event::Reservation(ReservationEvent::ReservationRequested(e)) => {
                self.missing.insert(event.stream.id, e.total.amount_minor);
            }
            Event::Payment(PaymentEvent::PaymentCaptured(e)) => {
                if let Some(missing) = self.missing.get_mut(&e.subject.uuid()) {
                    *missing -= e.amount.amount_minor;
                }
            }
            Event::Reservation(ReservationEvent::ReservationPaid(_)) => {
                let missing = self.missing.remove(&event.stream.id);
                found.ensure(event, missing == Some(0), || format!("paid, but {missing:?} is not captured"));
            }
            _ => {}
        }
    }

    fn forget(&mut self, over: &Over, _: &mut Findings) {
        self.missing.remove(&over.subject);
    }
}
