//! What a shop answers, by example and over the whole grid.

use cqrs_es::test::TestFramework;

use super::{
    Shop, ShopClosed, ShopCommand, ShopError, ShopEvent, ShopOpened, ShopPolicyChanged, ShopReopened,
};
use crate::{
    CancellableUntil, CouponPolicy, Money, NotifiedChange, PaymentTerms, ShopPolicy,
    coupon::CouponValue,
    policy::{MAX_POLICY_SECS, PolicyError},
    testing::{Grid, given, krw, policy, shop_id},
};

fn put(name: &str, policy: ShopPolicy) -> ShopCommand {
    ShopCommand::PutShop { shop_id: shop_id(), name: name.to_owned(), policy }
}
fn deferred() -> ShopPolicy {
    ShopPolicy { payment: PaymentTerms::Deferred { pay_within_secs: 3600 }, ..policy() }
}
fn opened() -> ShopEvent {
    ShopOpened { shop_id: shop_id(), name: "Phones".to_owned(), policy: policy() }.into()
}
fn changed() -> ShopEvent {
    ShopPolicyChanged { shop_id: shop_id(), name: "Phones".to_owned(), policy: deferred() }.into()
}
fn closed() -> ShopEvent {
    ShopClosed { shop_id: shop_id() }.into()
}
fn reopened() -> ShopEvent {
    ShopReopened { shop_id: shop_id() }.into()
}

#[test]
fn every_command_in_every_state() {
    use ShopCommand::{CloseShop, ReopenShop};
    let first = || put("Phones", policy());
    let grid = Grid::<Shop> {
        histories: vec![
            ("absent", vec![]),
            ("open", vec![first()]),
            ("closed", vec![first(), CloseShop]),
            ("closed, then changed", vec![first(), CloseShop, put("Phones", deferred())]),
            ("reopened", vec![first(), CloseShop, ReopenShop]),
        ],
        commands: vec![
            ("put", first()),
            ("put another policy", put("Phones", deferred())),
            ("put another name", put("Telephones", policy())),
            ("put a blank name", put(" ", policy())),
            (
                "put a policy of no sense",
                put(
                    "Phones",
                    ShopPolicy { payment: PaymentTerms::Deferred { pay_within_secs: 0 }, ..policy() },
                ),
            ),
            ("close", CloseShop),
            ("reopen", ReopenShop),
        ],
        repeatable: &[],
    };
    insta::assert_snapshot!("grid", grid.run());
}

#[test]
fn a_shop_that_is_put_for_the_first_time_is_open() {
    given::<Shop>([]).when(put("Phones", policy())).then([opened()]);
}

#[test]
fn putting_the_same_shop_again_changes_nothing() {
    given::<Shop>([opened()]).when(put("Phones", policy())).then_already_applied();
    given::<Shop>([opened(), closed()]).when(put("Phones", policy())).then_already_applied();
}

#[test]
fn going_back_to_an_earlier_policy_is_a_change() {
    let back = ShopPolicyChanged { shop_id: shop_id(), name: "Phones".to_owned(), policy: policy() };
    given::<Shop>([opened(), changed()]).when(put("Phones", policy())).then([back.into()]);
}

#[test]
fn a_closed_shop_that_gets_another_policy_stays_closed() {
    given::<Shop>([opened(), closed(), changed()]).when(ShopCommand::CloseShop).then_already_applied();
    given::<Shop>([opened(), closed(), changed()]).when(ShopCommand::ReopenShop).then([reopened()]);
}

#[test]
fn a_shop_that_does_not_exist_is_neither_closed_nor_reopened() {
    given::<Shop>([]).when(ShopCommand::CloseShop).then_error(ShopError::NotFound);
    given::<Shop>([]).when(ShopCommand::ReopenShop).then_error(ShopError::NotFound);
}

#[test]
fn a_policy_that_makes_no_sense_is_refused_with_its_reason() {
    let times = [
        (PaymentTerms::AtOrder { decide_within_secs: 0 }, "decide_within_secs", 0),
        (PaymentTerms::Deferred { pay_within_secs: 0 }, "pay_within_secs", 0),
        (
            PaymentTerms::Deferred { pay_within_secs: MAX_POLICY_SECS + 1 },
            "pay_within_secs",
            MAX_POLICY_SECS + 1,
        ),
    ];
    for (payment, field, secs) in times {
        let error = PolicyError::TimeOutOfRange { field: field.to_owned(), secs };
        given::<Shop>([]).when(put("Phones", ShopPolicy { payment, ..policy() })).then_error(error.into());
    }
    let no_preparation =
        ShopPolicy { preparation: false, cancellable_until: CancellableUntil::Preparing, ..policy() };
    given::<Shop>([opened()])
        .when(put("Phones", no_preparation))
        .then_error(PolicyError::NoPreparation.into());
    let twice = ShopPolicy { notify: vec![NotifiedChange::OrderPlaced; 2], ..policy() };
    given::<Shop>([opened()])
        .when(put("Phones", twice))
        .then_error(PolicyError::NotifiedTwice(NotifiedChange::OrderPlaced).into());
}

#[test]
fn the_longest_times_of_a_policy_are_taken() {
    let payment = PaymentTerms::Deferred { pay_within_secs: MAX_POLICY_SECS };
    let refund_window_secs = Some(MAX_POLICY_SECS);
    assert_eq!(ShopPolicy { payment, refund_window_secs, ..policy() }.check(), Ok(()));
}

#[test]
fn a_refund_window_of_no_time_or_beyond_a_year_is_refused() {
    for secs in [0, MAX_POLICY_SECS + 1] {
        let error = PolicyError::TimeOutOfRange { field: "refund_window_secs".to_owned(), secs };
        let policy = ShopPolicy { refund_window_secs: Some(secs), ..policy() };
        given::<Shop>([]).when(put("Pizza", policy)).then_error(error.into());
    }
    assert_eq!(ShopPolicy { refund_window_secs: Some(1), ..policy() }.check(), Ok(()));
}

#[test]
fn a_coupon_is_worth_something_and_no_more_than_everything() {
    let with = |value, minimum| ShopPolicy { coupon: Some(CouponPolicy { value, minimum }), ..policy() };
    for value in [CouponValue::Amount(krw(1)), CouponValue::Percent(1), CouponValue::Percent(100)] {
        assert_eq!(with(value, krw(0)).check(), Ok(()));
    }
    for value in [CouponValue::Amount(krw(0)), CouponValue::Percent(0), CouponValue::Percent(101)] {
        given::<Shop>([]).when(put("Pizza", with(value, krw(0)))).then_error(PolicyError::Coupon.into());
    }
    let below_zero = Money { amount_minor: -1, ..krw(0) };
    let policy = with(CouponValue::Percent(10), below_zero);
    given::<Shop>([]).when(put("Pizza", policy)).then_error(PolicyError::Coupon.into());
}

#[test]
fn a_policy_without_a_refund_window_and_a_coupon_is_stored_as_it_was_before_there_were_any() {
    let stored = serde_json::to_value(policy()).unwrap();
    assert_eq!(stored.get("refund_window_secs"), None);
    assert_eq!(stored.get("coupon"), None);
    assert_eq!(serde_json::from_value::<ShopPolicy>(stored).unwrap(), policy());
    let pizza = serde_json::json!({
        "payment": {"when": "at_order"},
        "cancellable_until": "accepted",
        "refund_window_secs": 86_400,
        "coupon": {
            "value": {"kind": "amount", "value": {"amount_minor": 2000, "currency": "KRW"}},
            "minimum": {"amount_minor": 10_000, "currency": "KRW"},
        },
    });
    let pizza: ShopPolicy = serde_json::from_value(pizza).unwrap();
    let coupon = CouponPolicy { value: CouponValue::Amount(krw(2000)), minimum: krw(10_000) };
    assert_eq!((pizza.refund_window_secs, pizza.coupon), (Some(86_400), Some(coupon)));
}

#[test]
fn a_name_that_cannot_be_shown_is_refused() {
    for name in ["", "   ", "tab\tbed", "line\nbreak", "\u{0}", &"x".repeat(81)] {
        given::<Shop>([]).when(put(name, policy())).then_error(ShopError::Name);
        given::<Shop>([opened()]).when(put(name, policy())).then_error(ShopError::Name);
    }
    for name in ["x", &"x".repeat(80), &"한".repeat(80)] {
        let named = ShopOpened { shop_id: shop_id(), name: name.to_owned(), policy: policy() };
        given::<Shop>([]).when(put(name, policy())).then([named.into()]);
    }
}

#[tokio::test]
async fn the_cqrs_es_framework_runs_a_shop() {
    let framework = || TestFramework::<Shop>::with(());
    framework()
        .given(vec![opened()])
        .when_async(ShopCommand::CloseShop)
        .await
        .then_expect_events(vec![closed()]);
    framework().given(vec![opened()]).when_async(ShopCommand::ReopenShop).await.then_expect_events(vec![]);
    framework()
        .given_no_previous_events()
        .when_async(ShopCommand::CloseShop)
        .await
        .then_expect_error(ShopError::NotFound);
}
