//! `no_charge_without_order_or_reservation`: money is asked for, and the provider is asked to take it, only for an order
//! or a reservation that is known and not over, by its one payment and for exactly what it costs.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Envelope, Event, Money, PaymentId,
    audit::{
        Over,
        check::{Check, Findings},
    },
    order::OrderEvent,
    payment::PaymentEvent,
    reservation::ReservationEvent,
};

#[derive(Default)]
pub(in crate::audit) struct ChargedFor {
    costs: HashMap<Uuid, (PaymentId, Money)>,
}

impl ChargedFor {
    fn is_owed(&self, event: &Envelope, amount: Money) -> bool {
        let owed = self.costs.get(&event.metadata.correlation_id);
        owed.is_some_and(|(payment, cost)| payment.uuid() == event.stream.id && *cost == amount)
    }
}

impl Check for ChargedFor {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        let amount = match &event.event {
            Event::Order(OrderEvent::OrderPlaced(e)) => {
                self.costs.insert(event.stream.id, (e.payment_id, e.total));
                return;
            }
            Event::Reservation(ReservationEvent::ReservationRequested(e)) => {
                self.costs.insert(event.stream.id, (e.payment_id, e.total));
                return;
            }
            Event::Payment(PaymentEvent::PaymentRequested(e)) => e.amount,
            Event::Payment(PaymentEvent::CaptureStarted(e)) => e.amount,
            Event::Payment(PaymentEvent::PaymentCaptured(e)) => e.amount,
            // Money that turns up late goes back whatever it was for.
            _ => return,
        };
        found.ensure(event, self.is_owed(event, amount), || {
            format!("{} of {amount}, which no order and no reservation owes", event.event.name())
        });
    }

    fn forget(&mut self, over: &Over, _: &mut Findings) {
        self.costs.remove(&over.subject);
    }
}
