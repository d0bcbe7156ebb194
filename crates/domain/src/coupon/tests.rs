//! What a coupon answers, by example, over the whole grid, and under random commands.

use cqrs_es::test::TestFramework;

use super::{
    Coupon, CouponClawbackUndone, CouponClawedBack, CouponCommand, CouponError, CouponEvent, CouponIssued,
    CouponRedeemed, CouponRedemptionRefused, CouponRefusal, CouponReinstated, CouponReleased, CouponRevoked,
    CouponValue, CouponWithheld, coupon_of,
};
use crate::{
    CouponId, CustomerId, Money, ShopId,
    testing::{Grid, customer_id, eur, fold, given, krw, order_id, refund_id, shop_id},
};

mod random;
mod revocation;

/// The coupon that order 1 earns: 500 off.
fn coupon_id() -> CouponId {
    coupon_of(order_id(1))
}
fn value() -> CouponValue {
    CouponValue::Amount(krw(500))
}
fn issue() -> CouponCommand {
    CouponCommand::IssueCoupon {
        coupon_id: coupon_id(),
        shop_id: shop_id(),
        customer_id: customer_id(),
        order_id: order_id(1),
        value: value(),
    }
}
fn redeem_for(order: u64, subtotal: Money, discount: Money) -> CouponCommand {
    CouponCommand::RedeemCoupon {
        coupon_id: coupon_id(),
        order_id: order_id(order),
        shop_id: shop_id(),
        customer_id: customer_id(),
        subtotal,
        discount,
    }
}
/// By an order of 2000.
fn redeem(order: u64) -> CouponCommand {
    redeem_for(order, krw(2000), krw(500))
}
fn release(order: u64) -> CouponCommand {
    CouponCommand::ReleaseCoupon { order_id: order_id(order) }
}
fn revoke_up_to(refund: u64, at_most: Money) -> CouponCommand {
    CouponCommand::RevokeCoupon {
        coupon_id: coupon_id(),
        shop_id: shop_id(),
        customer_id: customer_id(),
        order_id: order_id(1),
        value: value(),
        refund_id: refund_id(refund),
        at_most,
        called_off: Vec::new(),
    }
}
/// For a refund of 1800.
fn revoke(refund: u64) -> CouponCommand {
    revoke_up_to(refund, krw(1800))
}
fn reinstate(refund: u64) -> CouponCommand {
    CouponCommand::ReinstateCoupon { refund_id: refund_id(refund) }
}

fn issued_as(value: CouponValue) -> CouponEvent {
    CouponIssued {
        coupon_id: coupon_id(),
        shop_id: shop_id(),
        customer_id: customer_id(),
        order_id: order_id(1),
        value,
    }
    .into()
}
fn issued() -> CouponEvent {
    issued_as(value())
}
fn withheld(refund: u64) -> CouponEvent {
    CouponWithheld {
        coupon_id: coupon_id(),
        shop_id: shop_id(),
        customer_id: customer_id(),
        order_id: order_id(1),
        value: value(),
        refund_id: refund_id(refund),
    }
    .into()
}
fn redeemed_with(order: u64, discount: Money) -> CouponEvent {
    let (coupon_id, order_id, earned_by) = (coupon_id(), order_id(order), order_id(1));
    CouponRedeemed { coupon_id, order_id, earned_by, discount }.into()
}
fn redeemed(order: u64) -> CouponEvent {
    redeemed_with(order, krw(500))
}
fn redemption_refused(order: u64, reason: CouponRefusal) -> CouponEvent {
    CouponRedemptionRefused { coupon_id: coupon_id(), order_id: order_id(order), reason }.into()
}
fn released(order: u64) -> CouponEvent {
    CouponReleased { coupon_id: coupon_id(), order_id: order_id(order), earned_by: order_id(1) }.into()
}
fn revoked(refund: u64) -> CouponEvent {
    CouponRevoked { coupon_id: coupon_id(), order_id: order_id(1), refund_id: refund_id(refund) }.into()
}
fn reinstated(refund: u64) -> CouponEvent {
    CouponReinstated { coupon_id: coupon_id(), order_id: order_id(1), refund_id: refund_id(refund) }.into()
}
fn clawed_back(refund: u64, amount: Money) -> CouponEvent {
    let (coupon_id, order_id, refund_id) = (coupon_id(), order_id(1), refund_id(refund));
    CouponClawedBack { coupon_id, order_id, refund_id, amount }.into()
}
fn clawback_undone(refund: u64) -> CouponEvent {
    CouponClawbackUndone { coupon_id: coupon_id(), order_id: order_id(1), refund_id: refund_id(refund) }
        .into()
}

#[test]
fn every_command_in_every_state() {
    let paid_for = || vec![issue(), redeem(2), revoke(1), release(2)];
    let grid = Grid::<Coupon> {
        histories: vec![
            ("absent", vec![]),
            ("issued", vec![issue()]),
            ("withheld", vec![revoke(1)]),
            ("withheld twice", vec![revoke(1), revoke(2)]),
            ("withheld, reinstated", vec![revoke(1), reinstate(1)]),
            ("redeemed", vec![issue(), redeem(2)]),
            ("redeemed, clawed back", vec![issue(), redeem(2), revoke(1)]),
            ("redeemed, partly clawed back", vec![issue(), redeem(2), revoke_up_to(1, krw(200))]),
            ("released", vec![issue(), redeem(2), release(2)]),
            ("released, paid for", paid_for()),
            ("released, partly paid for", vec![issue(), redeem(2), revoke_up_to(1, krw(200)), release(2)]),
            ("paid for, redeemed again", [paid_for(), vec![redeem(3)]].concat()),
            ("revoked", vec![issue(), revoke(1)]),
            ("revoked twice", vec![issue(), revoke(1), revoke(2)]),
        ],
        commands: vec![
            ("issue", issue()),
            ("redeem", redeem(2)),
            ("redeem, another order", redeem(3)),
            ("redeem, another discount", redeem_for(3, krw(2000), krw(499))),
            ("release", release(2)),
            ("release, another order", release(3)),
            ("revoke", revoke(1)),
            ("revoke, another refund", revoke(2)),
            ("reinstate", reinstate(1)),
            ("reinstate, another refund", reinstate(2)),
        ],
        repeatable: &[
            ("redeem", "a refusal leaves no trace in the state, and who asks again is answered again"),
            ("redeem, another order", "a refusal leaves no trace in the state"),
            ("redeem, another discount", "a refusal leaves no trace in the state"),
        ],
    };
    insta::assert_snapshot!("grid", grid.run());
}

#[test]
fn an_issued_coupon_is_used_by_one_order_at_a_time() {
    given::<Coupon>([]).when(issue()).then([issued()]);
    given::<Coupon>([issued()]).when(redeem(2)).then([redeemed(2)]);
    given::<Coupon>([issued(), redeemed(2)])
        .when(redeem(3))
        .then([redemption_refused(3, CouponRefusal::AlreadyRedeemed)]);
    given::<Coupon>([issued(), redeemed(2)]).when(redeem(2)).then_already_applied();
}

#[test]
fn a_coupon_that_does_not_exist_is_refused_by_an_event_since_checkout_waits() {
    given::<Coupon>([]).when(redeem(2)).then([redemption_refused(2, CouponRefusal::NotIssued)]);
    let refused = || redemption_refused(2, CouponRefusal::NotIssued);
    given::<Coupon>([refused()]).when(issue()).then([issued()]);
    assert_eq!(fold::<Coupon>(&[refused()]), Coupon::Absent);
}

#[test]
fn a_coupon_is_good_for_its_customer_in_its_shop() {
    let coupon = fold::<Coupon>(&[issued()]);
    let (bob, other_shop) = ("bob".parse().unwrap(), "books".parse::<ShopId>().unwrap());
    let check = |shop: &ShopId, customer: &CustomerId| coupon.check_redemption(shop, customer, krw(2000));
    assert_eq!(check(&shop_id(), &customer_id()), Ok(krw(500)));
    assert_eq!(check(&shop_id(), &bob), Err(CouponRefusal::OtherCustomer));
    assert_eq!(check(&other_shop, &customer_id()), Err(CouponRefusal::OtherShop));
    assert_eq!(check(&other_shop, &bob), Err(CouponRefusal::OtherCustomer));
    let mut by_bob = redeem(2);
    let CouponCommand::RedeemCoupon { customer_id, .. } = &mut by_bob else { unreachable!() };
    *customer_id = bob;
    given::<Coupon>([issued()]).when(by_bob).then([redemption_refused(2, CouponRefusal::OtherCustomer)]);
}

#[test]
fn a_discount_that_is_not_the_coupons_is_refused() {
    for discount in [krw(0), krw(499), krw(501), eur(500)] {
        given::<Coupon>([issued()])
            .when(redeem_for(2, krw(2000), discount))
            .then([redemption_refused(2, CouponRefusal::OtherDiscount)]);
    }
}

#[test]
fn a_coupon_is_not_spent_for_nothing() {
    for (value, subtotal) in [
        (value(), krw(0)),
        (value(), eur(2000)),
        (CouponValue::Percent(10), krw(9)),
        (CouponValue::Percent(100), krw(0)),
    ] {
        let zero = Money::zero(subtotal.currency);
        given::<Coupon>([issued_as(value)])
            .when(redeem_for(2, subtotal, zero))
            .then([redemption_refused(2, CouponRefusal::NoDiscount)]);
    }
}

#[test]
fn a_discount_is_never_more_than_the_order_and_what_cannot_be_split_stays_with_the_shop() {
    for (value, subtotal, discount) in [
        (CouponValue::Amount(krw(500)), krw(499), krw(499)),
        (CouponValue::Amount(krw(500)), krw(500), krw(500)),
        (CouponValue::Percent(10), krw(19), krw(1)),
        (CouponValue::Percent(33), krw(100), krw(33)),
        (CouponValue::Percent(100), krw(crate::money::MAX_AMOUNT_MINOR), krw(crate::money::MAX_AMOUNT_MINOR)),
    ] {
        assert_eq!(value.discount_on(subtotal), discount);
        given::<Coupon>([issued_as(value)])
            .when(redeem_for(2, subtotal, discount))
            .then([redeemed_with(2, discount)]);
    }
}

#[test]
fn an_order_that_is_off_gives_the_coupon_back_once() {
    given::<Coupon>([issued(), redeemed(2)]).when(release(2)).then([released(2)]);
    given::<Coupon>([issued(), redeemed(2), released(2)]).when(release(2)).then_already_applied();
    given::<Coupon>([issued(), redeemed(2), released(2)]).when(redeem(3)).then([redeemed(3)]);
}

#[test]
fn an_order_that_does_not_use_the_coupon_cannot_give_it_back() {
    given::<Coupon>([issued(), redeemed(2)]).when(release(3)).then_already_applied();
    given::<Coupon>([]).when(release(2)).then_already_applied();
}

#[test]
fn a_coupon_is_issued_once() {
    for more in [vec![], vec![redeemed(2)], vec![revoked(1)], vec![redeemed(2), released(2)]] {
        given::<Coupon>([vec![issued()], more].concat()).when(issue()).then_already_applied();
    }
}

#[test]
fn the_coupon_of_an_order_follows_from_its_id_and_shares_its_partition() {
    assert_eq!(coupon_of(order_id(1)), coupon_of(order_id(1)));
    assert_ne!(coupon_of(order_id(1)), coupon_of(order_id(2)));
    assert_eq!(coupon_of(order_id(1)).partition(), order_id(1).partition());
}

#[tokio::test]
async fn the_cqrs_es_framework_runs_a_coupon() {
    let framework = || TestFramework::<Coupon>::with(());
    framework().given(vec![issued()]).when_async(redeem(2)).await.then_expect_events(vec![redeemed(2)]);
    framework().given(vec![issued()]).when_async(issue()).await.then_expect_events(vec![]);
    framework()
        .given(vec![withheld(1)])
        .when_async(issue())
        .await
        .then_expect_error(CouponError::RevokedBefore);
}
