//! `captured_once`: a payment takes money once, in time or late.

use std::collections::HashSet;

use crate::{
    Envelope, Event, PaymentId,
    audit::{
        Over,
        check::{Check, Findings},
    },
    payment::PaymentEvent,
};

#[derive(Default)]
pub(in crate::audit) struct CapturedOnce {
    captured: HashSet<PaymentId>,
}

impl Check for CapturedOnce {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        let payment_id = match &event.event {
            Event::Payment(PaymentEvent::PaymentCaptured(e)) => e.payment_id,
            Event::Payment(PaymentEvent::LateCaptureFound(e)) => e.payment_id,
            _ => return,
        };
        let first = self.captured.insert(payment_id);
        found.ensure(event, first, || "money was taken a second time".to_owned());
    }

    fn forget(&mut self, over: &Over, _: &mut Findings) {
        self.captured.remove(&over.payment);
    }
}
