//! The table of loyalty, row by row and as a grid.

use domain::{
    AnyCommand,
    coupon::{CouponCommand, PromisedCoupon},
    order::{OrderCompleted, OrderEvent},
};

use super::{Loyalty, LoyaltyState};
use crate::{
    Process,
    testing::{customer_id, envelope, given, grid, order_id, promised, shop_id},
};

fn completed(coupon: Option<PromisedCoupon>) -> OrderEvent {
    OrderCompleted { order_id: order_id(), customer_id: customer_id(), shop_id: shop_id(), coupon }.into()
}

#[test]
fn a_completed_order_gets_its_coupon_unless_a_refund_was_faster() {
    let command = CouponCommand::IssueCoupon {
        coupon_id: promised().coupon_id,
        shop_id: shop_id(),
        customer_id: customer_id(),
        order_id: order_id(),
        value: promised().value,
    };
    let issue = AnyCommand::Coupon { id: promised().coupon_id, command };
    let then =
        given::<Loyalty>(LoyaltyState::Idle).when(completed(Some(promised()))).then(LoyaltyState::Done);
    then.sends("issue_coupon", issue, &["coupon_revoked_before"]).and_no_more();
}

#[test]
fn a_completed_order_that_earns_nothing_has_no_instance() {
    assert_eq!(Loyalty::instance(&envelope(completed(None))), None);
    assert!(!Loyalty::begins(&envelope(completed(None))));
}

#[test]
fn every_event_in_every_stage() {
    let states = [("idle", LoyaltyState::Idle), ("done", LoyaltyState::Done)];
    insta::assert_snapshot!("grid", grid::<Loyalty>(&states, &["due"]));
}
