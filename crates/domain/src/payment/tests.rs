//! What a payment answers, by example, over the whole grid, and under random commands.

use cqrs_es::test::TestFramework;

use super::{
    CaptureDeclined, CaptureOutcome, CaptureStarted, LateCaptureFound, Payment, PaymentCaptured,
    PaymentCommand, PaymentDeclined, PaymentError, PaymentEvent, PaymentExpired, PaymentRefunded,
    PaymentRequested, PaymentTiming, PaymentVoidRequested, PaymentVoided, RefundFailed, RefundOutcome,
    RefundStarted, full_refund_of,
};
use crate::{
    Aggregate, Money, Outcome, PaymentId, RefundId,
    order::payment_of,
    testing::{at, contact_id, customer_id, eur, fold, given, krw, order_id, reservation_id, shop_id},
};

mod callbacks;
mod grid;
mod random;

/// Seconds until the payment of these tests is due.
const DUE: i64 = 300;

fn payment_id() -> PaymentId {
    payment_of(order_id(1))
}
fn full() -> RefundId {
    full_refund_of(payment_id())
}
fn part(number: u32) -> RefundId {
    RefundId::derived(payment_id().uuid(), "refund", &number.to_string())
}

fn request(timing: PaymentTiming, amount: Money) -> PaymentCommand {
    PaymentCommand::RequestPayment {
        payment_id: payment_id(),
        subject: order_id(1).into(),
        customer_id: customer_id(),
        shop_id: Some(shop_id()),
        amount,
        timing,
        method: None,
        due_at: at(DUE),
    }
}
/// The payment of a reservation: no shop gets it.
fn request_for_reservation() -> PaymentCommand {
    PaymentCommand::RequestPayment {
        payment_id: payment_id(),
        subject: reservation_id(1).into(),
        customer_id: customer_id(),
        shop_id: None,
        amount: krw(1000),
        timing: PaymentTiming::Deferred,
        method: None,
        due_at: at(DUE),
    }
}
fn start(secs: i64) -> PaymentCommand {
    PaymentCommand::StartCapture { method: contact_id(), at: at(secs) }
}
fn record_captured(attempt: u32) -> PaymentCommand {
    let outcome = CaptureOutcome::Captured { provider_ref: format!("ch_{attempt}") };
    PaymentCommand::RecordCapture { attempt, outcome, at: at(20) }
}
fn record_declined(attempt: u32, secs: i64) -> PaymentCommand {
    let outcome = CaptureOutcome::Declined { decline_code: "no_funds".to_owned() };
    PaymentCommand::RecordCapture { attempt, outcome, at: at(secs) }
}
fn expire(secs: i64) -> PaymentCommand {
    PaymentCommand::ExpirePayment { at: at(secs) }
}
fn refund(refund_id: RefundId, amount: Money) -> PaymentCommand {
    PaymentCommand::StartRefund { refund_id, amount }
}
fn retry(refund_id: RefundId, failed_attempt: u32) -> PaymentCommand {
    PaymentCommand::RetryRefund { refund_id, failed_attempt }
}
fn record_refunded(refund_id: RefundId, attempt: u32) -> PaymentCommand {
    let outcome = RefundOutcome::Refunded { provider_ref: "re_1".to_owned() };
    PaymentCommand::RecordRefund { refund_id, attempt, outcome }
}
fn record_refund_failed(refund_id: RefundId, attempt: u32) -> PaymentCommand {
    let outcome = RefundOutcome::Failed { failure_code: "closed_account".to_owned() };
    PaymentCommand::RecordRefund { refund_id, attempt, outcome }
}

fn requested_for(timing: PaymentTiming, amount: Money) -> PaymentEvent {
    PaymentRequested {
        payment_id: payment_id(),
        subject: order_id(1).into(),
        customer_id: customer_id(),
        shop_id: Some(shop_id()),
        amount,
        timing,
        method: None,
        due_at: at(DUE),
    }
    .into()
}
fn requested() -> PaymentEvent {
    requested_for(PaymentTiming::AtOrder, krw(1000))
}
fn deferred() -> PaymentEvent {
    requested_for(PaymentTiming::Deferred, krw(1000))
}
fn started(attempt: u32) -> PaymentEvent {
    CaptureStarted { payment_id: payment_id(), attempt, amount: krw(1000), method: contact_id() }.into()
}
fn captured(attempt: u32) -> PaymentEvent {
    let provider_ref = format!("ch_{attempt}");
    PaymentCaptured {
        payment_id: payment_id(),
        subject: order_id(1).into(),
        amount: krw(1000),
        attempt,
        provider_ref,
    }
    .into()
}
fn capture_declined(attempt: u32) -> PaymentEvent {
    CaptureDeclined { attempt, decline_code: "no_funds".to_owned() }.into()
}
fn declined() -> PaymentEvent {
    PaymentDeclined { subject: order_id(1).into(), decline_code: "no_funds".to_owned() }.into()
}
fn void_requested() -> PaymentEvent {
    PaymentVoidRequested { subject: order_id(1).into() }.into()
}
fn voided() -> PaymentEvent {
    PaymentVoided { subject: order_id(1).into() }.into()
}
fn expired() -> PaymentEvent {
    PaymentExpired { subject: order_id(1).into() }.into()
}
fn late_capture(attempt: u32) -> PaymentEvent {
    let provider_ref = format!("ch_{attempt}");
    LateCaptureFound {
        payment_id: payment_id(),
        subject: order_id(1).into(),
        amount: krw(1000),
        attempt,
        provider_ref,
    }
    .into()
}
fn refund_started(refund_id: RefundId, attempt: u32, amount: i64) -> PaymentEvent {
    let charge_ref = "ch_1".to_owned();
    RefundStarted { payment_id: payment_id(), refund_id, attempt, amount: krw(amount), charge_ref }.into()
}
fn refunded(refund_id: RefundId, amount: i64) -> PaymentEvent {
    let provider_ref = "re_1".to_owned();
    PaymentRefunded { subject: order_id(1).into(), refund_id, amount: krw(amount), provider_ref }.into()
}
/// Nothing was to be given back, so the provider has no name for it.
fn refunded_nothing(refund_id: RefundId) -> PaymentEvent {
    let provider_ref = String::new();
    PaymentRefunded { subject: order_id(1).into(), refund_id, amount: krw(0), provider_ref }.into()
}
fn refund_failed(refund_id: RefundId, attempt: u32) -> PaymentEvent {
    RefundFailed { refund_id, attempt, failure_code: "closed_account".to_owned() }.into()
}
fn taken() -> Vec<PaymentEvent> {
    vec![requested(), started(1), captured(1)]
}
fn taken_and(more: impl IntoIterator<Item = PaymentEvent>) -> impl Iterator<Item = PaymentEvent> {
    taken().into_iter().chain(more)
}

#[test]
fn the_intent_is_on_the_log_before_the_outcome() {
    given::<Payment>([requested()]).when(start(10)).then([started(1)]);
    given::<Payment>([requested(), started(1)]).when(record_captured(1)).then([captured(1)]);
}

#[test]
fn nothing_new_is_charged_from_the_due_time_on() {
    given::<Payment>([requested()]).when(start(DUE - 1)).then([started(1)]);
    for secs in [DUE, DUE + 3600] {
        given::<Payment>([requested()])
            .when(start(secs))
            .then_error(PaymentError::Overdue { due_at: at(DUE) });
        given::<Payment>([deferred(), started(1), capture_declined(1)])
            .when(start(secs))
            .then_error(PaymentError::Overdue { due_at: at(DUE) });
    }
}

#[test]
fn a_second_charge_is_not_started_while_one_is_under_way_or_made() {
    given::<Payment>([requested(), started(1)])
        .when(start(10))
        .then_error(PaymentError::IllegalTransition { state: "capturing", command: "be paid" });
    given::<Payment>(taken())
        .when(start(10))
        .then_error(PaymentError::IllegalTransition { state: "captured", command: "be paid" });
}

#[test]
fn a_charge_of_nothing_is_captured_without_the_provider() {
    let nothing = || requested_for(PaymentTiming::AtOrder, krw(0));
    let done = PaymentCaptured {
        payment_id: payment_id(),
        subject: order_id(1).into(),
        amount: krw(0),
        attempt: 0,
        provider_ref: String::new(),
    };
    given::<Payment>([nothing()]).when(start(10)).then([done.into()]);
}

#[test]
fn expiry_waits_for_the_due_time_and_for_the_outcome_of_a_charge() {
    given::<Payment>([requested()])
        .when(expire(DUE - 1))
        .then_error(PaymentError::NotDue { due_at: at(DUE) });
    given::<Payment>([requested()]).when(expire(DUE)).then([expired()]);
    given::<Payment>([requested(), started(1)]).when(expire(DUE)).then_already_applied();
    given::<Payment>(taken()).when(expire(DUE)).then_already_applied();
}

#[test]
fn a_charge_that_began_in_time_counts_even_when_its_outcome_comes_after_the_due_time() {
    let outcome = CaptureOutcome::Captured { provider_ref: "ch_1".to_owned() };
    let late = PaymentCommand::RecordCapture { attempt: 1, outcome, at: at(DUE + 60) };
    given::<Payment>([requested(), started(1)]).when(late).then([captured(1)]);
}

#[test]
fn a_decline_at_order_is_final_and_a_deferred_one_may_be_tried_again_until_due() {
    given::<Payment>([requested(), started(1)]).when(record_declined(1, 20)).then([declined()]);
    given::<Payment>([deferred(), started(1)]).when(record_declined(1, 20)).then([capture_declined(1)]);
    given::<Payment>([deferred(), started(1), capture_declined(1)]).when(start(30)).then([started(2)]);
    given::<Payment>([deferred(), started(1)])
        .when(record_declined(1, DUE))
        .then([capture_declined(1), expired()]);
}

#[test]
fn a_void_while_charging_waits_for_the_outcome() {
    given::<Payment>([requested(), started(1)]).when(PaymentCommand::VoidPayment).then([void_requested()]);
    let waiting = || [requested(), started(1), void_requested()];
    given::<Payment>(waiting()).when(PaymentCommand::VoidPayment).then_already_applied();
    given::<Payment>(waiting()).when(record_captured(1)).then([captured(1), refund_started(full(), 1, 1000)]);
    given::<Payment>(waiting()).when(record_declined(1, 20)).then([capture_declined(1), voided()]);
}

#[test]
fn a_void_calls_off_what_was_not_charged_and_gives_back_what_was() {
    given::<Payment>([requested()]).when(PaymentCommand::VoidPayment).then([voided()]);
    given::<Payment>(taken()).when(PaymentCommand::VoidPayment).then([refund_started(full(), 1, 1000)]);
    given::<Payment>(taken_and([refund_started(full(), 1, 1000)]))
        .when(PaymentCommand::VoidPayment)
        .then_already_applied();
}

#[test]
fn a_void_after_a_part_was_given_back_gives_back_the_rest() {
    given::<Payment>(taken_and([refund_started(part(1), 1, 300), refunded(part(1), 300)]))
        .when(PaymentCommand::VoidPayment)
        .then([refund_started(full(), 1, 700)]);
}

#[test]
fn a_void_after_everything_was_given_back_in_parts_is_a_refund_of_nothing_that_ends_the_waiting() {
    let nothing = || [refund_started(full(), 1, 0), refunded_nothing(full())];
    for parts in [
        vec![refund_started(part(1), 1, 1000), refunded(part(1), 1000)],
        vec![
            refund_started(part(1), 1, 300),
            refunded(part(1), 300),
            refund_started(part(2), 1, 700),
            refunded(part(2), 700),
        ],
        vec![refund_started(part(1), 1, 1000), refund_failed(part(1), 1)],
    ] {
        given::<Payment>(taken_and(parts.clone())).when(PaymentCommand::VoidPayment).then(nothing());
        given::<Payment>(taken_and(parts.into_iter().chain(nothing())))
            .when(PaymentCommand::VoidPayment)
            .then_already_applied();
    }
}

#[test]
fn a_charge_that_is_found_after_the_end_goes_back_in_the_same_commit() {
    let found = || [late_capture(1), refund_started(full(), 1, 1000)];
    let ends = [
        vec![requested(), started(1), declined()],
        vec![requested(), started(1), void_requested(), capture_declined(1), voided()],
        vec![deferred(), started(1), capture_declined(1), expired()],
    ];
    for past in ends {
        given::<Payment>(past.clone()).when(record_captured(1)).then(found());
        let after = past.into_iter().chain(found());
        given::<Payment>(after).when(record_captured(1)).then_already_applied();
    }
}

#[test]
fn an_outcome_of_an_attempt_that_was_never_made_is_refused() {
    for attempt in [0, 2, u32::MAX] {
        given::<Payment>([requested(), started(1)])
            .when(record_captured(attempt))
            .then_error(PaymentError::UnknownAttempt { attempt });
    }
}

#[test]
fn refunds_never_exceed_what_was_captured_minus_what_was_started_or_done() {
    let half = || taken_and([refund_started(part(1), 1, 400), refunded(part(1), 400)]);
    let too_large = |asked| PaymentError::RefundTooLarge { asked: krw(asked), refundable: 600 };
    given::<Payment>(half()).when(refund(part(2), krw(600))).then([refund_started(part(2), 1, 600)]);
    given::<Payment>(half()).when(refund(part(2), krw(601))).then_error(too_large(601));
    let failed = taken_and([refund_started(part(1), 1, 400), refund_failed(part(1), 1)]);
    given::<Payment>(failed).when(refund(part(2), krw(700))).then_error(too_large(700));
    given::<Payment>(taken())
        .when(refund(part(1), eur(1)))
        .then_error(PaymentError::RefundTooLarge { asked: eur(1), refundable: 1000 });
}

#[test]
fn a_refund_of_nothing_completes_without_the_provider() {
    let done = PaymentRefunded {
        subject: order_id(1).into(),
        refund_id: part(1),
        amount: krw(0),
        provider_ref: String::new(),
    };
    given::<Payment>(taken())
        .when(refund(part(1), krw(0)))
        .then([refund_started(part(1), 1, 0), done.into()]);
}

#[test]
fn the_same_refund_again_is_a_repeat_and_with_another_amount_a_refusal() {
    let past = || taken_and([refund_started(part(1), 1, 300)]);
    given::<Payment>(past()).when(refund(part(1), krw(300))).then_already_applied();
    given::<Payment>(past())
        .when(refund(part(1), krw(301)))
        .then_error(PaymentError::RefundDiffers { amount: krw(300) });
}

#[test]
fn a_failed_refund_is_tried_again_under_the_next_attempt() {
    let failed = || taken_and([refund_started(part(1), 1, 300), refund_failed(part(1), 1)]);
    given::<Payment>(failed()).when(retry(part(1), 1)).then([refund_started(part(1), 2, 300)]);
    let again = || failed().chain([refund_started(part(1), 2, 300)]);
    given::<Payment>(again()).when(retry(part(1), 1)).then_already_applied();
    given::<Payment>(again()).when(record_refunded(part(1), 2)).then([refunded(part(1), 300)]);
}

#[test]
fn a_refund_that_was_given_up_may_turn_out_to_have_worked() {
    let failed = || taken_and([refund_started(part(1), 1, 300), refund_failed(part(1), 1)]);
    given::<Payment>(failed()).when(record_refunded(part(1), 1)).then([refunded(part(1), 300)]);
    let done = failed().chain([refunded(part(1), 300)]);
    given::<Payment>(done).when(record_refund_failed(part(1), 1)).then_already_applied();
}

#[test]
fn answers_about_unknown_refunds_and_attempts_are_refused() {
    let past = || taken_and([refund_started(part(1), 1, 300)]);
    given::<Payment>(past()).when(record_refunded(part(2), 1)).then_error(PaymentError::UnknownRefund);
    given::<Payment>(past()).when(retry(part(2), 1)).then_error(PaymentError::UnknownRefund);
    for attempt in [0, 2] {
        given::<Payment>(past())
            .when(record_refunded(part(1), attempt))
            .then_error(PaymentError::UnknownAttempt { attempt });
    }
}

#[test]
fn money_that_was_never_taken_is_not_given_back() {
    given::<Payment>([requested()])
        .when(refund(part(1), krw(1)))
        .then_error(PaymentError::IllegalTransition { state: "requested", command: "be refunded" });
    given::<Payment>([requested(), voided()])
        .when(refund(part(1), krw(1)))
        .then_error(PaymentError::IllegalTransition { state: "voided", command: "be refunded" });
}

#[test]
fn every_event_about_the_payment_of_a_reservation_names_the_reservation() {
    use PaymentCommand::VoidPayment;
    let ways = [
        vec![start(10), record_captured(1), VoidPayment, record_refunded(full(), 1)],
        vec![start(10), VoidPayment, record_declined(1, 20), record_captured(1)],
        vec![start(10), record_declined(1, DUE)],
        vec![expire(DUE)],
        vec![VoidPayment],
    ];
    for way in ways {
        let mut payment = Payment::default();
        for command in std::iter::once(request_for_reservation()).chain(way) {
            let Ok(Outcome::Executed(events)) = payment.decide(&command) else { panic!("{command:?}") };
            for event in events {
                let stored: serde_json::Value = serde_json::from_slice(&event.encode()).unwrap();
                assert_eq!(stored.get("order_id").or(stored.get("shop_id")), None, "{stored}");
                let names_it =
                    stored.get("reservation_id").is_some_and(|id| *id == reservation_id(1).to_string());
                let needs_none = matches!(
                    event,
                    PaymentEvent::CaptureStarted(_)
                        | PaymentEvent::CaptureDeclined(_)
                        | PaymentEvent::RefundStarted(_)
                );
                assert_ne!(names_it, needs_none, "{} {stored}", event.name());
                payment.evolve(&event);
            }
        }
        assert_eq!(payment.details().unwrap().subject, reservation_id(1).into());
    }
}

#[test]
fn refunds_show_in_the_status() {
    let status = |more: Vec<PaymentEvent>| fold::<Payment>(&taken_and(more).collect::<Vec<_>>()).status();
    assert_eq!(status(vec![]), "captured");
    assert_eq!(status(vec![refund_started(part(1), 1, 300)]), "refunding");
    assert_eq!(status(vec![refund_started(part(1), 1, 300), refund_failed(part(1), 1)]), "refunding");
    assert_eq!(status(vec![refund_started(part(1), 1, 300), refunded(part(1), 300)]), "partially_refunded");
    assert_eq!(status(vec![refund_started(full(), 1, 1000), refunded(full(), 1000)]), "refunded");
}

#[test]
fn nothing_can_be_done_with_a_payment_that_was_never_requested() {
    let commands =
        [start(0), record_captured(1), PaymentCommand::VoidPayment, expire(DUE), refund(part(1), krw(1))];
    for command in commands {
        given::<Payment>([]).when(command).then_error(PaymentError::NotFound);
    }
}

#[tokio::test]
async fn the_cqrs_es_framework_runs_a_payment() {
    let framework = || TestFramework::<Payment>::with(());
    framework()
        .given(vec![requested(), started(1), void_requested()])
        .when_async(record_captured(1))
        .await
        .then_expect_events(vec![captured(1), refund_started(full(), 1, 1000)]);
    framework().given(taken()).when_async(expire(DUE)).await.then_expect_events(vec![]);
    framework()
        .given(taken())
        .when_async(start(10))
        .await
        .then_expect_error_message("a payment that is captured cannot be paid");
}
