//! Commands that overtake each other, in both orders of arrival.

use std::sync::atomic::Ordering::SeqCst;

use gateway::method;
use orderstream_sagas::process_names;

use crate::support::{Wish, World, again, deferred, plain, without};

const TAKEN_BACK: &str = "cancelled, refunded, cancelled; shelf 10+0 and 5+0; kept 0";
const FAILED: &str = "cancelled, refunded, failed; shelf 9+0 and 3+0; kept 0";
const ARRIVED: &str = "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000";
const NOTHING: &str = "cancelled, voided, absent; shelf 10+0 and 5+0; kept 0";

#[tokio::test]
async fn a_cancellation_that_arrives_before_the_shipping_stops_it() {
    let tell = async |w: &World| {
        let order = w.order(Wish::of(w)).await;
        w.accept(order).await.unwrap();
        w.cancel(order).await.unwrap();
        w.seen(order, "delivery.cancelled", 1).await;
        assert_eq!(w.ship(order).await.unwrap_err().code, "illegal_transition");
        order
    };
    again(tell, TAKEN_BACK).await;
}

#[tokio::test]
async fn a_cancellation_that_is_asked_for_before_the_shipping_and_arrives_after_it_is_refused() {
    let tell = async |w: &World| {
        w.only(&without("cancellation")).await;
        let order = w.order(Wish::of(w)).await;
        w.accept(order).await.unwrap();
        w.cancel(order).await.unwrap();
        w.ship(order).await.unwrap();
        w.settle().await;
        w.only(process_names()).await;
        w.settle().await;
        assert_eq!(w.status_of(order).await, ["confirmed", "captured", "shipped"]);
        w.complete(order).await.unwrap();
        order
    };
    again(tell, ARRIVED).await;
}

#[tokio::test]
async fn of_many_cancellations_and_shippings_at_once_each_order_sees_one() {
    let world = World::new().await;
    let pizza = world.list(700, Some(100)).await;
    let mut orders = Vec::new();
    for _ in 0..16 {
        orders.push(world.place(Wish::of(&world).lines(&[(pizza, 1, 700)])).await);
    }
    world.settle().await;
    futures::future::join_all(orders.iter().enumerate().map(async |(number, order)| {
        world.accept(*order).await.unwrap();
        let pause = std::time::Duration::from_micros(number as u64 * 200);
        let ship = async {
            tokio::time::sleep(pause).await;
            world.ship(*order).await.is_ok()
        };
        tokio::join!(ship, async { world.cancel(*order).await.unwrap() }).0
    }))
    .await;
    world.settle().await;
    let mut shipped = 0;
    for order in &orders {
        match world.status_of(*order).await {
            ["confirmed", "captured", "shipped"] => shipped += 1,
            ["cancelled", "refunded", "cancelled"] => {}
            other => panic!("neither shipped nor cancelled: {other:?}"),
        }
        world.end_of(*order).await;
    }
    assert_eq!(world.stock_of(pizza).await, (100 - shipped, 0));
    assert_eq!(world.open().await.len() as u64, shipped, "fulfilments of what is on its way");
}

#[tokio::test]
async fn goods_that_arrive_while_they_are_called_back_refuse_the_cancellation() {
    let tell = async |w: &World| {
        w.only(&without("cancellation")).await;
        let order = w.order(Wish::of(w)).await;
        w.accept_and_ship(order).await;
        w.cancel(order).await.unwrap();
        w.complete(order).await.unwrap();
        w.seen(order, "order.completed", 1).await;
        w.settle().await;
        w.only(process_names()).await;
        order
    };
    again(tell, ARRIVED).await;
}

/// Tells everything up to the moment when the delivery has refused to be called back and the order has not been told.
async fn being_refused(w: &World) -> domain::OrderId {
    let order = w.order(Wish::of(w)).await;
    w.accept_and_ship(order).await;
    w.settle().await;
    w.store.hold_before("order.cancellation_refused");
    w.cancel(order).await.unwrap();
    w.held().await;
    w.kill().await;
    w.store.release(false);
    order
}

#[tokio::test]
async fn goods_that_fail_while_their_customers_cancellation_is_being_refused_are_refunded() {
    let tell = async |w: &World| {
        let order = being_refused(w).await;
        w.fail(order).await.unwrap();
        // The failure reaches the order first.
        w.start(&["fulfilment"]).await;
        w.seen(order, "order.cancellation_requested", 2).await;
        w.only(process_names()).await;
        order
    };
    again(tell, FAILED).await;
}

#[tokio::test]
async fn goods_that_fail_just_after_their_customers_cancellation_was_refused_are_refunded() {
    let tell = async |w: &World| {
        let order = being_refused(w).await;
        w.fail(order).await.unwrap();
        // The refusal reaches the order first.
        w.start(&["cancellation"]).await;
        w.seen(order, "order.cancellation_refused", 1).await;
        w.only(process_names()).await;
        order
    };
    again(tell, FAILED).await;
}

#[tokio::test]
async fn goods_that_fail_before_their_customers_cancellation_reaches_them_are_refunded() {
    for fulfilment_first in [true, false] {
        let tell = async |w: &World| {
            let order = w.order(Wish::of(w)).await;
            w.accept_and_ship(order).await;
            w.settle().await;
            w.only(&[]).await;
            w.cancel(order).await.unwrap();
            w.fail(order).await.unwrap();
            if fulfilment_first {
                w.start_instead(&["fulfilment"]).await;
                w.seen(order, "order.cancellation_requested", 2).await;
            } else {
                w.start_instead(&without("fulfilment")).await;
                w.seen(order, "order.cancelled", 1).await;
            }
            w.only(process_names()).await;
            order
        };
        again(tell, FAILED).await;
    }
}

#[tokio::test]
async fn goods_that_failed_before_their_customer_wants_to_cancel_are_refunded_once() {
    let tell = async |w: &World| {
        w.only(&without("fulfilment")).await;
        let order = w.order(Wish::of(w)).await;
        w.only(process_names()).await;
        w.settle().await;
        w.accept_and_ship(order).await;
        w.settle().await;
        w.only(&without("fulfilment")).await;
        w.fail(order).await.unwrap();
        w.settle().await;
        w.cancel(order).await.unwrap();
        w.settle().await;
        w.only(process_names()).await;
        order
    };
    again(tell, FAILED).await;
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_request_for_the_delivery_wins() {
    let tell = async |w: &World| {
        w.only(&without("fulfilment")).await;
        let order = w.order(Wish::of(w)).await;
        w.cancel(order).await.unwrap();
        w.settle().await;
        assert_eq!(w.status_of(order).await, ["cancelled", "refunded", "cancelled"]);
        w.only(process_names()).await;
        w.settle().await;
        assert!(!w.events_of(order).await.contains(&"delivery.requested"));
        order
    };
    again(tell, TAKEN_BACK).await;
}

#[tokio::test]
async fn a_shop_and_a_customer_who_cancel_at_once_give_the_money_back_once() {
    for shop_first in [true, false] {
        let tell = async |w: &World| {
            let order = w.order(Wish::of(w)).await;
            w.only(&[]).await;
            if shop_first {
                w.shop_cancels(order).await.unwrap();
                w.cancel(order).await.unwrap();
            } else {
                w.cancel(order).await.unwrap();
                w.shop_cancels(order).await.unwrap();
            }
            w.start_instead(process_names()).await;
            order
        };
        again(tell, TAKEN_BACK).await;
    }
}

#[tokio::test]
async fn a_cancellation_before_anything_is_reserved_asks_for_no_payment() {
    let tell = async |w: &World| {
        w.only(&without("checkout")).await;
        let order = w.place(Wish::of(w)).await;
        w.cancel(order).await.unwrap();
        w.only(process_names()).await;
        order
    };
    again(tell, "cancelled, absent, absent; shelf 10+0 and 5+0; kept 0").await;
}

#[tokio::test]
async fn a_cancellation_before_a_product_refuses_ends_as_cancelled() {
    let tell = async |w: &World| {
        w.only(&without("checkout")).await;
        let order = w.place(Wish::of(w).lines(&[(w.shelf.first, 1, 900), (w.shelf.second, 6, 50)])).await;
        w.cancel(order).await.unwrap();
        w.only(process_names()).await;
        order
    };
    again(tell, "cancelled, absent, absent; shelf 10+0 and 5+0; kept 0").await;
}

/// The customer cancels at the moment before the event would be written.
async fn overtaken(w: &World, event: &'static str, wish: Wish) -> domain::OrderId {
    w.store.hold_before(event);
    let order = w.place(wish).await;
    w.held().await;
    let which = w.kill().await;
    w.store.release(false);
    w.cancel(order).await.unwrap();
    w.start(&which).await;
    order
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_confirmation_gives_the_money_back() {
    let tell = async |w: &World| overtaken(w, "order.confirmed", Wish::of(w)).await;
    again(tell, "cancelled, refunded, absent; shelf 10+0 and 5+0; kept 0").await;
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_rejection_ends_as_cancelled() {
    let declined =
        async |w: &World| overtaken(w, "order.rejected", Wish::of(w).token(method::DECLINED)).await;
    again(declined, "cancelled, declined, absent; shelf 10+0 and 5+0; kept 0").await;
    let refused = async |w: &World| {
        overtaken(w, "order.rejected", Wish::of(w).lines(&[(w.shelf.first, 11, 900)])).await
    };
    again(refused, "cancelled, absent, absent; shelf 10+0 and 5+0; kept 0").await;
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_payment_charges_nothing() {
    for event in ["payment.requested", "payment.capture_started"] {
        let tell = async |w: &World| {
            w.store.hold_before(event);
            let order = w.place(Wish::of(w)).await;
            w.held().await;
            w.kill().await;
            w.store.release(false);
            w.cancel(order).await.unwrap();
            // The undoing is faster than the charge.
            w.start(&["checkout"]).await;
            w.seen(order, "payment.voided", 1).await;
            w.only(process_names()).await;
            w.settle().await;
            assert!(w.provider.books().await.is_empty());
            order
        };
        again(tell, NOTHING).await;
    }
}

#[tokio::test]
async fn a_payment_that_is_voided_while_a_slow_card_is_charged_goes_back() {
    let tell = async |w: &World| {
        let order = w.place(Wish::of(w).token(method::SLOW)).await;
        w.provider.charges_asked(1).await;
        w.cancel(order).await.unwrap();
        w.seen(order, "payment.void_requested", 1).await;
        assert!(w.provider.books().await.is_empty(), "the card was not slow");
        order
    };
    plain(tell, "cancelled, refunded, absent; shelf 10+0 and 5+0; kept 0").await;
}

#[tokio::test]
async fn a_payment_that_is_made_while_the_order_is_cancelled_ends_in_one_of_both_ways() {
    for pause_micros in [0, 300, 1000, 3000] {
        let world = World::new().await;
        let order = world.order(Wish::of(&world).policy(deferred())).await;
        let pay = world.pay(order, method::OK);
        let cancel = async {
            tokio::time::sleep(std::time::Duration::from_micros(pause_micros)).await;
            world.cancel(order).await.unwrap();
        };
        // A payment that was voided before cannot be made.
        let _ = tokio::join!(pay, cancel);
        world.settle().await;
        let end = world.end_of(order).await;
        assert!(end.starts_with("cancelled, ") && end.ends_with("; shelf 10+0 and 5+0; kept 0"), "{end}");
    }
}

#[tokio::test]
async fn a_refund_that_the_provider_refuses_while_it_is_down_for_others_is_still_made_once() {
    let tell = async |w: &World| {
        let order = w.order(Wish::of(w)).await;
        w.provider.unreachable.store(2, SeqCst);
        w.provider.refunds_refused.store(1, SeqCst);
        w.provider.answers_lost.store(1, SeqCst);
        w.cancel(order).await.unwrap();
        w.seen(order, "payment.refund_failed", 1).await;
        w.settle().await;
        w.later(10).await;
        w.seen(order, "order.cancelled", 1).await;
        order
    };
    again(tell, TAKEN_BACK).await;
}
