//! A provider that tells of its own accord: any number of times, in any order, before the answer and after the end.

use super::{
    DUE, capture_declined, captured, declined, deferred, expired, full, late_capture, part, record_captured,
    record_declined, record_refund_failed, record_refunded, refund_failed, refund_started, refunded,
    requested, started, taken, taken_and, void_requested, voided,
};
use crate::{
    Aggregate, Outcome,
    payment::{Payment, PaymentCommand, PaymentError, PaymentEvent},
    testing::{fold, given},
};

/// Every stage that a payment can be in once it was charged, and what a provider may tell of its attempts.
fn stages() -> Vec<Vec<PaymentEvent>> {
    vec![
        vec![requested(), started(1)],
        vec![requested(), started(1), void_requested()],
        vec![requested(), started(1), declined()],
        vec![requested(), started(1), void_requested(), capture_declined(1), voided()],
        vec![deferred(), started(1), capture_declined(1)],
        vec![deferred(), started(1), capture_declined(1), started(2)],
        vec![deferred(), started(1), capture_declined(1), expired()],
        taken(),
        taken_and([refund_started(part(1), 1, 300)]).collect(),
        taken_and([refund_started(part(1), 1, 300), refund_failed(part(1), 1)]).collect(),
        taken_and([refund_started(part(1), 1, 300), refunded(part(1), 300)]).collect(),
        vec![requested(), started(1), declined(), late_capture(1), refund_started(full(), 1, 1000)],
    ]
}

fn tellings() -> Vec<PaymentCommand> {
    let mut all =
        vec![record_refunded(part(1), 1), record_refund_failed(part(1), 1), record_refunded(full(), 1)];
    for attempt in 1..=2 {
        all.extend([record_captured(attempt), record_declined(attempt, 20), record_declined(attempt, DUE)]);
    }
    all
}

#[test]
fn what_was_taken_note_of_once_is_a_repeat_from_then_on() {
    let mut taken_note_of = 0;
    for past in stages() {
        for telling in tellings() {
            let mut payment = fold::<Payment>(&past);
            let Ok(Outcome::Executed(events)) = payment.decide(&telling) else { continue };
            events.iter().for_each(|event| payment.evolve(event));
            taken_note_of += 1;
            for _ in 0..2 {
                let again = payment.decide(&telling);
                assert!(matches!(again, Ok(Outcome::AlreadyApplied)), "{past:?} {telling:?}: {again:?}");
            }
        }
    }
    assert!(taken_note_of >= 15, "{taken_note_of}");
}

#[test]
fn two_tellings_in_either_order_charge_once_and_give_back_once() {
    for past in stages() {
        for first in tellings() {
            for second in tellings() {
                let mut payment = fold::<Payment>(&past);
                let mut events = past.clone();
                for telling in [&first, &second, &first, &second] {
                    if let Ok(Outcome::Executed(new)) = payment.decide(telling) {
                        new.iter().for_each(|event| payment.evolve(event));
                        events.extend(new);
                    }
                }
                let count = |of: fn(&PaymentEvent) -> bool| events.iter().filter(|event| of(event)).count();
                let captures = count(|event| {
                    matches!(event, PaymentEvent::PaymentCaptured(_) | PaymentEvent::LateCaptureFound(_))
                });
                let refunds = count(|event| matches!(event, PaymentEvent::PaymentRefunded(_)));
                assert!(captures <= 1 && refunds <= 1, "{past:?} {first:?} {second:?}: {events:?}");
            }
        }
    }
}

#[test]
fn a_decline_that_is_told_after_a_capture_changes_nothing() {
    let refunding = || [refund_started(full(), 1, 1000)];
    let back = || [refund_started(full(), 1, 1000), refunded(full(), 1000)];
    let late = vec![requested(), started(1), declined(), late_capture(1), refund_started(full(), 1, 1000)];
    for past in [taken(), taken_and(refunding()).collect(), taken_and(back()).collect(), late] {
        for secs in [20, DUE] {
            given::<Payment>(past.clone()).when(record_declined(1, secs)).then_already_applied();
        }
    }
}

#[test]
fn what_was_never_asked_for_is_refused_in_every_stage() {
    for past in stages() {
        for attempt in [0, 3, u32::MAX] {
            for telling in [record_captured(attempt), record_declined(attempt, 20)] {
                given::<Payment>(past.clone())
                    .when(telling)
                    .then_error(PaymentError::UnknownAttempt { attempt });
            }
        }
        let payment = fold::<Payment>(&past);
        assert!(payment.decide(&record_refunded(part(9), 1)).is_err(), "{past:?}");
    }
    // The attempt before, of which the customer was told that it failed, is not taken for the one under way.
    given::<Payment>([deferred(), started(1), capture_declined(1), started(2)])
        .when(record_captured(1))
        .then_error(PaymentError::IllegalTransition { state: "capturing", command: "be captured" });
    given::<Payment>([deferred(), started(1), capture_declined(1), started(2), captured(2)])
        .when(record_captured(2))
        .then_already_applied();
}
