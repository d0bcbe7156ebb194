//! Loyalty: a completed order earns a coupon, once, and only if enough is paid for it.

use domain::ShopPolicy;

use crate::support::{Wish, World, loyal, plain, story, without};

story!(a_completed_order_earns_a_coupon, w => {
    w.delivered(Wish::of(w).policy(loyal(1000))).await
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000; earned coupon issued");

story!(an_order_that_is_too_small_earns_none told_twice, w => {
    w.delivered(Wish::of(w).policy(loyal(1001))).await
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000");

story!(an_order_that_is_too_small_after_its_discount_earns_none told_twice, w => {
    let earlier = w.delivered(Wish::of(w).policy(loyal(950))).await;
    w.delivered(Wish::of(w).policy(loyal(950)).coupon_of(earlier)).await
}, ends "completed, captured, delivered; shelf 8+0 and 1+0; kept 900; used coupon redeemed");

story!(an_order_on_its_way_has_not_earned_anything_yet told_twice, w => {
    let order = w.order(Wish::of(w).policy(loyal(1))).await;
    w.accept_and_ship(order).await;
    order
}, ends "confirmed, captured, shipped; shelf 9+0 and 3+0; kept 1000; \
    fulfilment waits for the courier to deliver (DeliveryCompleted)");

story!(an_order_that_is_cancelled_earns_nothing told_twice, w => {
    let order = w.order(Wish::of(w).policy(loyal(1))).await;
    w.accept_and_ship(order).await;
    w.fail(order).await.unwrap();
    order
}, ends "cancelled, refunded, failed; shelf 9+0 and 3+0; kept 0");

story!(a_shop_that_takes_nothing_back_gives_coupons_too told_twice, w => {
    let policy = ShopPolicy { refund_window_secs: None, ..loyal(1) };
    w.delivered(Wish::of(w).policy(policy)).await
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000; earned coupon issued");

story!(a_coupon_is_issued_later_if_loyalty_did_not_run told_twice, w => {
    w.only(&without("loyalty")).await;
    let order = w.delivered(Wish::of(w).policy(loyal(1))).await;
    assert_eq!(w.coupon_status(order).await, "absent");
    w.only(orderstream_sagas::process_names()).await;
    order
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000; earned coupon issued");

story!(a_refund_that_is_faster_than_loyalty_withholds_the_coupon told_twice, w => {
    w.only(&without("loyalty")).await;
    let order = w.delivered(Wish::of(w).policy(loyal(1))).await;
    w.give_back(order, &[]).await;
    assert_eq!(w.coupon_status(order).await, "withheld");
    w.only(orderstream_sagas::process_names()).await;
    order
}, ends "completed, refunded, returned; shelf 9+0 and 3+0; kept 0; refund of 1000 less 0; \
    earned coupon withheld");

story!(a_refund_that_is_called_off_before_loyalty_runs_leaves_the_customer_the_coupon told_twice, w => {
    w.only(&without("loyalty")).await;
    let order = w.delivered(Wish::of(w).policy(loyal(1))).await;
    let refund = w.ask_back(order, &[]).await;
    w.settle().await;
    w.keep_goods(order, refund).await.unwrap();
    w.settle().await;
    w.only(orderstream_sagas::process_names()).await;
    order
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000; refund cancelled; \
    earned coupon issued");

#[tokio::test]
async fn loyalty_that_runs_while_the_goods_go_back_issues_nothing() {
    let tell = async |w: &World| {
        w.only(&without("loyalty")).await;
        let order = w.delivered(Wish::of(w).policy(loyal(1))).await;
        w.ask_back(order, &[]).await;
        w.settle().await;
        w.only(orderstream_sagas::process_names()).await;
        w.settle().await;
        assert_eq!(w.coupon_status(order).await, "withheld");
        assert_eq!(w.events_of(order).await.iter().filter(|name| **name == "coupon.issued").count(), 0);
        w.receive(order).await.unwrap();
        order
    };
    let end = "completed, refunded, returned; shelf 9+0 and 3+0; kept 0; refund of 1000 less 0; \
        earned coupon withheld";
    plain(tell, end).await;
}
