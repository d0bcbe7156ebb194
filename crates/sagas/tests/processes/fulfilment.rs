//! Fulfilment: a confirmed order reaches the customer, or is given up.

use crate::support::{Wish, story};

story!(goods_that_arrive_complete_the_order, w => {
    let order = w.order(Wish::of(w)).await;
    w.accept_and_ship(order).await;
    w.settle().await;
    w.complete(order).await.unwrap();
    order
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000");

story!(goods_that_arrive_at_once_complete_the_order, w => {
    let order = w.order(Wish::of(w)).await;
    w.accept_and_ship(order).await;
    w.complete(order).await.unwrap();
    order
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000");

story!(goods_on_their_way_have_left_the_stock told_twice, w => {
    let order = w.order(Wish::of(w)).await;
    w.accept_and_ship(order).await;
    order
}, ends "confirmed, captured, shipped; shelf 9+0 and 3+0; kept 1000; \
    fulfilment waits for the courier to deliver (DeliveryCompleted)");

story!(goods_of_a_product_that_was_withdrawn_meanwhile_still_arrive told_twice, w => {
    let order = w.order(Wish::of(w)).await;
    w.withdraw(w.shelf.first).await;
    w.accept_and_ship(order).await;
    w.complete(order).await.unwrap();
    order
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000");

story!(goods_that_fail_on_the_way_are_refunded_and_lost_to_the_shelf, w => {
    let order = w.order(Wish::of(w)).await;
    w.accept_and_ship(order).await;
    w.fail(order).await.unwrap();
    order
}, ends "cancelled, refunded, failed; shelf 9+0 and 3+0; kept 0");

story!(a_shop_that_calls_the_delivery_off_gives_everything_back, w => {
    let order = w.order(Wish::of(w)).await;
    w.shop_cancels(order).await.unwrap();
    order
}, ends "cancelled, refunded, cancelled; shelf 10+0 and 5+0; kept 0");

story!(a_shop_that_calls_an_accepted_delivery_off_gives_everything_back, w => {
    let order = w.order(Wish::of(w)).await;
    w.accept(order).await.unwrap();
    w.settle().await;
    w.shop_cancels(order).await.unwrap();
    order
}, ends "cancelled, refunded, cancelled; shelf 10+0 and 5+0; kept 0");
