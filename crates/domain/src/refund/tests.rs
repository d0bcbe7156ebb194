//! What a refund answers, by example and over the whole grid.

use cqrs_es::test::TestFramework;

use super::{
    Refund, RefundAccepted, RefundCancelled, RefundCommand, RefundCompleted, RefundError, RefundEvent,
    RefundRefused, RefundRequested, ReturnedLine, reason_of,
};
use crate::{
    Money,
    coupon::{CouponValue, PromisedCoupon, coupon_of},
    delivery::ReturnRefusal,
    order::{MAX_LINES, payment_of},
    testing::{
        Grid, customer_id, delivery_id, eur, fold, given, krw, order_id, pieces, product_id, refund_id,
        shop_id,
    },
};

fn lines() -> Vec<ReturnedLine> {
    vec![ReturnedLine { product_id: product_id(1), quantity: pieces(2) }]
}
fn promised() -> PromisedCoupon {
    let value = CouponValue::Amount(krw(500));
    PromisedCoupon { coupon_id: coupon_of(order_id(1)), value, minimum: krw(1000) }
}
fn request_of(lines: Vec<ReturnedLine>) -> RefundCommand {
    RefundCommand::RequestRefund {
        refund_id: refund_id(1),
        order_id: order_id(1),
        shop_id: shop_id(),
        customer_id: customer_id(),
        payment_id: payment_of(order_id(1)),
        delivery_id: delivery_id(),
        lines,
        coupon: Some(promised()),
        used_coupon_id: None,
        reason_id: reason_of(refund_id(1)),
    }
}
fn request() -> RefundCommand {
    request_of(lines())
}
fn accept() -> RefundCommand {
    RefundCommand::AcceptRefund { amount: krw(1800) }
}
fn refuse() -> RefundCommand {
    RefundCommand::RefuseRefund { reason: ReturnRefusal::WindowOver }
}
fn complete_with(amount: Money, deducted: Money) -> RefundCommand {
    RefundCommand::CompleteRefund { amount, deducted }
}
fn complete() -> RefundCommand {
    complete_with(krw(1300), krw(500))
}
fn cancel() -> RefundCommand {
    RefundCommand::CancelRefund
}

fn requested() -> RefundEvent {
    RefundRequested {
        refund_id: refund_id(1),
        order_id: order_id(1),
        shop_id: shop_id(),
        customer_id: customer_id(),
        payment_id: payment_of(order_id(1)),
        delivery_id: delivery_id(),
        lines: lines(),
        coupon: Some(promised()),
        used_coupon_id: None,
        reason_id: reason_of(refund_id(1)),
    }
    .into()
}
fn accepted() -> RefundEvent {
    RefundAccepted { order_id: order_id(1), amount: krw(1800) }.into()
}
fn refused() -> RefundEvent {
    RefundRefused { order_id: order_id(1), reason: ReturnRefusal::WindowOver }.into()
}
fn completed(amount: i64, deducted: i64) -> RefundEvent {
    RefundCompleted { order_id: order_id(1), amount: krw(amount), deducted: krw(deducted) }.into()
}
fn cancelled() -> RefundEvent {
    RefundCancelled { order_id: order_id(1) }.into()
}
fn illegal(state: &'static str, command: &'static str) -> RefundError {
    RefundError::IllegalTransition { state, command }
}

#[test]
fn every_command_in_every_state() {
    let too_many = vec![lines()[0]; MAX_LINES + 1];
    let grid = Grid::<Refund> {
        histories: vec![
            ("absent", vec![]),
            ("requested", vec![request()]),
            ("returning", vec![request(), accept()]),
            ("completed", vec![request(), accept(), complete()]),
            ("refused", vec![request(), refuse()]),
            ("cancelled at once", vec![request(), cancel()]),
            ("cancelled on the way", vec![request(), accept(), cancel()]),
        ],
        commands: vec![
            ("request", request()),
            ("request too many lines", request_of(too_many)),
            ("accept", accept()),
            ("refuse", refuse()),
            ("complete", complete()),
            ("complete with too little", complete_with(krw(1300), krw(499))),
            ("cancel", cancel()),
        ],
        repeatable: &[],
    };
    insta::assert_snapshot!("grid", grid.run());
}

#[test]
fn a_refund_goes_from_the_wish_to_the_money() {
    given::<Refund>([]).when(request()).then([requested()]);
    given::<Refund>([requested()]).when(accept()).then([accepted()]);
    given::<Refund>([requested(), accepted()]).when(complete()).then([completed(1300, 500)]);
}

#[test]
fn money_and_coupon_together_are_what_the_goods_cost() {
    let past = || [requested(), accepted()];
    for (amount, deducted) in [(1800, 0), (0, 1800), (1, 1799)] {
        given::<Refund>(past())
            .when(complete_with(krw(amount), krw(deducted)))
            .then([completed(amount, deducted)]);
    }
    for (amount, deducted) in [(krw(1800), krw(1)), (krw(0), krw(0)), (krw(1300), eur(500))] {
        given::<Refund>(past()).when(complete_with(amount, deducted)).then_error(RefundError::DoesNotAddUp {
            accepted: krw(1800),
            amount,
            deducted,
        });
    }
}

#[test]
fn money_is_not_given_back_before_the_goods_may_go_back() {
    given::<Refund>([requested()]).when(complete()).then_error(illegal("requested", "be completed"));
    given::<Refund>([requested(), refused()]).when(complete()).then_error(illegal("refused", "be completed"));
}

#[test]
fn a_refund_is_cancelled_until_it_is_completed() {
    given::<Refund>([requested()]).when(cancel()).then([cancelled()]);
    given::<Refund>([requested(), accepted()]).when(cancel()).then([cancelled()]);
    given::<Refund>([requested(), accepted(), completed(1800, 0)])
        .when(cancel())
        .then_error(illegal("completed", "be cancelled"));
    given::<Refund>([requested(), accepted(), cancelled()])
        .when(complete())
        .then_error(illegal("cancelled", "be completed"));
}

#[test]
fn a_refund_that_was_accepted_is_not_refused_and_the_other_way_round() {
    given::<Refund>([requested(), accepted()]).when(refuse()).then_error(illegal("returning", "be refused"));
    given::<Refund>([requested(), refused()]).when(accept()).then_error(illegal("refused", "be accepted"));
}

#[test]
fn a_repeated_step_changes_nothing() {
    given::<Refund>([requested(), accepted()]).when(accept()).then_already_applied();
    given::<Refund>([requested(), refused()]).when(refuse()).then_already_applied();
    given::<Refund>([requested(), cancelled()]).when(cancel()).then_already_applied();
    given::<Refund>([requested(), accepted(), completed(1800, 0)]).when(complete()).then_already_applied();
    given::<Refund>([requested()]).when(request()).then_already_applied();
}

#[test]
fn a_refund_names_as_many_lines_as_an_order_can_have() {
    let line = lines()[0];
    given::<Refund>([])
        .when(request_of(vec![line; MAX_LINES + 1]))
        .then_error(RefundError::TooManyLines { lines: MAX_LINES + 1 });
    let RefundEvent::RefundRequested(asked) = requested() else { unreachable!() };
    let most = vec![line; MAX_LINES];
    given::<Refund>([])
        .when(request_of(most.clone()))
        .then([RefundRequested { lines: most, ..asked }.into()]);
}

#[test]
fn nothing_can_be_done_with_a_refund_that_nobody_asked_for() {
    for command in [accept(), refuse(), complete(), cancel()] {
        given::<Refund>([]).when(command).then_error(RefundError::NotFound);
    }
}

#[test]
fn a_refund_knows_what_was_asked_for_as_long_as_it_is_there() {
    assert_eq!(Refund::default().details(), None);
    let ends: [&[RefundEvent]; 5] =
        [&[], &[accepted()], &[accepted(), completed(1800, 0)], &[refused()], &[cancelled()]];
    for end in ends {
        let refund: Refund = fold::<Refund>(&[&[requested()], end].concat());
        assert_eq!(refund.details().map(|it| it.order_id), Some(order_id(1)), "{refund:?}");
    }
}

#[test]
fn the_reason_of_a_refund_follows_from_its_id_and_shares_its_partition() {
    assert_eq!(reason_of(refund_id(1)), reason_of(refund_id(1)));
    assert_ne!(reason_of(refund_id(1)), reason_of(refund_id(2)));
    assert_eq!(reason_of(refund_id(1)).partition(), refund_id(1).partition());
}

#[tokio::test]
async fn the_cqrs_es_framework_runs_a_refund() {
    let framework = || TestFramework::<Refund>::with(());
    framework().given(vec![requested()]).when_async(accept()).await.then_expect_events(vec![accepted()]);
    framework().given(vec![requested()]).when_async(request()).await.then_expect_events(vec![]);
    framework().given(vec![]).when_async(accept()).await.then_expect_error(RefundError::NotFound);
}
