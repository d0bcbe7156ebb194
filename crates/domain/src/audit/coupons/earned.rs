//! `coupon_only_for_completed`: a coupon is issued only for an order that is completed and promised exactly it, once.

use std::collections::HashMap;

use crate::{
    CouponId, Envelope, Event, OrderId, Position,
    audit::check::{Check, Findings},
    coupon::{CouponEvent, CouponValue},
    order::OrderEvent,
};

#[derive(Default)]
pub(in crate::audit) struct Earned {
    promised: HashMap<CouponId, (OrderId, CouponValue, Position)>,
    /// Taken back before their order was completed.
    withheld: Vec<CouponId>,
}

impl Check for Earned {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        match &event.event {
            Event::Order(OrderEvent::OrderCompleted(e)) => {
                let Some(coupon) = e.coupon else { return };
                match self.withheld.iter().position(|withheld| *withheld == coupon.coupon_id) {
                    Some(place) => drop(self.withheld.swap_remove(place)),
                    None => drop(
                        self.promised.insert(coupon.coupon_id, (e.order_id, coupon.value, event.position)),
                    ),
                }
            }
            Event::Coupon(CouponEvent::CouponWithheld(e)) => {
                let completed = self.promised.remove(&e.coupon_id).is_some();
                if !completed {
                    self.withheld.push(e.coupon_id);
                }
            }
            Event::Coupon(CouponEvent::CouponIssued(e)) => {
                let promised = self.promised.remove(&e.coupon_id);
                let holds = promised.is_some_and(|(order, value, _)| (order, value) == (e.order_id, e.value));
                found.ensure(event, holds, || format!("order {} has not earned it", e.order_id));
            }
            _ => {}
        }
    }

    fn finish(&mut self, found: &mut Findings) {
        for (coupon, (_, _, since)) in &self.promised {
            found.leave_open(coupon, *since, "earned, and neither issued nor withheld");
        }
    }
}
