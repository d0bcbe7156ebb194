//! Booking: a stay, or nothing left behind.

use std::sync::atomic::Ordering::SeqCst;

use domain::{
    AnyCommand, NotifiedChange,
    payment::{CaptureOutcome, PaymentCommand},
    reservation::payment_of,
};
use eventlog::Clock;
use gateway::method;
use orderstream_sagas::{payments::charge_key, process_names};

use crate::support::{Trip, World, again, story, without};

/// Longer than the default trip is away and takes.
const UNTIL_IT_IS_OVER: u64 = 33 * 24 * 3600;

story!(a_paid_reservation_is_a_stay_with_a_voucher told_twice, w => {
    w.stay(Trip::default()).await
}, ends "paid, captured, sent voucher; 2 nights held; kept 200; booking waits for the end of the stay");

story!(a_reservation_waits_for_its_payment_with_its_nights_held told_twice, w => {
    w.reserve(Trip::default()).await
}, ends "awaiting_payment, requested, absent voucher; 2 nights held; kept 0; \
    payments waits for the customer's payment; booking waits for the payment's outcome");

story!(nights_of_somebody_else_refuse_the_reservation, w => {
    w.reserve(Trip::on(30, 3)).await;
    w.reserve(Trip::on(32, 2)).await
}, ends "refused, absent, absent voucher; 3 nights held; kept 0; payments waits for the customer's payment; \
    booking waits for the payment's outcome");

story!(nights_that_begin_on_the_day_of_somebody_elses_departure_are_free told_twice, w => {
    w.stay(Trip::on(30, 2)).await;
    w.stay(Trip::on(34, 2)).await;
    w.stay(Trip::on(32, 2)).await
}, ends "paid, captured, sent voucher; 6 nights held; kept 200; booking waits for the end of the stay; \
    booking waits for the end of the stay; booking waits for the end of the stay");

story!(a_resort_that_is_retired_meanwhile_refuses_the_reservation told_twice, w => {
    w.retire_resort().await;
    w.reserve(Trip::default()).await
}, ends "refused, absent, absent voucher; 0 nights held; kept 0");

story!(nights_beyond_the_season_refuse_the_reservation told_twice, w => {
    w.reserve(Trip::on(364, 2)).await
}, ends "refused, absent, absent voucher; 0 nights held; kept 0");

story!(a_reservation_that_is_not_paid_in_time_expires_and_frees_its_nights, w => {
    let reservation = w.reserve(Trip::default()).await;
    w.later(3600).await;
    w.settle().await;
    assert_eq!(w.pay(reservation, method::OK).await.unwrap_err().code, "illegal_transition");
    reservation
}, ends "expired, expired, absent voucher; 0 nights held; kept 0");

story!(nights_that_are_free_again_are_somebody_elses told_twice, w => {
    w.reserve(Trip::default()).await;
    w.later(3600).await;
    w.settle().await;
    w.stay(Trip::default()).await
}, ends "paid, captured, sent voucher; 2 nights held; kept 200; booking waits for the end of the stay");

story!(a_declined_card_may_be_followed_by_another told_twice, w => {
    let reservation = w.reserve(Trip::default()).await;
    w.pay(reservation, method::DECLINED).await.unwrap();
    w.seen(reservation, "payment.capture_declined", 1).await;
    w.pay(reservation, method::OK).await.unwrap();
    reservation
}, ends "paid, captured, sent voucher; 2 nights held; kept 200; booking waits for the end of the stay");

story!(a_charge_under_way_when_the_reservation_is_due_counts told_twice, w => {
    w.provider.sleep(method::OK);
    let reservation = w.reserve(Trip::default()).await;
    w.pay(reservation, method::OK).await.unwrap();
    w.provider.charges_asked(1).await;
    w.later(3600).await;
    w.provider.wake();
    w.settle().await;
    reservation
}, ends "paid, captured, sent voucher; 2 nights held; kept 200; booking waits for the end of the stay");

story!(a_cancellation_before_it_is_paid_frees_the_nights, w => {
    let reservation = w.reserve(Trip::default()).await;
    w.call_back(reservation).await.unwrap();
    reservation
}, ends "cancelled, voided, absent voucher; 0 nights held; kept 0");

story!(a_cancellation_after_it_is_paid_gives_everything_back, w => {
    let reservation = w.stay(Trip::default()).await;
    w.call_back(reservation).await.unwrap();
    reservation
}, ends "cancelled, refunded, deactivated voucher; 0 nights held; kept 0");

story!(a_cancellation_asked_for_twice_is_done_once told_twice, w => {
    let reservation = w.stay(Trip::default()).await;
    for _ in 0..2 {
        w.call_back(reservation).await.unwrap();
        w.call_back(reservation).await.unwrap();
        w.settle().await;
    }
    reservation
}, ends "cancelled, refunded, deactivated voucher; 0 nights held; kept 0");

story!(a_cancellation_before_the_resort_has_answered_frees_the_nights told_twice, w => {
    w.only(&without("booking")).await;
    let reservation = w.request(Trip::default()).await;
    w.call_back(reservation).await.unwrap();
    w.only(process_names()).await;
    reservation
}, ends "cancelled, absent, absent voucher; 0 nights held; kept 0");

story!(a_cancellation_before_the_resort_refuses_ends_as_cancelled told_twice, w => {
    w.retire_resort().await;
    w.only(&without("booking")).await;
    let reservation = w.request(Trip::default()).await;
    w.call_back(reservation).await.unwrap();
    w.only(process_names()).await;
    reservation
}, ends "cancelled, absent, absent voucher; 0 nights held; kept 0");

story!(a_cancellation_while_a_card_is_charged_gives_the_money_back, w => {
    w.provider.sleep(method::OK);
    let reservation = w.reserve(Trip::default()).await;
    w.pay(reservation, method::OK).await.unwrap();
    w.provider.charges_asked(1).await;
    w.call_back(reservation).await.unwrap();
    w.seen(reservation, "payment.void_requested", 1).await;
    w.provider.wake();
    w.settle().await;
    reservation
}, ends "cancelled, refunded, absent voucher; 0 nights held; kept 0");

story!(a_cancellation_while_a_card_is_declined_leaves_nothing_behind told_twice, w => {
    w.provider.sleep(method::DECLINED);
    let reservation = w.reserve(Trip::default()).await;
    w.pay(reservation, method::DECLINED).await.unwrap();
    w.provider.charges_asked(1).await;
    w.call_back(reservation).await.unwrap();
    w.seen(reservation, "payment.void_requested", 1).await;
    w.provider.wake();
    w.settle().await;
    reservation
}, ends "cancelled, voided, absent voucher; 0 nights held; kept 0");

story!(a_stay_that_is_over_is_completed, w => {
    let reservation = w.stay(Trip::default()).await;
    w.later(UNTIL_IT_IS_OVER).await;
    w.seen(reservation, "reservation.completed", 1).await;
    reservation
}, ends "completed, captured, sent voucher; 2 nights held; kept 200");

story!(a_stay_that_is_near_can_no_longer_be_cancelled told_twice, w => {
    let reservation = w.stay(Trip::on(3, 2)).await;
    w.later(24 * 3600).await;
    assert_eq!(w.call_back(reservation).await.unwrap_err().code, "too_late_to_cancel");
    reservation
}, ends "paid, captured, sent voucher; 2 nights held; kept 200; booking waits for the end of the stay");

story!(guests_are_told_of_everything_that_the_policy_names_in_order told_twice, w => {
    let reservation = w.stay(Trip::default().notify(&NotifiedChange::ALL)).await;
    w.call_back(reservation).await.unwrap();
    w.seen(reservation, "reservation.cancelled", 1).await;
    w.settle().await;
    let mut told = w.mailbox.told_of(reservation);
    // Two process managers write at the same time; what each of them leads to is in order.
    let place = |change| told.iter().position(|told| *told == change).unwrap();
    assert!(place("payment_refunded") < place("reservation_cancelled"));
    assert!(place("reservation_cancellation_requested") < place("voucher_deactivated"));
    assert_eq!(told[..4], [
        "reservation_requested", "reservation_confirmed", "payment_captured", "reservation_paid",
    ]);
    told.sort_unstable();
    assert_eq!(told, [
        "payment_captured", "payment_refunded", "reservation_cancellation_requested",
        "reservation_cancelled", "reservation_confirmed", "reservation_paid", "reservation_requested",
        "voucher_deactivated", "voucher_send_requested",
    ]);
    reservation
}, ends "cancelled, refunded, deactivated voucher; 0 nights held; kept 0");

/// The provider has charged, said otherwise, and tells the truth when it is asked again.
#[tokio::test]
async fn money_that_turns_out_to_be_taken_after_the_reservation_expired_goes_back() {
    let tell = async |w: &World| {
        w.provider.charges_denied.store(1, SeqCst);
        let reservation = w.reserve(Trip::default()).await;
        w.pay(reservation, method::OK).await.unwrap();
        w.seen(reservation, "payment.capture_declined", 1).await;
        w.later(3600).await;
        w.seen(reservation, "reservation.expired", 1).await;
        let id = payment_of(reservation);
        let outcome = CaptureOutcome::Captured { provider_ref: format!("ch_{}", charge_key(id, 1)) };
        let command = PaymentCommand::RecordCapture { attempt: 1, outcome, at: w.clock.now() };
        w.give(reservation.uuid(), AnyCommand::Payment { id, command }).await.unwrap();
        reservation
    };
    again(tell, "expired, refunded, absent voucher; 0 nights held; kept 0").await;
}
