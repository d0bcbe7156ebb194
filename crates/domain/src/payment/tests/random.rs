//! Random commands to a payment, checked against books that are kept apart from it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    DUE, expire, full, part, record_captured, record_declined, record_refund_failed, record_refunded, refund,
    request, retry, start,
};
use crate::{
    Aggregate, Outcome, RefundId,
    payment::{Payment, PaymentCommand, PaymentEvent, PaymentTiming},
    testing::krw,
};

fn any_refund() -> impl Strategy<Value = RefundId> {
    prop_oneof![3 => (1_u32..4).prop_map(part), 1 => Just(full())]
}

fn any_command() -> impl Strategy<Value = PaymentCommand> {
    let around_due = || prop_oneof![4 => 0..DUE, 1 => DUE..DUE + 10];
    prop_oneof![
        4 => around_due().prop_map(start),
        4 => (0_u32..4).prop_map(record_captured),
        3 => (0_u32..4, around_due()).prop_map(|(attempt, secs)| record_declined(attempt, secs)),
        1 => Just(PaymentCommand::VoidPayment),
        1 => around_due().prop_map(expire),
        4 => (any_refund(), 0_i64..1200).prop_map(|(id, amount)| refund(id, krw(amount))),
        2 => (any_refund(), 0_u32..4).prop_map(|(id, attempt)| retry(id, attempt)),
        3 => (any_refund(), 0_u32..4).prop_map(|(id, attempt)| record_refunded(id, attempt)),
        2 => (any_refund(), 0_u32..4).prop_map(|(id, attempt)| record_refund_failed(id, attempt)),
    ]
}

/// What an accountant would write down from the events alone.
#[derive(Default)]
struct Books {
    asked: i64,
    captured: Option<i64>,
    refunds: BTreeMap<RefundId, i64>,
    given_back: BTreeMap<RefundId, i64>,
    unwanted: bool,
}

impl Books {
    fn write(&mut self, events: &[PaymentEvent]) -> Result<(), TestCaseError> {
        let (mut came_in, mut goes_back) = (0, 0);
        for event in events {
            match event {
                PaymentEvent::PaymentRequested(e) => self.asked = e.amount.amount_minor,
                PaymentEvent::CaptureStarted(_) => {
                    prop_assert!(!self.unwanted && self.captured.is_none(), "charged without need");
                }
                PaymentEvent::PaymentCaptured(e) => {
                    came_in += e.amount.amount_minor;
                    let before = self.captured.replace(e.amount.amount_minor);
                    prop_assert_eq!(before, None, "captured twice");
                }
                PaymentEvent::LateCaptureFound(e) => {
                    prop_assert!(self.unwanted, "late, though nothing had ended");
                    came_in += e.amount.amount_minor;
                    let before = self.captured.replace(e.amount.amount_minor);
                    prop_assert_eq!(before, None, "captured twice");
                }
                PaymentEvent::PaymentVoidRequested(_)
                | PaymentEvent::PaymentVoided(_)
                | PaymentEvent::PaymentDeclined(_)
                | PaymentEvent::PaymentExpired(_) => self.unwanted = true,
                PaymentEvent::CaptureDeclined(_) => {}
                PaymentEvent::RefundStarted(e) => {
                    goes_back += e.amount.amount_minor;
                    let before = self.refunds.insert(e.refund_id, e.amount.amount_minor);
                    prop_assert!(before.is_none_or(|amount| amount == e.amount.amount_minor));
                }
                PaymentEvent::PaymentRefunded(e) => {
                    let before = self.given_back.insert(e.refund_id, e.amount.amount_minor);
                    prop_assert_eq!(before, None, "given back twice");
                    prop_assert_eq!(self.refunds.get(&e.refund_id), Some(&e.amount.amount_minor));
                }
                PaymentEvent::RefundFailed(e) => {
                    prop_assert!(!self.given_back.contains_key(&e.refund_id), "failed after it was done");
                }
            }
        }
        if self.unwanted && came_in > 0 {
            prop_assert_eq!(goes_back, came_in, "money that nobody wants is kept");
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn refunds_never_exceed_what_was_captured_and_unwanted_money_goes_back(
        timing in prop_oneof![Just(PaymentTiming::AtOrder), Just(PaymentTiming::Deferred)],
        amount in prop_oneof![1 => Just(0_i64), 6 => 1_i64..1500],
        commands in prop::collection::vec(any_command(), 0..60),
    ) {
        let mut payment = Payment::default();
        let mut books = Books::default();
        for command in std::iter::once(request(timing, krw(amount))).chain(commands) {
            let Ok(Outcome::Executed(events)) = payment.decide(&command) else { continue };
            if let PaymentCommand::StartCapture { at, .. } = &command {
                prop_assert!(*at < crate::testing::at(DUE), "charged when overdue");
            }
            events.iter().for_each(|event| payment.evolve(event));
            books.write(&events)?;

            let set_aside: i64 = books.refunds.values().sum();
            prop_assert!(set_aside <= books.captured.unwrap_or(0), "more goes back than came in");
            let details = payment.details().unwrap();
            prop_assert_eq!(details.refundable(), books.asked - set_aside);
            prop_assert_eq!(details.refunded(), books.given_back.values().sum::<i64>());
            if command == PaymentCommand::VoidPayment && books.captured.is_some() {
                prop_assert_eq!(set_aside, books.asked, "a voided payment keeps money");
            }
        }
    }
}
