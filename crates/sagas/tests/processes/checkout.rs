//! Checkout: a deal, or nothing left behind.

use std::sync::atomic::Ordering::SeqCst;

use gateway::method;

use crate::support::{ALWAYS, Wish, deferred, story};

story!(a_paid_order_is_a_deal, w => {
    w.order(Wish::of(w)).await
}, ends "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(a_product_in_two_lines_is_reserved_once, w => {
    let (first, second) = (w.shelf.first, w.shelf.second);
    w.order(Wish::of(w).lines(&[(first, 1, 900), (second, 1, 50), (first, 2, 800)])).await
}, ends "confirmed, captured, requested; shelf 7+3 and 4+1; kept 2550; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(a_product_made_to_order_is_never_out_of_stock told_twice, w => {
    let pizza = w.list(300, None).await;
    w.order(Wish::of(w).lines(&[(pizza, 1000, 300), (w.shelf.second, 1, 50)])).await
}, ends "confirmed, captured, requested; shelf 10+0 and 4+1; kept 300050; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(an_order_of_nothing_to_pay_needs_no_provider, w => {
    let order = w.order(Wish::of(w).lines(&[(w.shelf.first, 1, 0)]).no_token()).await;
    assert!(w.provider.books().await.is_empty());
    order
}, ends "confirmed, captured, requested; shelf 9+1 and 5+0; kept 0; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(a_deferred_order_of_nothing_to_pay_is_confirmed_at_once told_twice, w => {
    w.order(Wish::of(w).policy(deferred()).lines(&[(w.shelf.first, 1, 0)])).await
}, ends "confirmed, captured, requested; shelf 9+1 and 5+0; kept 0; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(the_first_product_out_of_stock_rejects_the_order, w => {
    w.order(Wish::of(w).lines(&[(w.shelf.first, 11, 900), (w.shelf.second, 1, 50)])).await
}, ends "rejected, absent, absent; shelf 10+0 and 5+0; kept 0");

story!(the_last_product_out_of_stock_rejects_the_order, w => {
    w.order(Wish::of(w).lines(&[(w.shelf.first, 1, 900), (w.shelf.second, 6, 50)])).await
}, ends "rejected, absent, absent; shelf 10+0 and 5+0; kept 0");

story!(two_lines_that_are_out_of_stock_only_together_reject_the_order told_twice, w => {
    w.order(Wish::of(w).lines(&[(w.shelf.first, 6, 900), (w.shelf.first, 5, 900)])).await
}, ends "rejected, absent, absent; shelf 10+0 and 5+0; kept 0");

story!(a_product_that_was_withdrawn_meanwhile_rejects_the_order told_twice, w => {
    w.withdraw(w.shelf.second).await;
    w.order(Wish::of(w)).await
}, ends "rejected, absent, absent; shelf 10+0 and 5+0; kept 0");

story!(a_declined_card_rejects_the_order, w => {
    w.order(Wish::of(w).token(method::DECLINED)).await
}, ends "rejected, declined, absent; shelf 10+0 and 5+0; kept 0");

story!(an_erased_card_rejects_the_order told_twice, w => {
    w.order(Wish::of(w).no_token()).await
}, ends "rejected, declined, absent; shelf 10+0 and 5+0; kept 0");

story!(a_provider_that_is_down_for_a_while_is_asked_again, w => {
    w.provider.unreachable.store(3, SeqCst);
    w.order(Wish::of(w)).await
}, ends "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(a_lost_answer_is_asked_for_again_and_charged_once, w => {
    w.provider.answers_lost.store(2, SeqCst);
    w.order(Wish::of(w)).await
}, ends "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(tokens_that_cannot_be_read_for_a_while_are_asked_for_again told_twice, w => {
    w.purse.unreachable.store(2, SeqCst);
    w.order(Wish::of(w)).await
}, ends "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(a_provider_that_is_down_until_the_payment_is_due_rejects_the_order, w => {
    w.provider.unreachable.store(ALWAYS, SeqCst);
    let order = w.place(Wish::of(w)).await;
    w.seen(order, "payment.capture_started", 1).await;
    w.later(300).await;
    w.provider.unreachable.store(0, SeqCst);
    w.settle().await;
    order
}, ends "rejected, declined, absent; shelf 10+0 and 5+0; kept 0");

story!(an_answer_that_is_lost_until_the_payment_is_due_still_counts, w => {
    w.provider.answers_lost.store(ALWAYS, SeqCst);
    let order = w.place(Wish::of(w)).await;
    w.provider.charges_asked(1).await;
    w.until("charged", async || !w.provider.books().await.is_empty()).await;
    w.later(300).await;
    w.provider.answers_lost.store(0, SeqCst);
    w.settle().await;
    order
}, ends "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(an_order_that_waits_for_its_payment_can_be_cancelled, w => {
    let order = w.order(Wish::of(w).policy(deferred())).await;
    w.cancel(order).await.unwrap();
    order
}, ends "cancelled, voided, absent; shelf 10+0 and 5+0; kept 0");

story!(a_cancellation_while_the_card_is_charged_gives_the_money_back, w => {
    w.provider.sleep(method::OK);
    let order = w.place(Wish::of(w)).await;
    w.provider.charges_asked(1).await;
    w.cancel(order).await.unwrap();
    w.seen(order, "payment.void_requested", 1).await;
    w.provider.wake();
    w.settle().await;
    order
}, ends "cancelled, refunded, absent; shelf 10+0 and 5+0; kept 0");

story!(a_cancellation_while_the_card_is_declined_leaves_nothing_behind, w => {
    w.provider.sleep(method::DECLINED);
    let order = w.place(Wish::of(w).token(method::DECLINED)).await;
    w.provider.charges_asked(1).await;
    w.cancel(order).await.unwrap();
    w.seen(order, "payment.void_requested", 1).await;
    w.provider.wake();
    w.settle().await;
    order
}, ends "cancelled, voided, absent; shelf 10+0 and 5+0; kept 0");
