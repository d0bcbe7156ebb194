//! `one_delivery_per_order`: an order is delivered by its own delivery and by no other, and not after it was called off.

use std::collections::HashSet;

use crate::{
    Envelope, Event, OrderId,
    audit::{
        Over,
        check::{Check, Findings},
    },
    delivery::DeliveryEvent,
    order::delivery_of,
};

#[derive(Default)]
pub(in crate::audit) struct OneDelivery {
    /// Orders whose delivery was requested, or called off before it was.
    known: HashSet<OrderId>,
}

impl Check for OneDelivery {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        match &event.event {
            Event::Delivery(DeliveryEvent::DeliveryRequested(e)) => {
                let own = event.stream.id == delivery_of(e.order_id).uuid();
                let first = self.known.insert(e.order_id);
                found.ensure(event, first && own, || format!("order {} has another delivery", e.order_id));
            }
            Event::Delivery(DeliveryEvent::DeliveryCancelled(e)) => {
                self.known.insert(e.order_id);
            }
            _ => {}
        }
    }

    fn forget(&mut self, over: &Over, _: &mut Findings) {
        self.known.remove(&OrderId::from_uuid(over.subject));
    }
}
