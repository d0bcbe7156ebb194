//! When an order or a reservation is over, so that the audit may forget it.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

use crate::{
    DeliveryId, Envelope, Event, OrderId, PaymentId, ReservationId,
    delivery::DeliveryEvent,
    order::{self, OrderEvent},
    payment::PaymentEvent,
    refund::RefundEvent,
    reservation::{self, ReservationEvent},
};

/// How many delivered orders are kept in mind after the last that could happen to them. Whoever asked in time to give goods
/// back may be written down only after their window was closed, by a node that was slow or whose clock was behind.
const KEPT: usize = 10_000;

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
    /// Nothing keeps it any more: its number among those of which this can be said.
    over: Option<u64>,
}

/// Finds out when something is over: keeps delivered orders whose goods may still go back.
#[derive(Default)]
pub(super) struct Lives {
    orders: HashMap<OrderId, Returns>,
    /// Those of them that nothing keeps any more, by number.
    lately: VecDeque<(u64, OrderId)>,
    numbered: u64,
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
                let returns = self.orders.entry(e.order_id).or_default();
                returns.refunds.push(event.stream.id);
                returns.over = None;
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
        if !over || returns.over.is_some() {
            return None;
        }
        self.numbered += 1;
        returns.over = Some(self.numbered);
        self.lately.push_back((self.numbered, id));
        if self.lately.len() > KEPT { self.next_kept() } else { None }
    }

    /// The order that was over first, of those that are kept in mind, unless it was opened again.
    fn next_kept(&mut self) -> Option<Over> {
        let (number, id) = self.lately.pop_front()?;
        let same = self.orders.get(&id).is_some_and(|returns| returns.over == Some(number));
        if same { self.order_ended(id) } else { None }
    }

    /// The log is at its end: whatever is over and kept in mind.
    pub(super) fn all_kept(&mut self) -> Vec<Over> {
        let mut over = Vec::new();
        while !self.lately.is_empty() {
            over.extend(self.next_kept().filter(|over| !self.late.contains_key(&over.subject)));
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Actor, Metadata, StreamId, Subject,
        delivery::{ReturnRefusal, ReturnWindowClosed},
        order::{OrderCancelled, OrderCompleted, OrderRejected, OrderRejection},
        payment::{LateCaptureFound, PaymentRefunded},
        refund::{RefundCancelled, RefundCompleted, RefundRefused},
        reservation::{ReservationCancelled, ReservationCompleted, ReservationExpired, ReservationRefused},
        resort::NightsRefusal,
        testing::{at, customer_id, krw, order_id, refund_id, reservation_id, shop_id},
    };

    fn about(stream: Uuid, event: Event) -> Envelope {
        let metadata = Metadata {
            event_id: Uuid::nil(),
            command_id: Uuid::nil(),
            correlation_id: stream,
            causation_id: None,
            actor: Actor::System,
            recorded_at: at(0),
            traceparent: None,
        };
        Envelope { position: 1, stream: StreamId::new(event.kind(), stream), version: 1, metadata, event }
    }

    /// A completed order whose window is closed and of which this refund was asked for.
    fn asked_for(order: OrderId, refund: Uuid) -> Lives {
        let mut lives = Lives::default();
        lives.change(order, |returns| (returns.window_open, returns.completed) = (true, true));
        lives.orders.get_mut(&order).unwrap().refunds.push(refund);
        let closed = DeliveryEvent::ReturnWindowClosed(ReturnWindowClosed { order_id: order });
        assert_eq!(lives.ended_by(&about(order.uuid(), closed.into())), None);
        assert!(lives.all_kept().is_empty(), "the refund keeps it");
        lives
    }

    #[test]
    fn each_end_of_its_last_refund_ends_an_order_and_the_end_of_another_does_not() {
        let (order_id, refund) = (order_id(1), refund_id(1).uuid());
        let ends: [RefundEvent; 3] = [
            RefundRefused { order_id, reason: ReturnRefusal::NotDelivered }.into(),
            RefundCompleted { order_id, amount: krw(1), deducted: krw(0) }.into(),
            RefundCancelled { order_id }.into(),
        ];
        for end in ends {
            let mut lives = asked_for(order_id, refund);
            assert_eq!(lives.ended_by(&about(refund_id(2).uuid(), end.clone().into())), None);
            assert!(lives.all_kept().is_empty(), "another refund ended: {end:?}");
            lives.ended_by(&about(refund, end.clone().into()));
            assert_eq!(lives.all_kept(), [Over::order(order_id)], "{end:?}");
            assert!(lives.orders.is_empty(), "it is not forgotten: {end:?}");
        }
    }

    #[test]
    fn an_order_is_over_when_it_is_completed_and_its_window_is_closed() {
        let id = order_id(1);
        let mut lives = Lives::default();
        lives.change(id, |returns| returns.window_open = true);
        let completed = OrderEvent::OrderCompleted(OrderCompleted {
            order_id: id,
            customer_id: customer_id(),
            shop_id: shop_id(),
            coupon: None,
        });
        lives.ended_by(&about(id.uuid(), completed.into()));
        assert!(lives.all_kept().is_empty());
        let closed = DeliveryEvent::ReturnWindowClosed(ReturnWindowClosed { order_id: id });
        lives.ended_by(&about(id.uuid(), closed.into()));
        assert_eq!(lives.all_kept(), [Over::order(id)]);
    }

    #[test]
    fn an_order_that_never_was_delivered_and_a_reservation_are_over_with_their_last_event() {
        let (order_id, reservation_id) = (order_id(1), reservation_id(1));
        let rejected = OrderRejected { order_id, reason: OrderRejection::PaymentExpired };
        let of_order: [OrderEvent; 2] = [rejected.into(), OrderCancelled { order_id }.into()];
        for end in of_order {
            let over = Lives::default().ended_by(&about(order_id.uuid(), end.into()));
            assert_eq!(over, Some(Over::order(order_id)));
        }
        let of_reservation: [ReservationEvent; 4] = [
            ReservationRefused { reservation_id, reason: NightsRefusal::Retired }.into(),
            ReservationCancelled { reservation_id }.into(),
            ReservationExpired { reservation_id }.into(),
            ReservationCompleted { reservation_id }.into(),
        ];
        for end in of_reservation {
            let over = Lives::default().ended_by(&about(reservation_id.uuid(), end.into()));
            assert_eq!(over, Some(Over::reservation(reservation_id)));
        }
    }

    #[test]
    fn what_is_over_is_kept_until_money_that_turned_up_late_has_gone_back() {
        let (order_id, subject) = (order_id(1), Subject::Order(order_id(1)));
        let (payment_id, provider_ref) = (order::payment_of(order_id), "late".to_owned());
        let found = LateCaptureFound {
            payment_id,
            subject,
            amount: krw(900),
            attempt: 1,
            provider_ref: provider_ref.clone(),
        };
        let refunded = PaymentRefunded { subject, refund_id: refund_id(1), amount: krw(900), provider_ref };
        let back = about(payment_id.uuid(), PaymentEvent::from(refunded).into());
        let mut lives = Lives::default();
        assert_eq!(lives.ended_by(&back), None, "no money was late");
        assert_eq!(lives.ended_by(&about(payment_id.uuid(), PaymentEvent::from(found).into())), None);
        let cancelled = OrderEvent::from(OrderCancelled { order_id });
        assert_eq!(lives.ended_by(&about(order_id.uuid(), cancelled.into())), None);
        assert_eq!(lives.ended_by(&back), Some(Over::order(order_id)));
    }

    #[test]
    fn so_many_delivered_orders_are_kept_in_mind_and_the_first_goes_first() {
        let mut lives = Lives::default();
        let mut complete = |number: usize| {
            let order_id = order_id(number as u64);
            let shop_id = shop_id();
            let completed = OrderCompleted { order_id, customer_id: customer_id(), shop_id, coupon: None };
            lives.ended_by(&about(order_id.uuid(), OrderEvent::from(completed).into()))
        };
        assert!((0..KEPT).all(|number| complete(number).is_none()));
        assert_eq!(complete(KEPT), Some(Over::order(order_id(0))));
        assert_eq!(complete(KEPT + 1), Some(Over::order(order_id(1))));
        assert_eq!((lives.lately.len(), lives.orders.len()), (KEPT, KEPT));
    }

    #[test]
    fn a_refund_of_an_order_that_was_never_delivered_leaves_nothing_in_mind() {
        let (order_id, refund) = (order_id(1), refund_id(1).uuid());
        let mut lives = Lives::default();
        let refused =
            RefundEvent::RefundRefused(RefundRefused { order_id, reason: ReturnRefusal::NotDelivered });
        assert_eq!(lives.ended_by(&about(refund, refused.into())), None);
        assert!(lives.orders.is_empty() && lives.all_kept().is_empty());
    }
}
