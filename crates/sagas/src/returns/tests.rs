//! The table of returns, row by row and as a grid.

use domain::{
    Actor, AnyCommand, Money,
    coupon::{CouponClawedBack, CouponCommand, CouponEvent, CouponRevoked, CouponWithheld},
    delivery::{
        DeliveryCommand, DeliveryEvent, ReturnCancelled, ReturnReceived, ReturnRefusal, ReturnRefused,
    },
    payment::{PaymentCommand, PaymentEvent, PaymentRefunded},
    refund::{RefundCommand, RefundEvent},
};

use super::{Claim, Goods, Returns, ReturnsState};
use crate::{
    Process,
    testing::{
        Given, Then, at, customer_id, delivery_id, given, grid, order_id, payment_id, promised,
        refund_requested, return_id, return_started, returned, shop_id, won,
    },
};

/// One piece for 900 goes back, of an order that has earned a coupon.
fn claim() -> Claim {
    Claim::of(&refund_requested(Some(promised())))
}
fn requested() -> ReturnsState {
    ReturnsState::Requested(claim())
}
fn revoking(goods: Goods) -> ReturnsState {
    ReturnsState::Revoking { claim: claim(), amount: won(900), goods }
}
fn returning(deducted: Option<Money>) -> ReturnsState {
    ReturnsState::Returning { claim: claim(), amount: won(900), deducted }
}
fn paying(deducted: i64) -> ReturnsState {
    ReturnsState::Paying { claim: claim(), deducted: won(deducted) }
}
fn when(state: ReturnsState) -> Given<Returns> {
    given(state)
}

fn received() -> DeliveryEvent {
    let by = Actor::Shop(shop_id());
    ReturnReceived { order_id: order_id(), refund_id: return_id(), by }.into()
}
fn kept_after_all() -> DeliveryEvent {
    let by = Actor::Customer(customer_id());
    ReturnCancelled { order_id: order_id(), refund_id: return_id(), by }.into()
}
fn revoked() -> CouponEvent {
    let coupon_id = promised().coupon_id;
    CouponRevoked { coupon_id, order_id: order_id(), refund_id: return_id() }.into()
}
fn withheld() -> CouponEvent {
    CouponWithheld {
        coupon_id: promised().coupon_id,
        shop_id: shop_id(),
        customer_id: customer_id(),
        order_id: order_id(),
        value: promised().value,
        refund_id: return_id(),
    }
    .into()
}
fn clawed_back(amount: i64) -> CouponEvent {
    let (coupon_id, amount) = (promised().coupon_id, won(amount));
    CouponClawedBack { coupon_id, order_id: order_id(), refund_id: return_id(), amount }.into()
}

fn refund(command: RefundCommand) -> AnyCommand {
    AnyCommand::Refund { id: return_id(), command }
}
fn coupon(command: CouponCommand) -> AnyCommand {
    AnyCommand::Coupon { id: promised().coupon_id, command }
}

/// The goods may go back: 900 will be given back.
#[track_caller]
fn accepts(then: Then<Returns>) -> Then<Returns> {
    then.sends("accept_refund", refund(RefundCommand::AcceptRefund { amount: won(900) }), &[])
}
/// So much goes back to the customer, and so much is taken off.
#[track_caller]
fn pays_back(then: Then<Returns>, amount: i64, deducted: i64) {
    let command = PaymentCommand::StartRefund { refund_id: return_id(), amount: won(amount) };
    let start = AnyCommand::Payment { id: payment_id(), command };
    then.then(paying(deducted)).sends("refund_payment", start, &[]).and_no_more();
}
/// The refund is off, and the coupon good again.
#[track_caller]
fn called_off(then: Then<Returns>) {
    let reinstate = coupon(CouponCommand::ReinstateCoupon { refund_id: return_id() });
    let then = then.then(ReturnsState::Done).sends("reinstate_coupon", reinstate, &[]);
    then.sends("cancel_refund", refund(RefundCommand::CancelRefund), &[]).and_no_more();
}

#[test]
fn a_refund_asks_the_delivery_first_as_of_the_time_of_the_request() {
    let command = DeliveryCommand::StartReturn {
        refund_id: return_id(),
        order_id: order_id(),
        lines: vec![returned()],
        at: at(10),
    };
    let start = AnyCommand::Delivery { id: delivery_id(), command };
    let asked = RefundEvent::from(refund_requested(Some(promised())));
    when(ReturnsState::Idle).when(asked).then(requested()).sends("start_return", start, &[]).and_no_more();
}

#[test]
fn goods_that_cannot_go_back_refuse_the_refund() {
    let reason = ReturnRefusal::WindowOver;
    let event = DeliveryEvent::from(ReturnRefused { order_id: order_id(), refund_id: return_id(), reason });
    let then = when(requested()).when(event).then(ReturnsState::Done);
    then.sends("refuse_refund", refund(RefundCommand::RefuseRefund { reason }), &[]).and_no_more();
}

#[test]
fn goods_that_may_go_back_accept_the_refund_and_leave_the_coupon_where_enough_is_kept() {
    let then = when(requested()).when(DeliveryEvent::from(return_started(won(1000))));
    accepts(then.then(returning(None))).and_no_more();
}

#[test]
fn an_order_that_earned_no_coupon_has_none_to_lose() {
    let claim = Claim { coupon: None, ..claim() };
    let next = ReturnsState::Returning { claim: claim.clone(), amount: won(900), deducted: None };
    let then = when(ReturnsState::Requested(claim)).when(DeliveryEvent::from(return_started(won(0))));
    accepts(then.then(next)).and_no_more();
}

#[test]
fn a_coupon_is_taken_back_where_less_than_its_minimum_or_nothing_is_kept() {
    let nothing = domain::coupon::PromisedCoupon { minimum: won(0), ..promised() };
    for (promise, kept) in [(promised(), 999), (promised(), 0), (nothing, 0)] {
        let claim = Claim { coupon: Some(promise), ..claim() };
        let command = CouponCommand::RevokeCoupon {
            coupon_id: promise.coupon_id,
            shop_id: shop_id(),
            customer_id: customer_id(),
            order_id: order_id(),
            value: promise.value,
            refund_id: return_id(),
            at_most: won(900),
            called_off: Vec::new(),
        };
        let next = ReturnsState::Revoking { claim: claim.clone(), amount: won(900), goods: Goods::Underway };
        let then = when(ReturnsState::Requested(claim)).when(DeliveryEvent::from(return_started(won(kept))));
        accepts(then.then(next)).sends("revoke_coupon", coupon(command), &[]).and_no_more();
    }
}

#[test]
fn the_coupons_answer_says_what_comes_off() {
    for (answer, deducted) in [(revoked(), 0), (withheld(), 0), (clawed_back(280), 280)] {
        when(revoking(Goods::Underway)).when(answer).then(returning(Some(won(deducted)))).and_no_more();
    }
}

#[test]
fn what_becomes_of_the_goods_is_remembered_until_the_coupon_has_answered() {
    when(revoking(Goods::Underway)).when(received()).then(revoking(Goods::Received)).and_no_more();
    when(revoking(Goods::Underway)).when(kept_after_all()).then(revoking(Goods::Kept)).and_no_more();
    pays_back(when(revoking(Goods::Received)).when(revoked()), 900, 0);
    pays_back(when(revoking(Goods::Received)).when(clawed_back(280)), 620, 280);
    for answer in [revoked(), withheld(), clawed_back(280)] {
        called_off(when(revoking(Goods::Kept)).when(answer));
    }
}

#[test]
fn goods_that_are_received_are_paid_back_less_what_comes_off() {
    pays_back(when(returning(None)).when(received()), 900, 0);
    pays_back(when(returning(Some(won(0)))).when(received()), 900, 0);
    pays_back(when(returning(Some(won(280)))).when(received()), 620, 280);
    pays_back(when(returning(Some(won(900)))).when(received()), 0, 900);
}

#[test]
fn a_return_that_is_cancelled_cancels_the_refund_and_gives_back_the_coupon_if_it_was_taken() {
    called_off(when(returning(Some(won(280)))).when(kept_after_all()));
    let then = when(returning(None)).when(kept_after_all()).then(ReturnsState::Done);
    then.sends("cancel_refund", refund(RefundCommand::CancelRefund), &[]).and_no_more();
}

#[test]
fn money_that_is_back_completes_the_refund() {
    let refunded = PaymentRefunded {
        subject: order_id().into(),
        refund_id: return_id(),
        amount: won(620),
        provider_ref: "re_1".to_owned(),
    };
    let then = when(paying(280)).when(PaymentEvent::from(refunded)).then(ReturnsState::Done);
    let complete = RefundCommand::CompleteRefund { amount: won(620), deducted: won(280) };
    then.sends("complete_refund", refund(complete), &[]).and_no_more();
}

#[test]
fn an_open_refund_says_what_it_waits_for() {
    let says = |state: ReturnsState| Returns::awaits(&state).map(|a| a.what);
    assert_eq!(says(requested()).unwrap(), "ReturnStarted or ReturnRefused");
    assert_eq!(says(revoking(Goods::Received)).unwrap(), "CouponRevoked, CouponWithheld or CouponClawedBack");
    assert_eq!(says(returning(None)).unwrap(), "the goods (ReturnReceived or ReturnCancelled)");
    assert_eq!(says(paying(0)).unwrap(), "PaymentRefunded");
    assert_eq!(says(ReturnsState::Done), None);
}

#[test]
fn every_event_in_every_stage() {
    let states = [
        ("idle", ReturnsState::Idle),
        ("requested", requested()),
        ("revoking", revoking(Goods::Underway)),
        ("revoking, received", revoking(Goods::Received)),
        ("revoking, kept", revoking(Goods::Kept)),
        ("returning, coupon kept", returning(None)),
        ("returning, coupon revoked", returning(Some(won(280)))),
        ("paying", paying(280)),
        ("done", ReturnsState::Done),
    ];
    insta::assert_snapshot!("grid", grid::<Returns>(&states, &["due"]));
}
