//! `coupon_only_while_deserved`: a refund that leaves the customer with nothing, or with less than the coupon's minimum,
//! takes the coupon back that the order earned, or its worth; one that leaves enough does not touch it.

use std::collections::HashMap;

use crate::{
    Envelope, Event, RefundId,
    audit::check::{Check, Findings},
    coupon::CouponEvent,
    delivery::DeliveryEvent,
    refund::RefundEvent,
};

#[derive(Default)]
struct Claim {
    minimum: Option<i64>,
    kept: i64,
    taken_back: bool,
}

#[derive(Default)]
pub(in crate::audit) struct Deserved {
    refunds: HashMap<RefundId, Claim>,
}

impl Deserved {
    fn taken_back(&mut self, refund: RefundId) {
        if let Some(claim) = self.refunds.get_mut(&refund) {
            claim.taken_back = true;
        }
    }
}

impl Check for Deserved {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        match &event.event {
            Event::Refund(RefundEvent::RefundRequested(e)) => {
                let minimum = e.coupon.map(|coupon| coupon.minimum.amount_minor);
                self.refunds.insert(e.refund_id, Claim { minimum, ..Claim::default() });
            }
            Event::Delivery(DeliveryEvent::ReturnStarted(e)) => {
                if let Some(claim) = self.refunds.get_mut(&e.refund_id) {
                    claim.kept = e.kept.amount_minor;
                }
            }
            Event::Coupon(CouponEvent::CouponRevoked(e)) => self.taken_back(e.refund_id),
            Event::Coupon(CouponEvent::CouponWithheld(e)) => self.taken_back(e.refund_id),
            Event::Coupon(CouponEvent::CouponClawedBack(e)) => self.taken_back(e.refund_id),
            Event::Refund(RefundEvent::RefundCompleted(_)) => {
                let claim = self.refunds.remove(&RefundId::from_uuid(event.stream.id)).unwrap_or_default();
                let lost = claim.minimum.is_some_and(|minimum| claim.kept == 0 || claim.kept < minimum);
                found.ensure(event, lost == claim.taken_back, || {
                    let (kept, minimum, taken) = (claim.kept, claim.minimum, claim.taken_back);
                    format!("{kept} is kept of a minimum of {minimum:?}; coupon taken back: {taken}")
                });
            }
            Event::Refund(RefundEvent::RefundRefused(_) | RefundEvent::RefundCancelled(_)) => {
                self.refunds.remove(&RefundId::from_uuid(event.stream.id));
            }
            _ => {}
        }
    }
}
