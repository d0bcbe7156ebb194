//! The rows of an order that uses a coupon: its goods cost 2800, and 100 come off.

use domain::{
    AnyCommand,
    coupon::{CouponCommand, CouponEvent, CouponRedeemed, CouponRedemptionRefused, CouponRefusal},
    order::{AppliedCoupon, OrderCommand, OrderPlaced, OrderRejection},
    payment::PaymentTiming,
};

use super::{
    Basket, Checkout, CheckoutState, called_back, declined, expired, order, out_of, refused, release,
    request, reserved, send, when,
};
use crate::testing::{
    Then, at, customer_id, earlier_order_id, order_id, placed, product, shop_id, used_coupon_id, won,
};

pub(super) fn basket() -> Basket {
    let coupon = Some(AppliedCoupon { coupon_id: used_coupon_id(), discount: won(100) });
    Basket::of(&OrderPlaced { coupon, total: won(2700), ..placed() })
}
pub(super) fn reserving(cancelled: bool) -> CheckoutState {
    CheckoutState::Reserving { basket: basket(), missing: vec![product(1)], refusal: None, cancelled }
}
pub(super) fn redeeming(cancelled: bool) -> CheckoutState {
    CheckoutState::Redeeming { basket: basket(), cancelled }
}
fn coupon(command: CouponCommand) -> AnyCommand {
    AnyCommand::Coupon { id: used_coupon_id(), command }
}
fn redeemed() -> CouponEvent {
    CouponRedeemed {
        coupon_id: used_coupon_id(),
        order_id: order_id(),
        earned_by: earlier_order_id(),
        discount: won(100),
    }
    .into()
}
fn not_redeemed() -> CouponEvent {
    let reason = CouponRefusal::AlreadyRedeemed;
    CouponRedemptionRefused { coupon_id: used_coupon_id(), order_id: order_id(), reason }.into()
}

/// Everything goes back in the reverse order; the coupon only if it was used.
#[track_caller]
fn released(then: Then<Checkout>, with_coupon: bool) -> Then<Checkout> {
    let then = if with_coupon {
        then.sends("release_coupon", coupon(CouponCommand::ReleaseCoupon { order_id: order_id() }), &[])
    } else {
        then
    };
    send(send(then, release(1)), release(2))
}
#[track_caller]
fn rejected_for(then: Then<Checkout>, with_coupon: bool, reason: OrderRejection) {
    let then = released(then.then(CheckoutState::Rejecting(basket())), with_coupon);
    then.sends("reject_order", order(OrderCommand::RejectOrder { reason }), &["illegal_transition"])
        .and_no_more();
}
#[track_caller]
fn undone(then: Then<Checkout>, with_coupon: bool) {
    let then = released(then.then(CheckoutState::Done), with_coupon);
    then.sends("finish_cancellation", order(OrderCommand::FinishCancellation), &[]).and_no_more();
}

#[test]
fn the_last_reservation_redeems_the_coupon_against_what_the_goods_cost() {
    let command = CouponCommand::RedeemCoupon {
        coupon_id: used_coupon_id(),
        order_id: order_id(),
        shop_id: shop_id(),
        customer_id: customer_id(),
        subtotal: won(2800),
        discount: won(100),
    };
    let then = when(reserving(false)).when(reserved(1)).then(redeeming(false));
    then.sends("redeem_coupon", coupon(command), &[]).and_no_more();
}

#[test]
fn a_redeemed_coupon_requests_what_is_left_to_pay() {
    let then = when(redeeming(false)).when(redeemed()).then(CheckoutState::Paying(basket()));
    then.sends("request_payment", request(PaymentTiming::AtOrder, 2700, true, at(300)), &[]).and_no_more();
}

#[test]
fn a_coupon_that_cannot_be_used_rejects_the_order() {
    let refusal = CouponRefusal::AlreadyRedeemed;
    let reason = OrderRejection::CouponRefused { coupon_id: used_coupon_id(), refusal };
    rejected_for(when(redeeming(false)).when(not_redeemed()), false, reason);
}

#[test]
fn an_order_that_is_out_of_stock_leaves_its_coupon_alone() {
    rejected_for(when(reserving(false)).when(refused(1)), false, out_of(1));
    undone(when(reserving(true)).when(reserved(1)), false);
}

#[test]
fn a_cancellation_while_the_coupon_is_redeemed_waits_for_the_answer_and_gives_it_back() {
    when(redeeming(false)).when(called_back(false)).then(redeeming(true)).and_no_more();
    undone(when(redeeming(true)).when(redeemed()), true);
    undone(when(redeeming(true)).when(not_redeemed()), false);
}

#[test]
fn whatever_undoes_the_order_later_gives_the_coupon_back() {
    let paying = || when(CheckoutState::Paying(basket()));
    let no_funds = OrderRejection::PaymentDeclined { decline_code: "no_funds".to_owned() };
    rejected_for(paying().when(declined()), true, no_funds);
    rejected_for(paying().when(expired()), true, OrderRejection::PaymentExpired);
    undone(when(CheckoutState::Undoing(basket())).when(declined()), true);
}

#[test]
fn a_basket_that_was_stored_before_there_were_coupons_is_read() {
    let stored = serde_json::to_value(Basket::of(&placed())).unwrap();
    assert_eq!(stored.get("coupon"), None, "it is stored as it was then");
    assert_eq!(serde_json::from_value::<Basket>(stored).unwrap(), Basket::of(&placed()));
}
