//! The table of payments, row by row and as a grid.

use domain::{
    AnyCommand, ContactId, Timestamp,
    payment::{
        CaptureDeclined, CaptureStarted, PaymentCaptured, PaymentCommand, PaymentDeclined, PaymentEvent,
        PaymentExpired, PaymentRefunded, PaymentRequested, PaymentTiming, PaymentVoidRequested,
        PaymentVoided, RefundFailed, RefundStarted,
    },
};

use super::{Payments, PaymentsState, charge_key, refund_key};
use crate::{
    Process,
    process::EffectCall,
    testing::{
        Given, at, contact_id, customer_id, given, grid, order_id, payment_id, refund_id, shop_id, won,
    },
};

fn open(charging: bool) -> PaymentsState {
    PaymentsState::Open { payment_id: payment_id(), due_at: at(300), charging }
}
fn settled() -> PaymentsState {
    PaymentsState::Settled { payment_id: payment_id(), refunding: None }
}
fn refunding() -> PaymentsState {
    PaymentsState::Settled { payment_id: payment_id(), refunding: Some(refund_id()) }
}
fn when(state: PaymentsState) -> Given<Payments> {
    given(state)
}
fn payment(command: PaymentCommand) -> AnyCommand {
    AnyCommand::Payment { id: payment_id(), command }
}
fn requested(method: Option<ContactId>) -> PaymentEvent {
    PaymentRequested {
        payment_id: payment_id(),
        subject: order_id().into(),
        customer_id: customer_id(),
        shop_id: Some(shop_id()),
        amount: won(2800),
        timing: PaymentTiming::AtOrder,
        method,
        due_at: at(300),
    }
    .into()
}
fn captured() -> PaymentEvent {
    let (payment_id, subject, amount) = (payment_id(), order_id().into(), won(2800));
    PaymentCaptured { payment_id, subject, amount, attempt: 1, provider_ref: "ch_1".to_owned() }.into()
}
fn ends() -> [PaymentEvent; 4] {
    let subject = order_id().into();
    [
        captured(),
        PaymentDeclined { subject, decline_code: "no_funds".to_owned() }.into(),
        PaymentVoided { subject }.into(),
        PaymentExpired { subject }.into(),
    ]
}
fn refund_started(attempt: u32, amount: i64) -> PaymentEvent {
    RefundStarted {
        payment_id: payment_id(),
        refund_id: refund_id(),
        attempt,
        amount: won(amount),
        charge_ref: "ch_1".to_owned(),
    }
    .into()
}
fn refund_failed(attempt: u32) -> PaymentEvent {
    RefundFailed { refund_id: refund_id(), attempt, failure_code: "closed".to_owned() }.into()
}
fn refunded() -> PaymentEvent {
    let (subject, refund_id, amount) = (order_id().into(), refund_id(), won(2800));
    PaymentRefunded { subject, refund_id, amount, provider_ref: "re_1".to_owned() }.into()
}
fn due() -> (&'static str, Option<Timestamp>) {
    ("due", Some(at(300)))
}

#[test]
fn a_payment_with_a_method_is_captured_at_once_and_wakes_when_it_is_due() {
    let command = PaymentCommand::StartCapture { method: contact_id(), at: at(10) };
    let then = when(PaymentsState::Idle).when(requested(Some(contact_id()))).then(open(false));
    then.sends("start_capture", payment(command), &["payment_overdue", "illegal_transition"])
        .and_timers(&[due()]);
}

#[test]
fn a_payment_without_a_method_waits_for_the_customer_until_it_is_due() {
    when(PaymentsState::Idle).when(requested(None)).then(open(false)).and_timers(&[due()]);
}

#[test]
fn a_capture_whose_intent_is_on_the_log_is_charged_under_its_attempt() {
    let started =
        CaptureStarted { payment_id: payment_id(), attempt: 2, amount: won(2800), method: contact_id() };
    let charge = EffectCall::Charge {
        payment_id: payment_id(),
        attempt: 2,
        amount: won(2800),
        method: contact_id(),
        due_at: at(300),
    };
    let then = when(open(false)).when(PaymentEvent::from(started)).then(open(true));
    then.calls("charge/2", charge).and_no_more();
}

#[test]
fn a_declined_attempt_wakes_again_when_the_payment_is_due() {
    let declined = CaptureDeclined { attempt: 1, decline_code: "no_funds".to_owned() };
    let then = when(open(true)).when(PaymentEvent::from(declined));
    then.then(open(false)).and_timers(&[due()]);
}

#[test]
fn a_payment_that_has_ended_sleeps() {
    for (end, charging) in ends().into_iter().zip([true, true, false, false]) {
        when(open(charging)).when(end).then(settled()).and_timers(&[("due", None)]);
    }
}

#[test]
fn a_void_that_waits_for_the_charge_changes_nothing() {
    when(open(true))
        .when(PaymentEvent::from(PaymentVoidRequested { subject: order_id().into() }))
        .then_nothing();
}

#[test]
fn a_refund_whose_intent_is_on_the_log_is_asked_for_under_its_attempt() {
    for before in [open(true), settled(), refunding()] {
        let refund = EffectCall::Refund {
            payment_id: payment_id(),
            refund_id: refund_id(),
            attempt: 3,
            amount: won(2800),
            charge_ref: "ch_1".to_owned(),
        };
        let then = when(before).when(refund_started(3, 2800)).then(refunding());
        then.calls(&format!("refund/{}/3", refund_id()), refund).and_no_more();
    }
}

#[test]
fn a_refund_of_nothing_needs_no_provider() {
    when(settled()).when(refund_started(1, 0)).then(refunding()).and_no_more();
}

#[test]
fn money_that_is_back_ends_the_refund() {
    when(refunding()).when(refunded()).then(settled()).and_no_more();
}

#[test]
fn a_failed_refund_is_tried_again_later_and_later() {
    for (attempt, secs) in [(1, 10), (2, 20), (3, 40), (30, 3600)] {
        let timer = format!("retry_refund/{}/{attempt}", refund_id());
        let then = when(refunding()).when(refund_failed(attempt)).then(refunding());
        then.and_timers(&[(&timer, Some(at(10 + secs)))]);
        let retry = PaymentCommand::RetryRefund { refund_id: refund_id(), failed_attempt: attempt };
        let then = when(refunding()).when_woken(&timer, at(10 + secs)).then(refunding());
        then.sends(&timer, payment(retry), &[]).and_no_more();
    }
}

#[test]
fn a_payment_that_is_due_expires_unless_its_time_was_moved() {
    for charging in [false, true] {
        let then = when(open(charging)).when_woken("due", at(300)).then(open(charging));
        let expire = PaymentCommand::ExpirePayment { at: at(300) };
        then.sends("expire_payment", payment(expire), &["payment_not_due"]).and_no_more();
    }
}

#[test]
fn a_timer_that_is_none_of_its_own_is_passed_over() {
    when(settled()).when_woken("due", at(300)).then_nothing();
    when(settled()).when_woken("retry_refund/nonsense", at(300)).then_nothing();
    when(PaymentsState::Idle).when_woken("due", at(300)).then_nothing();
}

#[test]
fn keys_at_the_provider_name_the_attempt() {
    assert_eq!(charge_key(payment_id(), 2), format!("{}:2", payment_id()));
    assert_eq!(refund_key(refund_id(), 3), format!("{}:3", refund_id()));
}

#[test]
fn an_open_payment_says_whom_it_waits_for_and_until_when() {
    let says = |state: PaymentsState| Payments::awaits(&state).map(|a| (a.what, a.deadline));
    assert_eq!(says(open(true)), Some(("the provider's answer".to_owned(), Some(at(300)))));
    assert_eq!(says(open(false)), Some(("the customer's payment".to_owned(), Some(at(300)))));
    assert_eq!(says(refunding()), Some(("PaymentRefunded".to_owned(), None)));
    assert_eq!(says(settled()), None);
}

#[test]
fn every_event_and_timer_in_every_stage() {
    let states = [
        ("idle", PaymentsState::Idle),
        ("open", open(false)),
        ("open, charging", open(true)),
        ("settled", settled()),
        ("settled, refunding", refunding()),
    ];
    let retry = format!("retry_refund/{}/1", refund_id());
    insta::assert_snapshot!("grid", grid::<Payments>(&states, &["due", &retry, "unknown"]));
}
