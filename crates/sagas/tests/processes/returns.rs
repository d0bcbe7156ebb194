//! Returns: goods go back, then money; the coupon that the order earned goes with them.

use domain::{OrderId, delivery::DeliveryCommand, order::delivery_of};

use crate::support::{Wish, World, again, at_order, loyal, returnable, story};

/// An order of 1000 that has earned a coupon, and kept it while so much is kept.
async fn earned(w: &World, minimum: i64) -> OrderId {
    w.before(w.delivered(Wish::of(w).policy(loyal(minimum)))).await
}

/// An order of 1000 that has arrived.
async fn arrived(w: &World) -> OrderId {
    w.before(w.delivered(Wish::of(w).policy(returnable()))).await
}

/// Waits until the goods are on their way back.
async fn going_back(w: &World, order: OrderId, times: usize) {
    w.seen(order, "delivery.return_started", times).await;
}

story!(a_refund_of_everything_gives_the_money_back_and_takes_the_coupon, w => {
    let order = earned(w, 1000).await;
    w.ask_back(order, &[]).await;
    going_back(w, order, 1).await;
    w.receive(order).await.unwrap();
    order
}, ends "completed, refunded, returned; shelf 9+0 and 3+0; kept 0; refund of 1000 less 0; \
    earned coupon revoked");

story!(a_refund_of_an_order_without_a_coupon_gives_the_money_back, w => {
    let order = arrived(w).await;
    w.ask_back(order, &[(w.shelf.first, 1)]).await;
    w.settle().await;
    w.receive(order).await.unwrap();
    order
}, ends "completed, partially_refunded, delivered; shelf 9+0 and 3+0; kept 100; refund of 900 less 0");

story!(a_part_that_leaves_enough_leaves_the_coupon, w => {
    let order = earned(w, 950).await;
    w.give_back(order, &[(w.shelf.second, 1)]).await;
    order
}, ends "completed, partially_refunded, delivered; shelf 9+0 and 3+0; kept 950; refund of 50 less 0; \
    earned coupon issued");

story!(a_part_that_leaves_too_little_takes_the_coupon told_twice, w => {
    let order = earned(w, 951).await;
    w.give_back(order, &[(w.shelf.second, 1)]).await;
    order
}, ends "completed, partially_refunded, delivered; shelf 9+0 and 3+0; kept 950; refund of 50 less 0; \
    earned coupon revoked");

story!(part_after_part_gives_everything_back_to_the_last_won told_twice, w => {
    let pizza = w.list(333, None).await;
    let order = w.delivered(Wish::of(w).policy(loyal(500)).lines(&[(pizza, 3, 333)])).await;
    for _ in 0..3 {
        w.give_back(order, &[(pizza, 1)]).await;
    }
    order
}, ends "completed, refunded, returned; shelf 10+0 and 5+0; kept 0; refund of 333 less 0; \
    refund of 333 less 0; refund of 333 less 0; earned coupon revoked");

story!(what_a_discount_has_spread_over_the_pieces_comes_back_to_the_last_won told_twice, w => {
    let pizza = w.list(335, None).await;
    let earlier = earned(w, 1000).await;
    let wish = Wish::of(w).policy(returnable()).lines(&[(pizza, 3, 335)]).coupon_of(earlier);
    let order = w.delivered(wish).await;
    for _ in 0..3 {
        w.give_back(order, &[(pizza, 1)]).await;
    }
    order
}, ends "completed, refunded, returned; shelf 9+0 and 3+0; kept 0; refund of 301 less 0; \
    refund of 302 less 0; refund of 302 less 0; used coupon issued");

story!(a_coupon_that_is_spent_comes_off_the_refund, w => {
    let order = w.before(async {
        let order = w.delivered(Wish::of(w).policy(loyal(1000))).await;
        w.order(Wish::of(w).coupon_of(order)).await;
        order
    })
    .await;
    w.ask_back(order, &[]).await;
    w.settle().await;
    w.receive(order).await.unwrap();
    order
}, ends "completed, partially_refunded, returned; shelf 8+1 and 1+2; kept 100; refund of 900 less 100; \
    earned coupon redeemed; fulfilment waits for the shop to ship (DeliveryShipped)");

/// An order that has earned a coupon which took 300 off another.
async fn spent(w: &World) -> OrderId {
    w.before(async {
        let order = w.delivered(Wish::of(w).policy(loyal(1000))).await;
        let pizza = w.list(3000, None).await;
        w.delivered(Wish::of(w).lines(&[(pizza, 1, 3000)]).coupon_of(order)).await;
        order
    })
    .await
}

story!(a_coupon_that_was_worth_more_than_the_refund_leaves_nothing_of_it, w => {
    let order = spent(w).await;
    w.give_back(order, &[(w.shelf.second, 1)]).await;
    order
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000; refund of 0 less 50; \
    earned coupon redeemed");

story!(what_is_still_owed_for_a_spent_coupon_comes_off_the_next_refund told_twice, w => {
    let order = spent(w).await;
    w.give_back(order, &[(w.shelf.second, 1)]).await;
    w.give_back(order, &[]).await;
    order
}, ends "completed, partially_refunded, returned; shelf 9+0 and 3+0; kept 300; refund of 0 less 50; \
    refund of 700 less 250; earned coupon redeemed");

story!(a_coupon_that_was_paid_for_is_good_again_once_its_order_is_off told_twice, w => {
    let order = earned(w, 1000).await;
    let using = w.order(Wish::of(w).coupon_of(order)).await;
    w.give_back(order, &[]).await;
    w.cancel(using).await.unwrap();
    order
}, ends "completed, partially_refunded, returned; shelf 9+0 and 3+0; kept 100; refund of 900 less 100; \
    earned coupon issued");

story!(a_return_that_is_cancelled_gives_the_coupon_back_and_no_money, w => {
    let order = earned(w, 1000).await;
    let refund = w.ask_back(order, &[]).await;
    going_back(w, order, 1).await;
    w.keep_goods(order, refund).await.unwrap();
    order
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000; refund cancelled; \
    earned coupon issued");

story!(a_return_that_is_cancelled_may_be_asked_for_again told_twice, w => {
    let order = earned(w, 1000).await;
    let refund = w.ask_back(order, &[]).await;
    w.settle().await;
    w.keep_goods(order, refund).await.unwrap();
    w.settle().await;
    w.give_back(order, &[]).await;
    order
}, ends "completed, refunded, returned; shelf 9+0 and 3+0; kept 0; refund cancelled; \
    refund of 1000 less 0; earned coupon revoked");

story!(a_return_that_is_cancelled_owes_nothing_for_a_spent_coupon told_twice, w => {
    let order = earned(w, 1000).await;
    w.delivered(Wish::of(w).coupon_of(order)).await;
    let refund = w.ask_back(order, &[(w.shelf.first, 1)]).await;
    w.settle().await;
    w.keep_goods(order, refund).await.unwrap();
    w.settle().await;
    w.give_back(order, &[]).await;
    order
}, ends "completed, partially_refunded, returned; shelf 8+0 and 1+0; kept 100; refund cancelled; \
    refund of 900 less 100; earned coupon redeemed");

story!(goods_that_have_not_arrived_do_not_go_back, w => {
    let order = w.order(Wish::of(w).policy(returnable())).await;
    w.accept_and_ship(order).await;
    w.ask_back(order, &[]).await;
    order
}, ends "confirmed, captured, shipped; shelf 9+0 and 3+0; kept 1000; refund refused: not_delivered; \
    fulfilment waits for the courier to deliver (DeliveryCompleted)");

story!(goods_that_were_never_sent_do_not_go_back told_twice, w => {
    let order = w.order(Wish::of(w).policy(returnable()).lines(&[(w.shelf.first, 11, 900)])).await;
    w.ask_back(order, &[]).await;
    order
}, ends "rejected, absent, absent; shelf 10+0 and 5+0; kept 0; refund refused: not_delivered");

story!(a_shop_that_takes_nothing_back_refuses told_twice, w => {
    let order = w.delivered(Wish::of(w).policy(at_order())).await;
    w.ask_back(order, &[]).await;
    order
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000; refund refused: no_returns");

story!(goods_that_arrived_too_long_ago_do_not_go_back, w => {
    let order = arrived(w).await;
    w.later(3600).await;
    w.seen(order, "delivery.return_window_closed", 1).await;
    w.ask_back(order, &[]).await;
    order
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000; refund refused: window_over");

story!(goods_that_are_too_late_do_not_go_back_even_if_nobody_closed_the_window told_twice, w => {
    let order = arrived(w).await;
    w.only(&["returns", "payments"]).await;
    w.later(3600).await;
    w.ask_back(order, &[]).await;
    w.settle().await;
    w.only(orderstream_sagas::process_names()).await;
    w.seen(order, "delivery.return_window_closed", 1).await;
    order
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000; refund refused: window_over");

story!(who_asks_in_time_is_in_time_however_late_it_is_seen told_twice, w => {
    let order = arrived(w).await;
    w.only(&[]).await;
    w.ask_back(order, &[]).await;
    w.clock.advance(std::time::Duration::from_secs(3600));
    w.start_instead(&["fulfilment"]).await;
    w.seen(order, "delivery.return_window_closed", 1).await;
    w.only(orderstream_sagas::process_names()).await;
    w.settle().await;
    w.receive(order).await.unwrap();
    order
}, ends "completed, refunded, returned; shelf 9+0 and 3+0; kept 0; refund of 1000 less 0");

story!(more_than_was_bought_does_not_go_back told_twice, w => {
    let order = arrived(w).await;
    w.ask_back(order, &[(w.shelf.first, 2)]).await;
    w.settle().await;
    w.give_back(order, &[(w.shelf.second, 1)]).await;
    w.ask_back(order, &[(w.shelf.second, 2)]).await;
    order
}, ends "completed, partially_refunded, delivered; shelf 9+0 and 3+0; kept 950; \
    refund refused: more_than_delivered; refund of 50 less 0; refund refused: more_than_delivered");

story!(a_second_return_waits_until_the_first_is_over told_twice, w => {
    let order = arrived(w).await;
    w.ask_back(order, &[(w.shelf.first, 1)]).await;
    w.settle().await;
    w.ask_back(order, &[(w.shelf.second, 1)]).await;
    w.settle().await;
    w.receive(order).await.unwrap();
    w.settle().await;
    w.give_back(order, &[(w.shelf.second, 1)]).await;
    order
}, ends "completed, partially_refunded, delivered; shelf 9+0 and 3+0; kept 50; refund of 900 less 0; \
    refund refused: return_open; refund of 50 less 0");

story!(goods_on_their_way_back_keep_the_refund_open told_twice, w => {
    let order = arrived(w).await;
    w.ask_back(order, &[]).await;
    w.settle().await;
    // The window closes behind goods that are on their way.
    w.later(3600).await;
    w.seen(order, "delivery.return_window_closed", 1).await;
    order
}, ends "completed, captured, returning; shelf 9+0 and 3+0; kept 1000; refund returning; \
    returns waits for the goods (ReturnReceived or ReturnCancelled)");

story!(a_refund_that_the_provider_refuses_is_tried_again told_twice, w => {
    let order = earned(w, 1000).await;
    w.ask_back(order, &[]).await;
    w.settle().await;
    w.provider.refunds_refused.store(1, std::sync::atomic::Ordering::SeqCst);
    w.receive(order).await.unwrap();
    w.seen(order, "payment.refund_failed", 1).await;
    w.settle().await;
    w.later(10).await;
    w.seen(order, "refund.completed", 1).await;
    order
}, ends "completed, refunded, returned; shelf 9+0 and 3+0; kept 0; refund of 1000 less 0; \
    earned coupon revoked");

story!(the_refund_window_closes_by_itself, w => {
    let order = w.delivered(Wish::of(w).policy(returnable())).await;
    // The clock goes on by itself, too: a minute is more than a slow machine takes.
    w.later(3540).await;
    w.settle().await;
    assert!(!w.events_of(order).await.contains(&"delivery.return_window_closed"));
    w.later(60).await;
    w.seen(order, "delivery.return_window_closed", 1).await;
    order
}, ends "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000");

#[tokio::test]
async fn the_refund_window_closes_after_a_death_and_after_a_loss_of_the_work_store() {
    for nothing_left in [false, true] {
        let tell = async |w: &World| {
            let order = arrived(w).await;
            if nothing_left {
                w.rebirth_from_nothing().await;
            } else {
                // An order that is done is not brought back into memory: only its timer is left.
                w.rebirth().await;
            }
            w.settle().await;
            let shown = w.sagas().show("fulfilment", order.uuid()).await.unwrap().unwrap();
            assert_eq!((shown.summary.state.name(), shown.timers.len()), ("ended", 1));
            w.later(3600).await;
            w.seen(order, "delivery.return_window_closed", 1).await;
            order
        };
        again(tell, "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000").await;
    }
}

#[tokio::test]
async fn a_window_that_ends_while_nobody_runs_is_closed_at_the_next_start() {
    let tell = async |w: &World| {
        let order = arrived(w).await;
        let early = DeliveryCommand::CloseReturnWindow { at: eventlog::Clock::now(&*w.clock) };
        let early = domain::AnyCommand::Delivery { id: delivery_of(order), command: early };
        assert_eq!(w.give(order.uuid(), early).await.unwrap_err().code, "return_window_open");
        let which = w.stop().await;
        w.clock.advance(std::time::Duration::from_secs(3600));
        w.start(&which).await;
        w.seen(order, "delivery.return_window_closed", 1).await;
        order
    };
    again(tell, "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000").await;
}

/// Tells everything up to the moment when the delivery has let go of the goods and the coupon has not answered.
async fn unanswered(w: &World, order: OrderId) -> domain::RefundId {
    w.store.hold_before("coupon.revoked");
    let refund = w.ask_back(order, &[]).await;
    w.held().await;
    w.kill().await;
    w.store.release(false);
    refund
}

#[tokio::test]
async fn goods_that_are_faster_than_the_coupon_wait_for_its_answer() {
    let received = async |w: &World| {
        let order = earned(w, 1000).await;
        unanswered(w, order).await;
        w.receive(order).await.unwrap();
        w.start(orderstream_sagas::process_names()).await;
        order
    };
    let end = "completed, refunded, returned; shelf 9+0 and 3+0; kept 0; refund of 1000 less 0; \
        earned coupon revoked";
    again(received, end).await;
    let kept = async |w: &World| {
        let order = earned(w, 1000).await;
        let refund = unanswered(w, order).await;
        w.keep_goods(order, refund).await.unwrap();
        w.start(orderstream_sagas::process_names()).await;
        order
    };
    let end = "completed, captured, delivered; shelf 9+0 and 3+0; kept 1000; refund cancelled; \
        earned coupon issued";
    again(kept, end).await;
}
