//! `coupon_used_once`: a coupon is used only once it is issued, while no refund has taken it back, and by one order at a
//! time: by another only after the one before gave it back.

use std::collections::HashMap;

use crate::{
    CouponId, Envelope, Event, OrderId, RefundId,
    audit::check::{Check, Findings},
    coupon::CouponEvent,
};

#[derive(Default)]
struct Use {
    by: Option<OrderId>,
    /// Refunds that took it back unspent.
    taken_back: Vec<RefundId>,
}

#[derive(Default)]
pub(in crate::audit) struct UsedOnce {
    coupons: HashMap<CouponId, Use>,
}

impl Check for UsedOnce {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        let Event::Coupon(coupon_event) = &event.event else { return };
        let id = CouponId::from_uuid(event.stream.id);
        match coupon_event {
            CouponEvent::CouponIssued(_) => {
                self.coupons.entry(id).or_default();
            }
            CouponEvent::CouponWithheld(e) => {
                self.coupons.entry(id).or_default().taken_back.push(e.refund_id)
            }
            CouponEvent::CouponRedeemed(e) => {
                let coupon = self.coupons.get_mut(&id);
                let holds = coupon.as_ref().is_some_and(|c| c.by.is_none() && c.taken_back.is_empty());
                found.ensure(event, holds, || {
                    let by = coupon.as_ref().and_then(|coupon| coupon.by);
                    format!("order {} uses it; it is not good, or used by {by:?}", e.order_id)
                });
                if let Some(coupon) = coupon {
                    coupon.by = Some(e.order_id);
                }
            }
            CouponEvent::CouponReleased(e) => {
                let coupon = self.coupons.entry(id).or_default();
                let by = coupon.by.take();
                found.ensure(event, by == Some(e.order_id), || {
                    format!("order {} gives it back, but {by:?} uses it", e.order_id)
                });
            }
            CouponEvent::CouponRevoked(e) => self.coupons.entry(id).or_default().taken_back.push(e.refund_id),
            CouponEvent::CouponReinstated(e) => {
                self.coupons.entry(id).or_default().taken_back.retain(|refund| *refund != e.refund_id);
            }
            CouponEvent::CouponRedemptionRefused(_)
            | CouponEvent::CouponClawedBack(_)
            | CouponEvent::CouponClawbackUndone(_) => {}
        }
    }
}
