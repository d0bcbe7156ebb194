//! Coupons that orders use: redeemed once, given back by whatever undoes the order.

use domain::{NotifiedChange, ShopPolicy, coupon::coupon_of};
use gateway::method;

use crate::support::{Wish, World, again, at_order, deferred, loyal, story, without};

/// An order that has earned a coupon: 9+0 and 3+0 are left on the shelf.
async fn earned(w: &World) -> domain::OrderId {
    w.before(w.delivered(Wish::of(w).policy(loyal(1000)))).await
}

story!(a_coupon_takes_its_discount_off, w => {
    let earlier = earned(w).await;
    w.order(Wish::of(w).coupon_of(earlier)).await
}, ends "confirmed, captured, requested; shelf 8+1 and 1+2; kept 900; used coupon redeemed; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(an_order_with_a_coupon_is_delivered told_twice, w => {
    let earlier = earned(w).await;
    w.delivered(Wish::of(w).policy(loyal(900)).coupon_of(earlier)).await
}, ends "completed, captured, delivered; shelf 8+0 and 1+0; kept 900; earned coupon issued; \
    used coupon redeemed");

story!(a_coupon_that_was_never_issued_rejects_the_order, w => {
    let not_done = domain::OrderId::from_uuid(w.ids.next_anywhere());
    w.order(Wish::of(w).coupon_of(not_done)).await
}, ends "rejected, absent, absent; shelf 10+0 and 5+0; kept 0; used coupon absent");

story!(a_coupon_that_another_order_uses_rejects_the_order told_twice, w => {
    let earlier = earned(w).await;
    w.order(Wish::of(w).lines(&[(w.shelf.first, 1, 900)]).coupon_of(earlier)).await;
    w.order(Wish::of(w).coupon_of(earlier)).await
}, ends "rejected, absent, absent; shelf 8+1 and 3+0; kept 0; used coupon redeemed; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(a_coupon_that_was_taken_back_rejects_the_order told_twice, w => {
    let earlier = earned(w).await;
    w.give_back(earlier, &[]).await;
    w.order(Wish::of(w).coupon_of(earlier)).await
}, ends "rejected, absent, absent; shelf 9+0 and 3+0; kept 0; used coupon revoked");

story!(an_order_out_of_stock_leaves_the_coupon_alone told_twice, w => {
    let earlier = earned(w).await;
    w.order(Wish::of(w).lines(&[(w.shelf.first, 10, 900)]).coupon_of(earlier)).await
}, ends "rejected, absent, absent; shelf 9+0 and 3+0; kept 0; used coupon issued");

story!(a_declined_card_gives_the_coupon_back, w => {
    let earlier = earned(w).await;
    w.order(Wish::of(w).token(method::DECLINED).coupon_of(earlier)).await
}, ends "rejected, declined, absent; shelf 9+0 and 3+0; kept 0; used coupon issued");

story!(a_payment_that_is_not_made_in_time_gives_the_coupon_back told_twice, w => {
    let earlier = earned(w).await;
    let order = w.order(Wish::of(w).policy(deferred()).coupon_of(earlier)).await;
    w.later(3600).await;
    w.seen(order, "order.rejected", 1).await;
    order
}, ends "rejected, expired, absent; shelf 9+0 and 3+0; kept 0; used coupon issued");

story!(an_order_that_is_cancelled_before_its_payment_gives_the_coupon_back, w => {
    let earlier = earned(w).await;
    let order = w.order(Wish::of(w).policy(deferred()).coupon_of(earlier)).await;
    w.cancel(order).await.unwrap();
    order
}, ends "cancelled, voided, absent; shelf 9+0 and 3+0; kept 0; used coupon issued");

story!(a_confirmed_order_that_is_cancelled_gives_the_coupon_back, w => {
    let earlier = earned(w).await;
    let order = w.order(Wish::of(w).coupon_of(earlier)).await;
    w.cancel(order).await.unwrap();
    order
}, ends "cancelled, refunded, cancelled; shelf 9+0 and 3+0; kept 0; used coupon issued");

story!(a_delivery_that_fails_gives_the_coupon_back told_twice, w => {
    let earlier = earned(w).await;
    let order = w.order(Wish::of(w).coupon_of(earlier)).await;
    w.accept_and_ship(order).await;
    w.fail(order).await.unwrap();
    order
}, ends "cancelled, refunded, failed; shelf 8+0 and 1+0; kept 0; used coupon issued");

story!(a_shop_that_calls_the_delivery_off_gives_the_coupon_back told_twice, w => {
    let earlier = earned(w).await;
    let order = w.order(Wish::of(w).coupon_of(earlier)).await;
    w.shop_cancels(order).await.unwrap();
    order
}, ends "cancelled, refunded, cancelled; shelf 9+0 and 3+0; kept 0; used coupon issued");

story!(a_coupon_that_was_given_back_can_be_used_again told_twice, w => {
    let earlier = earned(w).await;
    for _ in 0..2 {
        let order = w.order(Wish::of(w).coupon_of(earlier)).await;
        w.cancel(order).await.unwrap();
        w.settle().await;
    }
    w.order(Wish::of(w).coupon_of(earlier)).await
}, ends "confirmed, captured, requested; shelf 8+1 and 1+2; kept 900; used coupon redeemed; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(an_order_that_its_coupon_makes_free_needs_no_provider told_twice, w => {
    let all = domain::CouponPolicy {
        value: domain::coupon::CouponValue::Amount(crate::support::won(5000)),
        minimum: crate::support::won(1000),
    };
    let earlier = w.delivered(Wish::of(w).policy(ShopPolicy { coupon: Some(all), ..at_order() })).await;
    let coupon = domain::order::AppliedCoupon {
        coupon_id: coupon_of(earlier),
        discount: crate::support::won(1000),
    };
    let before = w.provider.books().await.len();
    let order = w.order(Wish { coupon: Some(coupon), ..Wish::of(w) }).await;
    assert_eq!(w.provider.books().await.len(), before, "the provider was asked");
    order
}, ends "confirmed, captured, requested; shelf 8+1 and 1+2; kept 0; used coupon redeemed; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

/// The customer cancels at the moment before the event would be written.
async fn cancelled_before(w: &World, event: &'static str, policy: ShopPolicy) -> domain::OrderId {
    let earlier = earned(w).await;
    w.store.hold_before(event);
    let order = w.place(Wish::of(w).policy(policy).coupon_of(earlier)).await;
    w.held().await;
    let which = w.kill().await;
    w.store.release(false);
    w.cancel(order).await.unwrap();
    w.start(&which).await;
    order
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_coupon_gives_it_back_without_a_payment() {
    let tell = async |w: &World| cancelled_before(w, "coupon.redeemed", at_order()).await;
    again(tell, "cancelled, absent, absent; shelf 9+0 and 3+0; kept 0; used coupon issued").await;
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_refusal_of_a_coupon_ends_as_cancelled() {
    let tell = async |w: &World| {
        let earlier = earned(w).await;
        w.order(Wish::of(w).lines(&[(w.shelf.first, 1, 900)]).coupon_of(earlier)).await;
        w.store.hold_before("coupon.redemption_refused");
        let order = w.place(Wish::of(w).coupon_of(earlier)).await;
        w.held().await;
        let which = w.kill().await;
        w.store.release(false);
        w.cancel(order).await.unwrap();
        w.start(&which).await;
        order
    };
    let end = "cancelled, absent, absent; shelf 8+1 and 3+0; kept 0; used coupon redeemed; \
        fulfilment waits for the shop to ship (DeliveryShipped)";
    again(tell, end).await;
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_payment_or_the_confirmation_gives_the_coupon_back() {
    let payment = async |w: &World| cancelled_before(w, "payment.requested", deferred()).await;
    again(payment, "cancelled, voided, absent; shelf 9+0 and 3+0; kept 0; used coupon issued").await;
    let confirmation = async |w: &World| cancelled_before(w, "order.confirmed", at_order()).await;
    again(confirmation, "cancelled, refunded, absent; shelf 9+0 and 3+0; kept 0; used coupon issued").await;
}

#[tokio::test]
async fn a_coupon_that_is_used_before_loyalty_has_issued_it_is_refused_and_good_later() {
    let tell = async |w: &World| {
        w.only(&without("loyalty")).await;
        let earlier = earned(w).await;
        let first = w.order(Wish::of(w).coupon_of(earlier)).await;
        assert_eq!(w.status_of(first).await[0], "rejected");
        w.only(orderstream_sagas::process_names()).await;
        w.settle().await;
        w.order(Wish::of(w).notify(&[NotifiedChange::OrderConfirmed]).coupon_of(earlier)).await
    };
    let end = "confirmed, captured, requested; shelf 8+1 and 1+2; kept 900; used coupon redeemed; \
        fulfilment waits for the shop to ship (DeliveryShipped)";
    again(tell, end).await;
}
