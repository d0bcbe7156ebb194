//! Cancellation of confirmed orders: first the goods, then the money, then the stock.

use domain::{CancellableUntil, ShopPolicy};

use crate::support::{Wish, at_order, story};

story!(an_order_at_the_shop_is_taken_back, w => {
    let order = w.order(Wish::of(w)).await;
    w.cancel(order).await.unwrap();
    order
}, ends "cancelled, refunded, cancelled; shelf 10+0 and 5+0; kept 0");

story!(an_accepted_order_is_taken_back_where_the_policy_says_so told_twice, w => {
    let order = w.order(Wish::of(w)).await;
    w.accept(order).await.unwrap();
    w.cancel(order).await.unwrap();
    order
}, ends "cancelled, refunded, cancelled; shelf 10+0 and 5+0; kept 0");

story!(an_accepted_order_is_kept_where_the_policy_says_so, w => {
    let strict = ShopPolicy { cancellable_until: CancellableUntil::Requested, ..at_order() };
    let order = w.order(Wish::of(w).policy(strict)).await;
    w.accept(order).await.unwrap();
    w.cancel(order).await.unwrap();
    order
}, ends "confirmed, captured, accepted; shelf 9+1 and 3+2; kept 1000; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(an_order_of_nothing_to_pay_is_taken_back_without_the_provider, w => {
    let order = w.order(Wish::of(w).lines(&[(w.shelf.first, 1, 0)])).await;
    w.cancel(order).await.unwrap();
    w.settle().await;
    assert!(w.provider.books().await.is_empty());
    order
}, ends "cancelled, refunded, cancelled; shelf 10+0 and 5+0; kept 0");

story!(goods_that_left_the_shop_are_not_called_back, w => {
    let order = w.order(Wish::of(w)).await;
    w.accept_and_ship(order).await;
    w.cancel(order).await.unwrap();
    order
}, ends "confirmed, captured, shipped; shelf 9+0 and 3+0; kept 1000; \
    fulfilment waits for the courier to deliver (DeliveryCompleted)");

story!(a_refused_cancellation_can_be_wished_for_and_refused_again, w => {
    let order = w.order(Wish::of(w)).await;
    w.accept_and_ship(order).await;
    for times in 1..=2 {
        w.cancel(order).await.unwrap();
        w.seen(order, "order.cancellation_refused", times).await;
        w.settle().await;
    }
    w.complete(order).await.unwrap();
    order
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000");

story!(goods_that_fail_after_a_refused_cancellation_are_refunded, w => {
    let order = w.order(Wish::of(w)).await;
    w.accept_and_ship(order).await;
    w.cancel(order).await.unwrap();
    w.settle().await;
    w.fail(order).await.unwrap();
    order
}, ends "cancelled, refunded, failed; shelf 9+0 and 3+0; kept 0");

story!(a_cancellation_asked_for_twice_is_done_once told_twice, w => {
    let order = w.order(Wish::of(w)).await;
    w.cancel(order).await.unwrap();
    w.cancel(order).await.unwrap();
    w.settle().await;
    w.cancel(order).await.unwrap();
    order
}, ends "cancelled, refunded, cancelled; shelf 10+0 and 5+0; kept 0");
