//! `coupon_discount_matches_order`: an order costs its lines less its coupon's discount, the coupon grants exactly that
//! discount, and an order is confirmed only once its coupon is redeemed.

use std::collections::{HashMap, HashSet};

use crate::{
    CouponId, Envelope, Event, Money, OrderId,
    audit::{
        Over,
        check::{Check, Findings},
    },
    coupon::{CouponEvent, CouponValue},
    order::{OrderEvent, OrderPlaced},
};

struct Discounted {
    coupon: CouponId,
    discount: Money,
    subtotal: i64,
    redeemed: bool,
}

#[derive(Default)]
pub(in crate::audit) struct Discount {
    values: HashMap<CouponId, CouponValue>,
    orders: HashMap<OrderId, Discounted>,
    /// Coupons that refunds were reduced for: what they are good for may be less than their value.
    paid_for: HashSet<CouponId>,
}

fn grants(value: CouponValue, subtotal: Money, discount: Money, paid_for: bool) -> bool {
    let worth = value.discount_on(subtotal);
    worth == discount || (paid_for && discount.amount_minor <= worth.amount_minor)
}

impl Check for Discount {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        match &event.event {
            Event::Order(OrderEvent::OrderPlaced(e)) => self.placed(event, e, found),
            Event::Order(OrderEvent::OrderConfirmed(e)) => {
                let holds = self.orders.get(&e.order_id).is_none_or(|order| order.redeemed);
                found.ensure(event, holds, || "confirmed, but its coupon is not redeemed".to_owned());
                let charged: i64 = e.lines.iter().map(|line| line.charged.amount_minor).sum();
                let cost = self.orders.get(&e.order_id).map(|o| o.subtotal - o.discount.amount_minor);
                found.ensure(event, cost.is_none_or(|cost| cost == charged), || {
                    format!("{charged} charged over all lines, where it costs {cost:?}")
                });
            }
            Event::Coupon(CouponEvent::CouponIssued(e)) => {
                self.values.insert(e.coupon_id, e.value);
            }
            Event::Coupon(CouponEvent::CouponWithheld(e)) => {
                self.values.insert(e.coupon_id, e.value);
            }
            Event::Coupon(CouponEvent::CouponClawedBack(e)) if !e.amount.is_zero() => {
                self.paid_for.insert(e.coupon_id);
            }
            Event::Coupon(CouponEvent::CouponRedeemed(e)) => {
                let value = self.values.get(&e.coupon_id);
                let order = self.orders.get_mut(&e.order_id);
                let holds = match (&order, value) {
                    (Some(order), Some(value)) => {
                        let subtotal =
                            Money { amount_minor: order.subtotal, currency: order.discount.currency };
                        order.coupon == e.coupon_id
                            && order.discount == e.discount
                            && grants(*value, subtotal, e.discount, self.paid_for.contains(&e.coupon_id))
                    }
                    _ => false,
                };
                found.ensure(event, holds, || {
                    format!("{} taken off order {}, which was not placed so", e.discount, e.order_id)
                });
                if let Some(order) = order {
                    order.redeemed = true;
                }
            }
            _ => {}
        }
    }

    fn forget(&mut self, over: &Over, _: &mut Findings) {
        self.orders.remove(&OrderId::from_uuid(over.subject));
    }
}

impl Discount {
    fn placed(&mut self, event: &Envelope, placed: &OrderPlaced, found: &mut Findings) {
        let costs = placed
            .lines
            .iter()
            .map(|line| i128::from(line.unit_price.amount_minor) * i128::from(line.quantity.get()));
        let subtotal = i64::try_from(costs.sum::<i128>()).unwrap_or(i64::MAX);
        let discount = placed.coupon.map_or(0, |coupon| coupon.discount.amount_minor);
        let total = placed.total.amount_minor;
        found.ensure(event, subtotal - discount == total, || {
            format!("lines of {subtotal} less a discount of {discount} cost {total}")
        });
        if let Some(coupon) = placed.coupon {
            let discounted =
                Discounted { coupon: coupon.coupon_id, discount: coupon.discount, subtotal, redeemed: false };
            self.orders.insert(placed.order_id, discounted);
        }
    }
}
