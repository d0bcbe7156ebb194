//! Numbers and words that logs, programs and people hold on to: a change here is a change for them.
#![allow(clippy::unwrap_used, missing_docs)]

use orderstream_domain::{
    AggregateKind, CustomerId, NotifiedChange, Partition, ShopId, ShopPolicy,
    coupon::CouponRefusal,
    delivery::ReturnRefusal,
    ids::{PARTITION_BITS, derive_uuid},
    money::{MAX_AMOUNT_MINOR, MAX_QUANTITY},
    order::{CancellationCause, MAX_LINES, MAX_OPTION_CHARS},
    policy::{DEFAULT_DECIDE_WITHIN_SECS, MAX_POLICY_SECS, PolicyError},
    product::MAX_STOCK,
    resort::{MAX_CANCEL_DAYS, MAX_NAME_CHARS},
    stay::MAX_NIGHTS,
    voucher::MAX_SENDINGS,
};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

#[test]
fn bounds_are_what_the_documents_say() {
    assert_eq!(MAX_AMOUNT_MINOR, 9_007_199_254_740_991);
    assert_eq!((MAX_QUANTITY, MAX_LINES, MAX_OPTION_CHARS), (10_000, 100, 40));
    assert_eq!((MAX_POLICY_SECS, DEFAULT_DECIDE_WITHIN_SECS), (31_536_000, 300));
    assert_eq!((MAX_STOCK, MAX_CANCEL_DAYS, MAX_NAME_CHARS), (1_000_000_000, 365, 100));
    assert_eq!((MAX_NIGHTS, MAX_SENDINGS, PARTITION_BITS), (90, 20, 10));
}

#[test]
fn ids_that_are_derived_stay_what_they_are_in_logs() {
    // Streams of shops and children of orders are found by these ids: another hash would lose them.
    let shop: ShopId = "phone".parse().unwrap();
    assert_eq!(shop.uuid().to_string(), "00000000-0000-71ab-85b9-c794697ab491");
    assert_eq!(shop.partition().get(), 0x091);
    let order: Uuid = "0190a000-0000-7abc-8def-0123456789ab".parse().unwrap();
    assert_eq!(Partition::of(order).get(), 0x1ab);
    assert_eq!(derive_uuid(order, "payment", "").to_string(), "0190a000-0000-780d-8080-ad9b0d54c1ab");
}

/// Each value is stored as the word that answers and views have for it.
fn words<T: Copy + Serialize>(name: fn(T) -> &'static str, values: &[(T, &str)]) {
    for (value, word) in values {
        assert_eq!((name(*value), serde_json::to_value(value).unwrap()), (*word, json!(word)));
    }
}

#[test]
fn words_in_answers_are_those_that_are_stored() {
    let coupons = [
        (CouponRefusal::NotIssued, "not_issued"),
        (CouponRefusal::AlreadyRedeemed, "already_redeemed"),
        (CouponRefusal::Revoked, "revoked"),
        (CouponRefusal::OtherCustomer, "other_customer"),
        (CouponRefusal::OtherShop, "other_shop"),
        (CouponRefusal::OtherDiscount, "other_discount"),
        (CouponRefusal::NoDiscount, "no_discount"),
    ];
    words(CouponRefusal::name, &coupons);
    let returns = [
        (ReturnRefusal::NotDelivered, "not_delivered"),
        (ReturnRefusal::NoReturns, "no_returns"),
        (ReturnRefusal::WindowOver, "window_over"),
        (ReturnRefusal::ReturnOpen, "return_open"),
        (ReturnRefusal::MoreThanDelivered, "more_than_delivered"),
    ];
    words(ReturnRefusal::name, &returns);
    let causes = [
        (CancellationCause::Requested, "requested"),
        (CancellationCause::ShopCancelledDelivery, "shop_cancelled_delivery"),
        (CancellationCause::DeliveryFailed, "delivery_failed"),
    ];
    words(CancellationCause::name, &causes);
    for change in NotifiedChange::ALL {
        assert_eq!(serde_json::to_value(change).unwrap(), change.name());
    }
    for kind in AggregateKind::ALL {
        assert_eq!(AggregateKind::from_code(kind.code()), Some(kind));
        assert!(kind.name().bytes().all(|byte| byte.is_ascii_lowercase()) && !kind.name().is_empty());
    }
}

fn policy(change: impl FnOnce(&mut Value)) -> Result<(), PolicyError> {
    let mut policy = json!({
        "payment": {"when": "at_order"}, "preparation": true, "cancellable_until": "preparing",
        "notify": ["order_confirmed", "payment_captured"], "refund_window_secs": 60,
    });
    change(&mut policy);
    serde_json::from_value::<ShopPolicy>(policy).unwrap().check()
}

#[test]
fn a_policy_is_refused_for_what_is_wrong_with_it_and_for_nothing_else() {
    assert_eq!(policy(|_| {}), Ok(()));
    // Each of the two alone is fine; only together they contradict each other.
    assert_eq!(policy(|it| it["cancellable_until"] = json!("accepted")), Ok(()));
    let both =
        |it: &mut Value| (it["preparation"], it["cancellable_until"]) = (json!(false), json!("accepted"));
    assert_eq!(policy(both), Ok(()));
    assert_eq!(policy(|it| it["preparation"] = json!(false)), Err(PolicyError::NoPreparation));
    for secs in [1, MAX_POLICY_SECS] {
        assert_eq!(policy(|it| it["refund_window_secs"] = json!(secs)), Ok(()));
        assert_eq!(policy(|it| it["payment"]["decide_within_secs"] = json!(secs)), Ok(()));
    }
    for secs in [0, MAX_POLICY_SECS + 1] {
        let field = |name: &str| Err(PolicyError::TimeOutOfRange { field: name.to_owned(), secs });
        assert_eq!(policy(|it| it["refund_window_secs"] = json!(secs)), field("refund_window_secs"));
        assert_eq!(
            policy(|it| it["payment"]["decide_within_secs"] = json!(secs)),
            field("decide_within_secs")
        );
        let deferred = |it: &mut Value| it["payment"] = json!({"when": "deferred", "pay_within_secs": secs});
        assert_eq!(policy(deferred), field("pay_within_secs"));
    }
    let twice = policy(|it| it["notify"] = json!(["order_placed", "order_confirmed", "order_placed"]));
    assert_eq!(twice, Err(PolicyError::NotifiedTwice(NotifiedChange::OrderPlaced)));
    let elsewhere = policy(|it| it["notify"] = json!(["reservation_paid"]));
    assert_eq!(elsewhere, Err(PolicyError::NotifiedElsewhere(NotifiedChange::ReservationPaid)));
    let coupon = |kind: &str, value: Value, minimum: i64| {
        let minimum = json!({"amount_minor": minimum, "currency": "KRW"});
        let coupon = json!({"value": {"kind": kind, "value": value}, "minimum": minimum});
        policy(|it| it["coupon"] = coupon)
    };
    let money = |amount: i64, currency: &str| json!({"amount_minor": amount, "currency": currency});
    for percent in [1, 100] {
        assert_eq!(coupon("percent", json!(percent), 0), Ok(()));
    }
    for percent in [0, 101] {
        assert_eq!(coupon("percent", json!(percent), 0), Err(PolicyError::Coupon));
    }
    assert_eq!(coupon("amount", money(1, "KRW"), 5), Ok(()));
    assert_eq!(coupon("amount", money(0, "KRW"), 5), Err(PolicyError::Coupon));
    assert_eq!(coupon("amount", money(1, "EUR"), 5), Err(PolicyError::Coupon));
}

#[test]
fn a_customer_is_named_by_what_their_token_says() {
    let long = "c".repeat(128);
    for good in ["alice", "auth0|5f", "a@b.c", "~", long.as_str()] {
        assert_eq!(good.parse::<CustomerId>().unwrap().as_str(), good);
    }
    let longer = "c".repeat(129);
    for wrong in ["", "a b", "a/b", "jürgen", "a\n", longer.as_str()] {
        assert!(wrong.parse::<CustomerId>().is_err(), "{wrong:?} was taken");
    }
}

#[test]
fn a_shop_is_named_by_a_slug_and_nothing_else() {
    for good in ["phone", "a", "shop-2", "z9-"] {
        assert_eq!(good.parse::<ShopId>().unwrap().as_str(), good);
    }
    let long = "a".repeat(41);
    for wrong in ["", "2nd", "-phone", "Phone", "phone shop", "phone_shop", "phöne", long.as_str()] {
        assert!(wrong.parse::<ShopId>().is_err(), "{wrong:?} was taken");
    }
}
