//! Loyalty: gives a customer the coupon that a completed order has earned. Instance: the order.
//!
//! | stage | input | next | does | undone by |
//! |---|---|---|---|---|
//! | Idle | OrderCompleted, a coupon was promised and enough is paid | Done | issue coupon (superseded when a refund took it back before) | returns: revoke coupon |
//!
//! An order that earns nothing has no instance. Nobody waits for a coupon: a refund that is faster withholds it, and the
//! issue that comes later finds that out.

#[cfg(test)]
mod tests;

use domain::{
    AnyCommand, Envelope, Event,
    coupon::{CouponCommand, PromisedCoupon},
    order::{OrderCompleted, OrderEvent},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::process::{Awaiting, Input, Process, Reaction, go, ignore};

/// The process; see the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct Loyalty;

/// How far an order's coupon is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum LoyaltyState {
    /// Not begun.
    #[default]
    Idle,
    /// Over.
    Done,
}

impl Process for Loyalty {
    type State = LoyaltyState;
    const NAME: &'static str = "loyalty";
    const VERSION: u32 = 1;

    fn instance(event: &Envelope) -> Option<Uuid> {
        earned(event).map(|(order, _)| order.order_id.uuid())
    }

    fn begins(event: &Envelope) -> bool {
        earned(event).is_some()
    }

    fn react(state: &LoyaltyState, input: Input<'_>) -> Reaction<LoyaltyState> {
        let Input::Event(event) = input else { return ignore() };
        match (state, earned(event)) {
            (LoyaltyState::Idle, Some((order, coupon))) => go(LoyaltyState::Done)
                .send("issue_coupon", issue_coupon(order, coupon))
                .unless(&["coupon_revoked_before"]),
            _ => ignore(),
        }
    }

    fn awaits(_: &LoyaltyState) -> Option<Awaiting> {
        None
    }
}

/// The order and its coupon, if the event says that it earned one.
fn earned(event: &Envelope) -> Option<(&OrderCompleted, PromisedCoupon)> {
    match &event.event {
        Event::Order(OrderEvent::OrderCompleted(order)) => order.coupon.map(|coupon| (order, coupon)),
        _ => None,
    }
}

fn issue_coupon(order: &OrderCompleted, coupon: PromisedCoupon) -> AnyCommand {
    let command = CouponCommand::IssueCoupon {
        coupon_id: coupon.coupon_id,
        shop_id: order.shop_id.clone(),
        customer_id: order.customer_id.clone(),
        order_id: order.order_id,
        value: coupon.value,
    };
    AnyCommand::Coupon { id: coupon.coupon_id, command }
}
