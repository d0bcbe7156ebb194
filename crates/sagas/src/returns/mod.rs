//! Returns: goods go back to the shop, then money to the customer; a coupon that the order no longer deserves is taken
//! back, or its worth comes off the money if it is spent. Instance: the refund.
//!
//! | stage | input | next | does | undone by |
//! |---|---|---|---|---|
//! | Idle | RefundRequested | Requested | start return, as of the time of the request | cancel return, by shop or customer |
//! | Requested | ReturnRefused | Done | refuse refund | |
//! | Requested | ReturnStarted, what is kept deserves the coupon | Returning | accept refund | cancel refund |
//! | Requested | ReturnStarted, it does not | Revoking | accept refund, revoke coupon | cancel refund, reinstate coupon |
//! | Revoking | CouponRevoked, CouponWithheld, CouponClawedBack | Returning | remembers what comes off | |
//! | Revoking | ReturnReceived, ReturnCancelled | Revoking | remembers it until the coupon has answered | |
//! | Revoking, received | the coupon's answer | Paying | refund payment, less what comes off; if nothing is kept, release the coupon that the order used | |
//! | Revoking, cancelled | the coupon's answer | Done | reinstate coupon, cancel refund | |
//! | Returning | ReturnReceived | Paying | the same | |
//! | Returning | ReturnCancelled | Done | reinstate coupon if it was revoked, cancel refund | |
//! | Paying | PaymentRefunded | Done | complete refund | |
//!
//! The delivery alone decides what may go back and whether a return was received or cancelled: a refund is cancelled by
//! cancelling its return. The coupon answers each refund once, whether or not loyalty has issued it by then. Nothing is
//! undone once the goods are received.

mod state;
#[cfg(test)]
mod tests;

pub use state::{Claim, Goods, Returns, ReturnsState};

use domain::{
    AnyCommand, Envelope, Event, Money, PaymentId,
    coupon::CouponEvent,
    delivery::{DeliveryCommand, DeliveryEvent, ReturnStarted},
    payment::{PaymentEvent, full_refund_of},
    refund::{RefundCommand, RefundEvent},
};
use uuid::Uuid;

use crate::process::{Awaiting, Input, Process, Reaction, go, ignore};

impl Process for Returns {
    type State = ReturnsState;
    const NAME: &'static str = "returns";
    const VERSION: u32 = 1;

    fn instance(event: &Envelope) -> Option<Uuid> {
        let refund_id = match &event.event {
            Event::Refund(RefundEvent::RefundRequested(e)) => e.refund_id,
            Event::Delivery(DeliveryEvent::ReturnStarted(e)) => e.refund_id,
            Event::Delivery(DeliveryEvent::ReturnRefused(e)) => e.refund_id,
            Event::Delivery(DeliveryEvent::ReturnReceived(e)) => e.refund_id,
            Event::Delivery(DeliveryEvent::ReturnCancelled(e)) => e.refund_id,
            Event::Coupon(CouponEvent::CouponRevoked(e)) => e.refund_id,
            Event::Coupon(CouponEvent::CouponWithheld(e)) => e.refund_id,
            Event::Coupon(CouponEvent::CouponClawedBack(e)) => e.refund_id,
            // The refund of a whole payment belongs to whoever called the order off.
            Event::Payment(PaymentEvent::PaymentRefunded(e))
                if e.refund_id != full_refund_of(PaymentId::from_uuid(event.stream.id)) =>
            {
                e.refund_id
            }
            _ => return None,
        };
        Some(refund_id.uuid())
    }

    fn begins(event: &Envelope) -> bool {
        matches!(event.event, Event::Refund(RefundEvent::RefundRequested(_)))
    }

    fn react(state: &ReturnsState, input: Input<'_>) -> Reaction<ReturnsState> {
        use ReturnsState::{Done, Idle, Paying, Requested, Returning, Revoking};
        let Input::Event(event) = input else { return ignore() };
        match (state, &event.event) {
            (Idle, Event::Refund(RefundEvent::RefundRequested(e))) => {
                let command = DeliveryCommand::StartReturn {
                    refund_id: e.refund_id,
                    order_id: e.order_id,
                    lines: e.lines.clone(),
                    // Who asks in time is in time, however long it takes us to come to it.
                    at: event.metadata.recorded_at,
                };
                go(Requested(Claim::of(e)))
                    .send("start_return", AnyCommand::Delivery { id: e.delivery_id, command })
            }

            (Requested(claim), Event::Delivery(DeliveryEvent::ReturnRefused(e))) => {
                go(Done).send("refuse_refund", claim.refund(RefundCommand::RefuseRefund { reason: e.reason }))
            }
            (Requested(claim), Event::Delivery(DeliveryEvent::ReturnStarted(e))) => accepted(claim, e),

            (Revoking { claim, amount, goods }, Event::Coupon(answer)) => match taken_back(answer, *amount) {
                Some(deducted) => revoked(claim, *amount, *goods, deducted),
                None => ignore(),
            },
            (
                Revoking { claim, amount, goods: Goods::Underway },
                Event::Delivery(DeliveryEvent::ReturnReceived(_)),
            ) => go(Revoking { claim: claim.clone(), amount: *amount, goods: Goods::Received }),
            (
                Revoking { claim, amount, goods: Goods::Underway },
                Event::Delivery(DeliveryEvent::ReturnCancelled(_)),
            ) => go(Revoking { claim: claim.clone(), amount: *amount, goods: Goods::Kept }),

            (Returning { claim, amount, deducted }, Event::Delivery(DeliveryEvent::ReturnReceived(_))) => {
                give_back(claim, *amount, deducted.unwrap_or(Money::zero(amount.currency)))
            }
            (Returning { claim, deducted, .. }, Event::Delivery(DeliveryEvent::ReturnCancelled(_))) => {
                called_off(claim, deducted.is_some())
            }

            (Paying { claim, deducted }, Event::Payment(PaymentEvent::PaymentRefunded(e))) => {
                let command = RefundCommand::CompleteRefund { amount: e.amount, deducted: *deducted };
                go(Done).send("complete_refund", claim.refund(command))
            }

            _ => ignore(),
        }
    }

    fn awaits(state: &ReturnsState) -> Option<Awaiting> {
        use ReturnsState::{Done, Idle, Paying, Requested, Returning, Revoking};
        match state {
            Idle | Done => None,
            Requested(_) => Awaiting::for_event("ReturnStarted or ReturnRefused"),
            Revoking { .. } => Awaiting::for_event("CouponRevoked, CouponWithheld or CouponClawedBack"),
            Returning { .. } => Awaiting::for_event("the goods (ReturnReceived or ReturnCancelled)"),
            Paying { .. } => Awaiting::for_event("PaymentRefunded"),
        }
    }
}

/// The goods are on their way back. The coupon goes with them if what the customer keeps does not deserve it.
fn accepted(claim: &Claim, started: &ReturnStarted) -> Reaction<ReturnsState> {
    let amount = started.amount;
    let claim =
        &Claim { used_coupon_id: claim.used_coupon_id.filter(|_| started.kept.is_zero()), ..claim.clone() };
    let lost = claim
        .coupon
        .filter(|coupon| started.kept.is_zero() || started.kept.amount_minor < coupon.minimum.amount_minor);
    let accept = claim.refund(RefundCommand::AcceptRefund { amount });
    match lost {
        None => go(ReturnsState::Returning { claim: claim.clone(), amount, deducted: None })
            .send("accept_refund", accept),
        Some(coupon) => go(ReturnsState::Revoking { claim: claim.clone(), amount, goods: Goods::Underway })
            .send("accept_refund", accept)
            .send("revoke_coupon", claim.revoke_coupon(coupon, started)),
    }
}

/// What comes off the refund, if the event is the coupon's answer to it.
fn taken_back(answer: &CouponEvent, amount: Money) -> Option<Money> {
    match answer {
        CouponEvent::CouponRevoked(_) | CouponEvent::CouponWithheld(_) => Some(Money::zero(amount.currency)),
        CouponEvent::CouponClawedBack(e) => Some(e.amount),
        _ => None,
    }
}

/// The coupon has answered.
fn revoked(claim: &Claim, amount: Money, goods: Goods, deducted: Money) -> Reaction<ReturnsState> {
    match goods {
        Goods::Underway => {
            go(ReturnsState::Returning { claim: claim.clone(), amount, deducted: Some(deducted) })
        }
        Goods::Received => give_back(claim, amount, deducted),
        Goods::Kept => called_off(claim, true),
    }
}

/// The shop has the goods: the customer gets the money, less what comes off.
fn give_back(claim: &Claim, amount: Money, deducted: Money) -> Reaction<ReturnsState> {
    // At most the refund comes off, so this cannot fall below zero.
    let left = amount.minus(deducted).unwrap_or(Money::zero(amount.currency));
    go(ReturnsState::Paying { claim: claim.clone(), deducted })
        .send("refund_payment", claim.pay_back(left))
        .send_all(claim.release_coupon())
}

/// The customer keeps the goods, and the coupon if it was taken back for them.
fn called_off(claim: &Claim, coupon_revoked: bool) -> Reaction<ReturnsState> {
    let reinstate = claim.coupon.filter(|_| coupon_revoked).map(|coupon| claim.reinstate_coupon(coupon));
    go(ReturnsState::Done)
        .send_all(reinstate)
        .send("cancel_refund", claim.refund(RefundCommand::CancelRefund))
}
