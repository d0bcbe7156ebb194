//! Payments: taken once, given back once, whatever the provider does.

use std::sync::atomic::Ordering::SeqCst;

use domain::{
    AnyCommand,
    order::payment_of,
    payment::{CaptureOutcome, PaymentCommand},
};
use eventlog::Clock;
use gateway::method;
use orderstream_sagas::payments::charge_key;

use crate::support::{ALWAYS, Wish, World, again, deferred, story};

story!(a_deferred_payment_is_made_later, w => {
    let order = w.order(Wish::of(w).policy(deferred())).await;
    w.pay(order, method::OK).await.unwrap();
    order
}, ends "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(a_deferred_payment_waits_for_the_customer told_twice, w => {
    w.order(Wish::of(w).policy(deferred())).await
}, ends "awaiting_payment, requested, absent; shelf 9+1 and 3+2; kept 0; \
    checkout waits for the payment's outcome; payments waits for the customer's payment");

story!(a_declined_deferred_payment_may_be_tried_again_with_another_card, w => {
    let order = w.order(Wish::of(w).policy(deferred())).await;
    w.pay(order, method::DECLINED).await.unwrap();
    w.seen(order, "payment.capture_declined", 1).await;
    w.pay(order, method::OK).await.unwrap();
    order
}, ends "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(a_deferred_payment_that_is_not_made_in_time_expires, w => {
    let order = w.order(Wish::of(w).policy(deferred())).await;
    w.later(3600).await;
    w.settle().await;
    assert_eq!(w.pay(order, method::OK).await.unwrap_err().code, "illegal_transition");
    order
}, ends "rejected, expired, absent; shelf 10+0 and 5+0; kept 0");

story!(a_deferred_payment_that_was_declined_expires_all_the_same, w => {
    let order = w.order(Wish::of(w).policy(deferred())).await;
    w.pay(order, method::INSUFFICIENT_FUNDS).await.unwrap();
    w.seen(order, "payment.capture_declined", 1).await;
    w.later(3600).await;
    order
}, ends "rejected, expired, absent; shelf 10+0 and 5+0; kept 0");

story!(a_charge_under_way_when_the_payment_is_due_counts, w => {
    w.provider.sleep(method::OK);
    let order = w.order(Wish::of(w).policy(deferred())).await;
    w.pay(order, method::OK).await.unwrap();
    w.provider.charges_asked(1).await;
    w.later(3600).await;
    w.provider.wake();
    w.settle().await;
    order
}, ends "confirmed, captured, requested; shelf 9+1 and 3+2; kept 1000; \
    fulfilment waits for the shop to ship (DeliveryShipped)");

story!(a_charge_that_is_declined_after_the_payment_was_due_ends_it, w => {
    w.provider.sleep(method::DECLINED);
    let order = w.order(Wish::of(w).policy(deferred())).await;
    w.pay(order, method::DECLINED).await.unwrap();
    w.provider.charges_asked(1).await;
    w.later(3600).await;
    w.provider.wake();
    w.settle().await;
    order
}, ends "rejected, expired, absent; shelf 10+0 and 5+0; kept 0");

story!(a_provider_that_is_down_until_the_payment_is_due_charges_nothing_any_more, w => {
    let order = w.order(Wish::of(w).policy(deferred())).await;
    w.provider.unreachable.store(ALWAYS, SeqCst);
    w.pay(order, method::OK).await.unwrap();
    w.provider.charges_asked(1).await;
    w.later(3600).await;
    w.provider.unreachable.store(0, SeqCst);
    w.settle().await;
    order
}, ends "rejected, expired, absent; shelf 10+0 and 5+0; kept 0");

story!(a_refund_that_is_refused_is_tried_again_later, w => {
    let order = w.order(Wish::of(w)).await;
    w.provider.refunds_refused.store(2, SeqCst);
    w.cancel(order).await.unwrap();
    w.seen(order, "payment.refund_failed", 1).await;
    w.settle().await;
    w.later(10).await;
    w.seen(order, "payment.refund_failed", 2).await;
    w.settle().await;
    w.later(20).await;
    w.seen(order, "order.cancelled", 1).await;
    order
}, ends "cancelled, refunded, cancelled; shelf 10+0 and 5+0; kept 0");

story!(a_refund_that_is_refused_waits_and_says_so told_twice, w => {
    let order = w.order(Wish::of(w)).await;
    w.provider.refunds_refused.store(1, SeqCst);
    w.cancel(order).await.unwrap();
    w.seen(order, "payment.refund_failed", 1).await;
    order
}, ends "cancelling, refunding, cancelled; shelf 9+1 and 3+2; kept 1000; \
    payments waits for PaymentRefunded; cancellation waits for PaymentRefunded");

story!(a_refund_whose_answer_is_lost_is_made_once, w => {
    let order = w.order(Wish::of(w)).await;
    w.provider.answers_lost.store(2, SeqCst);
    w.cancel(order).await.unwrap();
    order
}, ends "cancelled, refunded, cancelled; shelf 10+0 and 5+0; kept 0");

story!(a_refund_waits_for_a_provider_that_is_down, w => {
    let order = w.order(Wish::of(w)).await;
    w.provider.unreachable.store(3, SeqCst);
    w.cancel(order).await.unwrap();
    order
}, ends "cancelled, refunded, cancelled; shelf 10+0 and 5+0; kept 0");

/// The provider has charged, said otherwise, and tells the truth when it is asked again.
#[tokio::test]
async fn money_that_turns_out_to_be_taken_after_the_end_goes_back() {
    let tell = async |w: &World| {
        w.provider.charges_denied.store(1, SeqCst);
        let order = w.order(Wish::of(w)).await;
        let [of_order, of_payment, _] = w.status_of(order).await;
        assert_eq!((of_order, of_payment), ("rejected", "declined"));
        let id = payment_of(order);
        let outcome = CaptureOutcome::Captured { provider_ref: format!("ch_{}", charge_key(id, 1)) };
        let command = PaymentCommand::RecordCapture { attempt: 1, outcome, at: w.clock.now() };
        w.give(order.uuid(), AnyCommand::Payment { id, command }).await.unwrap();
        order
    };
    again(tell, "rejected, refunded, absent; shelf 10+0 and 5+0; kept 0").await;
}
