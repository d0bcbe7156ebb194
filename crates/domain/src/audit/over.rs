//! When an order or a reservation is over, so that the audit may forget it.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    DeliveryId, Envelope, Event, OrderId, PaymentId, ReservationId,
    delivery::DeliveryEvent,
    order::{self, OrderEvent},
    payment::PaymentEvent,
    refund::RefundEvent,
    reservation::{self, ReservationEvent},
};

/// An order or a reservation that nothing can happen to any more, except that money turns up late or goods are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Over {
    /// The order or the reservation.
    pub(super) subject: Uuid,
    /// Its payment.
    pub(super) payment: PaymentId,
    /// Its delivery, if it is an order.
    pub(super) delivery: Option<DeliveryId>,
}

impl Over {
    fn order(id: OrderId) -> Self {
        Self { subject: id.uuid(), payment: order::payment_of(id), delivery: Some(order::delivery_of(id)) }
    }

    fn reservation(id: ReservationId) -> Self {
        Self { subject: id.uuid(), payment: reservation::payment_of(id), delivery: None }
    }
}

/// What keeps a delivered order from being over.
#[derive(Default)]
struct Returns {
    window_open: bool,
    completed: bool,
    /// Refunds asked for since, that have not ended.
    refunds: Vec<Uuid>,
}

/// Finds out when something is over: keeps delivered orders whose goods may still go back.
#[derive(Default)]
pub(super) struct Lives {
    orders: HashMap<OrderId, Returns>,
    /// Subjects whose money turned up late and is on its way back; and what is over once it is there.
    late: HashMap<Uuid, Option<Over>>,
}

impl Lives {
    /// What is over with this event.
    pub(super) fn ended_by(&mut self, event: &Envelope) -> Option<Over> {
        match &event.event {
            Event::Payment(PaymentEvent::LateCaptureFound(e)) => {
                self.late.insert(e.subject.uuid(), None);
                return None;
            }
            Event::Payment(PaymentEvent::PaymentRefunded(e)) => {
                return self.late.remove(&e.subject.uuid())?;
            }
            _ => {}
        }
        let over = self.closed_by(event)?;
        match self.late.get_mut(&over.subject) {
            Some(waiting) => {
                *waiting = Some(over);
                None
            }
            None => Some(over),
        }
    }

    fn closed_by(&mut self, event: &Envelope) -> Option<Over> {
        match &event.event {
            Event::Order(OrderEvent::OrderRejected(e)) => self.order_ended(e.order_id),
            Event::Order(OrderEvent::OrderCancelled(e)) => self.order_ended(e.order_id),
            Event::Order(OrderEvent::OrderCompleted(e)) => {
                self.change(e.order_id, |returns| returns.completed = true)
            }
            Event::Delivery(DeliveryEvent::DeliveryCompleted(e)) => {
                let window_open = e.returnable_until.is_some();
                self.change(e.order_id, |returns| returns.window_open = window_open)
            }
            Event::Delivery(DeliveryEvent::ReturnWindowClosed(e)) => {
                self.change(e.order_id, |returns| returns.window_open = false)
            }
            Event::Refund(RefundEvent::RefundRequested(e)) => {
                // It may be asked for before the goods have arrived, and be answered after.
                self.orders.entry(e.order_id).or_default().refunds.push(event.stream.id);
                None
            }
            Event::Refund(RefundEvent::RefundRefused(e)) => self.refund_ended(e.order_id, event.stream.id),
            Event::Refund(RefundEvent::RefundCompleted(e)) => self.refund_ended(e.order_id, event.stream.id),
            Event::Refund(RefundEvent::RefundCancelled(e)) => self.refund_ended(e.order_id, event.stream.id),
            Event::Reservation(
                ReservationEvent::ReservationRefused(_)
                | ReservationEvent::ReservationCancelled(_)
                | ReservationEvent::ReservationExpired(_)
                | ReservationEvent::ReservationCompleted(_),
            ) => Some(Over::reservation(ReservationId::from_uuid(event.stream.id))),
            _ => None,
        }
    }

    fn order_ended(&mut self, id: OrderId) -> Option<Over> {
        self.orders.remove(&id);
        Some(Over::order(id))
    }

    fn refund_ended(&mut self, id: OrderId, refund: Uuid) -> Option<Over> {
        let over = self.change(id, |returns| returns.refunds.retain(|open| *open != refund));
        let nothing =
            |returns: &Returns| !returns.completed && !returns.window_open && returns.refunds.is_empty();
        // Refused, of an order that is not delivered or long over: there is nothing to be known of it.
        if self.orders.get(&id).is_some_and(nothing) {
            self.orders.remove(&id);
        }
        over
    }

    fn change(&mut self, id: OrderId, change: impl FnOnce(&mut Returns)) -> Option<Over> {
        let returns = self.orders.entry(id).or_default();
        change(returns);
        let over = returns.completed && !returns.window_open && returns.refunds.is_empty();
        if over { self.order_ended(id) } else { None }
    }
}
