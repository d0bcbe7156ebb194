//! `clawback_never_exceeds_discount`: all refunds together claw back no more of a coupon than it took off the order that
//! used it (the most, if orders used it one after the other), each once, and nothing of one that is not used.

use std::collections::HashMap;

use crate::{
    CouponId, Envelope, Event, RefundId,
    audit::check::{Check, Findings},
    coupon::CouponEvent,
};

#[derive(Default)]
struct Spent {
    /// An order uses it now.
    used: bool,
    /// The most that it took off an order.
    discount: i64,
    clawed_back: Vec<(RefundId, i64)>,
}

#[derive(Default)]
pub(in crate::audit) struct Clawback {
    spent: HashMap<CouponId, Spent>,
}

impl Check for Clawback {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        let Event::Coupon(coupon_event) = &event.event else { return };
        let id = CouponId::from_uuid(event.stream.id);
        match coupon_event {
            CouponEvent::CouponRedeemed(e) => {
                let spent = self.spent.entry(id).or_default();
                spent.used = true;
                spent.discount = spent.discount.max(e.discount.amount_minor);
            }
            CouponEvent::CouponReleased(_) => {
                self.spent.entry(id).or_default().used = false;
            }
            CouponEvent::CouponClawedBack(e) => {
                let amount = e.amount.amount_minor;
                let spent = self.spent.entry(id).or_default();
                found.ensure(event, spent.used || amount == 0, || {
                    format!("{amount} clawed back of one that is not used")
                });
                let once = spent.clawed_back.iter().all(|(refund, _)| *refund != e.refund_id);
                spent.clawed_back.push((e.refund_id, amount));
                let sum: i64 = spent.clawed_back.iter().map(|(_, amount)| amount).sum();
                found.ensure(event, once && sum <= spent.discount, || {
                    format!("{sum} clawed back of a discount of {}", spent.discount)
                });
            }
            CouponEvent::CouponClawbackUndone(e) => {
                if let Some(spent) = self.spent.get_mut(&id) {
                    spent.clawed_back.retain(|(refund, _)| *refund != e.refund_id);
                }
            }
            _ => {}
        }
    }
}
