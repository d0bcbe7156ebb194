//! `refund_matches_return`: a completed refund gives back exactly what the returned goods were charged with, less what
//! was clawed back of a spent coupon; the payment paid out exactly that; and only once the shop has the goods. One that
//! was called off has paid out nothing and claws nothing back.

use std::collections::HashMap;

use crate::{
    Envelope, Event, Position, RefundId,
    audit::check::{Check, Findings},
    coupon::CouponEvent,
    delivery::DeliveryEvent,
    payment::PaymentEvent,
    refund::{RefundCompleted, RefundEvent},
};

struct Back {
    charged: i64,
    received: bool,
    clawed_back: i64,
    paid_out: Option<i64>,
    since: Position,
}

#[derive(Default)]
pub(in crate::audit) struct RefundReturn {
    refunds: HashMap<RefundId, Back>,
}

impl RefundReturn {
    fn with(&mut self, refund: RefundId, change: impl FnOnce(&mut Back)) {
        if let Some(back) = self.refunds.get_mut(&refund) {
            change(back);
        }
    }
}

impl Check for RefundReturn {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        match &event.event {
            Event::Delivery(DeliveryEvent::ReturnStarted(e)) => {
                let back = Back {
                    charged: e.amount.amount_minor,
                    received: false,
                    clawed_back: 0,
                    paid_out: None,
                    since: event.position,
                };
                self.refunds.insert(e.refund_id, back);
            }
            Event::Delivery(DeliveryEvent::ReturnReceived(e)) => {
                self.with(e.refund_id, |back| back.received = true);
            }
            Event::Coupon(CouponEvent::CouponClawedBack(e)) => {
                self.with(e.refund_id, |back| back.clawed_back = e.amount.amount_minor);
            }
            Event::Coupon(CouponEvent::CouponClawbackUndone(e)) => {
                self.with(e.refund_id, |back| back.clawed_back = 0);
            }
            Event::Payment(PaymentEvent::PaymentRefunded(e)) => {
                self.with(e.refund_id, |back| back.paid_out = Some(e.amount.amount_minor));
            }
            Event::Refund(RefundEvent::RefundAccepted(e)) => {
                let back = self.refunds.get(&RefundId::from_uuid(event.stream.id));
                let holds = back.is_some_and(|back| back.charged == e.amount.amount_minor);
                found.ensure(event, holds, || format!("{} accepted, for no return of that worth", e.amount));
            }
            Event::Refund(RefundEvent::RefundCompleted(e)) => {
                let back = self.refunds.remove(&RefundId::from_uuid(event.stream.id));
                let wrong = wrong_with(back.as_ref(), e);
                found.ensure(event, wrong.is_none(), || wrong.unwrap_or_default());
            }
            Event::Refund(RefundEvent::RefundCancelled(_)) => {
                let back = self.refunds.remove(&RefundId::from_uuid(event.stream.id));
                let holds = back.is_none_or(|back| back.paid_out.is_none() && back.clawed_back == 0);
                found.ensure(event, holds, || {
                    "called off, but money moved or a coupon is clawed back".to_owned()
                });
            }
            _ => {}
        }
    }

    fn finish(&mut self, found: &mut Findings) {
        for (refund, back) in &self.refunds {
            found.leave_open(refund, back.since, "a return that is not at its end");
        }
    }
}

fn wrong_with(back: Option<&Back>, completed: &RefundCompleted) -> Option<String> {
    let (amount, deducted) = (completed.amount.amount_minor, completed.deducted.amount_minor);
    let Some(back) = back else { return Some("completed, but nothing was returned for it".to_owned()) };
    if !back.received {
        return Some("completed before the shop had the goods".to_owned());
    }
    if amount + deducted != back.charged || deducted != back.clawed_back {
        let (charged, clawed_back) = (back.charged, back.clawed_back);
        return Some(format!(
            "{amount} given back and {deducted} deducted, for goods of {charged} less {clawed_back} clawed back"
        ));
    }
    let paid_out = back.paid_out;
    (paid_out != Some(amount)).then(|| format!("{amount} given back, but the payment paid out {paid_out:?}"))
}
