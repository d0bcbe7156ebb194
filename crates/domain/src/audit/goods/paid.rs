//! `delivered_only_if_paid`: an order is confirmed only when all of it is captured, a delivery is requested only for a
//! confirmed order, and nothing leaves the shop once the money is on its way back.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Envelope, Event,
    audit::{
        Over,
        check::{Check, Findings},
    },
    delivery::DeliveryEvent,
    order::OrderEvent,
    payment::PaymentEvent,
};

#[derive(Default)]
struct Paid {
    total: i64,
    captured: i64,
    confirmed: bool,
    giving_back: bool,
}

#[derive(Default)]
pub(in crate::audit) struct DeliveredIfPaid {
    orders: HashMap<Uuid, Paid>,
}

impl Check for DeliveredIfPaid {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        let subject = event.metadata.correlation_id;
        if let Event::Order(OrderEvent::OrderPlaced(e)) = &event.event {
            self.orders.insert(subject, Paid { total: e.total.amount_minor, ..Paid::default() });
            return;
        }
        let nobodys = &mut Paid { total: 1, ..Paid::default() };
        let order = self.orders.get_mut(&subject).unwrap_or(nobodys);
        match &event.event {
            Event::Payment(PaymentEvent::PaymentCaptured(e)) => order.captured += e.amount.amount_minor,
            Event::Payment(PaymentEvent::RefundStarted(_)) => order.giving_back = true,
            Event::Order(OrderEvent::OrderConfirmed(_)) => {
                found.ensure(event, order.captured == order.total, || {
                    format!("confirmed with {} of {} captured", order.captured, order.total)
                });
                order.confirmed = true;
            }
            Event::Delivery(DeliveryEvent::DeliveryRequested(_)) => {
                found.ensure(event, order.confirmed, || {
                    "requested for an order that is not confirmed".to_owned()
                });
            }
            Event::Delivery(DeliveryEvent::DeliveryShipped(_)) => {
                let holds = order.confirmed && !order.giving_back;
                found.ensure(event, holds, || {
                    "shipped, but the money is not there or on its way back".to_owned()
                });
            }
            _ => {}
        }
    }

    fn forget(&mut self, over: &Over, _: &mut Findings) {
        self.orders.remove(&over.subject);
    }
}
