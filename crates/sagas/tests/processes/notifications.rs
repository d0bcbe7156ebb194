//! Notifications: what the policy names, in order, at least once; never in anybody's way.

use std::sync::atomic::Ordering::SeqCst;

use domain::NotifiedChange::{self, OrderCancelled, OrderConfirmed, OrderPlaced, PaymentRefunded};

use crate::support::{ALWAYS, Wish, World, plain, story};

story!(customers_are_told_of_everything_that_the_policy_names_in_order, w => {
    let order = w.order(Wish::of(w).notify(&NotifiedChange::ALL)).await;
    w.accept_and_ship(order).await;
    w.complete(order).await.unwrap();
    w.settle().await;
    let told = [
        "order_placed", "payment_captured", "order_confirmed", "delivery_requested", "delivery_accepted",
        "delivery_shipped", "delivery_completed", "order_completed",
    ];
    assert_eq!(w.mailbox.told(), told);
    assert_eq!(w.notifications_of(order).await, told.map(|change| format!("{change} sent")));
    order
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000");

story!(customers_are_told_of_nothing_else, w => {
    let order = w.order(Wish::of(w).notify(&[OrderCancelled, PaymentRefunded])).await;
    w.cancel(order).await.unwrap();
    w.settle().await;
    assert_eq!(w.mailbox.told(), ["payment_refunded", "order_cancelled"]);
    order
}, ends "cancelled, refunded, cancelled; shelf 10+0 and 5+0; kept 0");

story!(a_channel_that_is_busy_for_a_while_gets_its_messages_in_order, w => {
    w.mailbox.busy.store(3, SeqCst);
    let order = w.order(Wish::of(w).notify(&[OrderPlaced, OrderConfirmed])).await;
    assert_eq!(w.mailbox.told(), ["order_placed", "order_confirmed"]);
    assert_eq!(w.notifications_of(order).await, ["order_placed sent", "order_confirmed sent"]);
    order
}, ends "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(a_channel_that_stays_busy_fails_the_notification_and_nothing_else, w => {
    w.mailbox.busy.store(ALWAYS, SeqCst);
    let order = w.order(Wish::of(w).notify(&[OrderPlaced, OrderConfirmed])).await;
    assert_eq!(w.notifications_of(order).await, ["order_placed failed", "order_confirmed failed"]);
    order
}, ends "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(a_channel_that_refuses_a_message_fails_it_and_takes_the_next, w => {
    w.mailbox.refuses.store(1, SeqCst);
    let order = w.order(Wish::of(w).notify(&[OrderPlaced])).await;
    assert_eq!(w.notifications_of(order).await.len(), 1);
    let other = w.order(Wish::of(w).notify(&[OrderPlaced]).lines(&[(w.shelf.first, 99, 1)])).await;
    assert_eq!(w.notifications_of(other).await, ["order_placed sent"]);
    order
}, ends "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

#[tokio::test]
async fn a_channel_is_tried_for_long_and_a_refusing_one_once() {
    async fn tries(world: &World) -> u32 {
        let before = world.mailbox.tries();
        world.order(Wish::of(world).notify(&[OrderPlaced]).lines(&[(world.shelf.first, 99, 1)])).await;
        world.mailbox.tries() - before
    }
    let world = World::new().await;
    world.mailbox.busy.store(ALWAYS, SeqCst);
    assert_eq!(tries(&world).await, 64);
    world.mailbox.busy.store(0, SeqCst);
    world.mailbox.refuses.store(ALWAYS, SeqCst);
    assert_eq!(tries(&world).await, 1);
    world.mailbox.refuses.store(0, SeqCst);
    assert_eq!(tries(&world).await, 1);
}

#[tokio::test]
async fn a_shop_that_tells_of_nothing_leaves_no_instance() {
    let tell = async |world: &World| {
        let order = world.order(Wish::of(world)).await;
        let instance = world.sagas().show("notifications", order.uuid()).await.unwrap();
        assert_eq!(instance, None);
        order
    };
    let end = "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
        fulfilment waits for the shop to ship (DeliveryShipped)";
    plain(tell, end).await;
}
