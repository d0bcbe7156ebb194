//! Orders that use a coupon, and orders that earn one.

use super::{applied, cancel_by_customer, confirmed, lines, place, place_with_coupon, placed};
use crate::{
    CouponPolicy, Money, MoneyError, ShopPolicy,
    coupon::{CouponValue, PromisedCoupon, coupon_of},
    order::{Order, OrderCommand, OrderCompleted, OrderError, OrderEvent, OrderPlaced},
    testing::{customer_id, eur, fold, given, krw, order_id, policy, shop_id},
};

fn placed_with(discount: Money, total: Money) -> OrderEvent {
    let OrderEvent::OrderPlaced(placed) = placed() else { unreachable!() };
    OrderPlaced { coupon: Some(applied(discount)), total, ..placed }.into()
}
fn earning(minimum: Money) -> ShopPolicy {
    ShopPolicy { coupon: Some(CouponPolicy { value: CouponValue::Percent(10), minimum }), ..policy() }
}
fn placed_earning(minimum: Money) -> OrderEvent {
    let OrderEvent::OrderPlaced(placed) = placed() else { unreachable!() };
    OrderPlaced { policy: earning(minimum), ..placed }.into()
}

#[test]
fn a_coupon_comes_off_the_total_and_the_expected_total_is_without_it() {
    given::<Order>([])
        .when(place_with_coupon(krw(650), Some(krw(2000))))
        .then([placed_with(krw(650), krw(2000))]);
    given::<Order>([])
        .when(place_with_coupon(krw(650), Some(krw(2650))))
        .then_error(OrderError::PriceChanged { expected: krw(2650), total: krw(2000) });
}

#[test]
fn a_coupon_may_take_the_whole_order_off_but_no_more() {
    given::<Order>([]).when(place_with_coupon(krw(2650), None)).then([placed_with(krw(2650), krw(0))]);
    given::<Order>([])
        .when(place_with_coupon(krw(2651), None))
        .then_error(OrderError::CouponExceedsOrder { discount: krw(2651), subtotal: krw(2650) });
}

#[test]
fn a_coupon_in_another_currency_or_below_zero_is_refused() {
    given::<Order>([])
        .when(place_with_coupon(eur(1), None))
        .then_error(MoneyError::MixedCurrencies { left: krw(0).currency, right: eur(0).currency }.into());
    let below_zero = Money { amount_minor: -1, ..krw(0) };
    given::<Order>([]).when(place_with_coupon(below_zero, None)).then_error(MoneyError::OutOfRange.into());
}

#[test]
fn a_coupon_is_spread_over_the_lines_by_their_cost() {
    let mut order = fold::<Order>(&[placed_with(krw(651), krw(1999))]);
    let Ok(crate::Outcome::Executed(events)) = crate::Aggregate::decide(&order, &OrderCommand::ConfirmOrder)
    else {
        panic!("a placed order is not confirmed");
    };
    let [OrderEvent::OrderConfirmed(confirmed)] = events.as_slice() else { panic!("not one confirmation") };
    let charged: Vec<i64> = confirmed.lines.iter().map(|line| line.charged.amount_minor).collect();
    assert_eq!(charged, [1358, 38, 603]);
    assert!(
        lines()
            .iter()
            .zip(&charged)
            .all(|(line, charged)| { *charged <= line.unit_price.amount_minor * i64::from(line.quantity) })
    );
    crate::Aggregate::evolve(&mut order, &events[0]);
    assert_eq!(order.details().unwrap().coupon, Some(applied(krw(651))));
}

#[test]
fn a_cancellation_names_the_coupon_to_give_back_and_the_amount_that_was_paid() {
    for (past, was_confirmed) in [
        (vec![placed_with(krw(650), krw(2000))], false),
        (vec![placed_with(krw(650), krw(2000)), confirmed()], true),
    ] {
        let requested = super::requested_by_customer(was_confirmed);
        let OrderEvent::OrderCancellationRequested(mut expected) = requested else { unreachable!() };
        expected.amount = krw(2000);
        expected.coupon_id = Some(coupon_of(order_id(9)));
        given::<Order>(past).when(cancel_by_customer()).then([expected.into()]);
    }
}

#[test]
fn a_completed_order_earns_the_coupon_that_its_policy_promises_if_enough_was_paid() {
    let completed = |coupon| -> OrderEvent {
        let (order_id, customer_id, shop_id) = (order_id(1), customer_id(), shop_id());
        OrderCompleted { order_id, customer_id, shop_id, coupon }.into()
    };
    let promised = |minimum| PromisedCoupon {
        coupon_id: coupon_of(order_id(1)),
        value: CouponValue::Percent(10),
        minimum,
    };
    for (minimum, earned) in
        [(krw(0), true), (krw(2650), true), (krw(2651), false), (eur(1), false), (eur(0), false)]
    {
        let past = [placed_earning(minimum), confirmed()];
        let coupon = earned.then(|| promised(minimum));
        assert_eq!(fold::<Order>(&past).details().unwrap().promised_coupon(), coupon);
        given::<Order>(past).when(OrderCommand::CompleteOrder).then([completed(coupon)]);
    }
}

#[test]
fn what_a_coupon_took_off_does_not_count_towards_the_next_one() {
    let OrderEvent::OrderPlaced(with_coupon) = placed_with(krw(650), krw(2000)) else { unreachable!() };
    let past = |minimum| OrderPlaced { policy: earning(minimum), ..with_coupon.clone() }.into();
    assert!(fold::<Order>(&[past(krw(2000))]).details().unwrap().promised_coupon().is_some());
    assert!(fold::<Order>(&[past(krw(2001))]).details().unwrap().promised_coupon().is_none());
}

#[test]
fn an_order_keeps_the_promise_of_the_policy_it_was_placed_under() {
    let mut command = place();
    let OrderCommand::PlaceOrder { policy, .. } = &mut command else { unreachable!() };
    *policy = earning(krw(1));
    given::<Order>([]).when(command).then([placed_earning(krw(1))]);
}
