//! `coupon_given_back`: an order that is rejected or cancelled uses no coupon any more.

use std::collections::HashMap;

use crate::{
    CouponId, Envelope, Event, OrderId,
    audit::{
        Over,
        check::{Check, Findings},
    },
    coupon::CouponEvent,
    order::OrderEvent,
};

#[derive(Default)]
pub(in crate::audit) struct GivenBack {
    used_by: HashMap<OrderId, CouponId>,
}

impl Check for GivenBack {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        let order = match &event.event {
            Event::Coupon(CouponEvent::CouponRedeemed(e)) => {
                self.used_by.insert(e.order_id, e.coupon_id);
                return;
            }
            Event::Coupon(CouponEvent::CouponReleased(e)) => {
                self.used_by.remove(&e.order_id);
                return;
            }
            Event::Order(OrderEvent::OrderRejected(e)) => e.order_id,
            Event::Order(OrderEvent::OrderCancelled(e)) => e.order_id,
            _ => return,
        };
        let coupon = self.used_by.get(&order);
        found.ensure(event, coupon.is_none(), || {
            format!("{} and still uses coupon {coupon:?}", event.event.name())
        });
    }

    fn forget(&mut self, over: &Over, _: &mut Findings) {
        self.used_by.remove(&OrderId::from_uuid(over.subject));
    }
}
