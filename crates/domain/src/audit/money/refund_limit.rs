//! `refund_never_exceeds_capture`: all refunds of a payment together never exceed what it captured, each is paid out
//! once, and with the amount that it was started with.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Envelope, Event, RefundId,
    audit::{
        Over,
        check::{Check, Findings},
    },
    payment::PaymentEvent,
};

#[derive(Default)]
struct Captured {
    amount: i64,
    /// Amount of each refund, and whether it is paid out.
    refunds: Vec<(RefundId, i64, bool)>,
}

#[derive(Default)]
pub(in crate::audit) struct RefundLimit {
    payments: HashMap<Uuid, Captured>,
}

impl Check for RefundLimit {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        let Event::Payment(payment_event) = &event.event else { return };
        let captured = match payment_event {
            PaymentEvent::PaymentCaptured(e) => Some(e.amount.amount_minor),
            PaymentEvent::LateCaptureFound(e) => Some(e.amount.amount_minor),
            PaymentEvent::RefundStarted(_) | PaymentEvent::PaymentRefunded(_) => None,
            _ => return,
        };
        let payment = self.payments.entry(event.stream.id).or_default();
        payment.amount += captured.unwrap_or(0);
        match payment_event {
            PaymentEvent::RefundStarted(e) => {
                let amount = e.amount.amount_minor;
                match payment.refunds.iter().find(|(refund, ..)| *refund == e.refund_id) {
                    Some((_, first, done)) => found.ensure(event, *first == amount && !done, || {
                        format!("refund {} of {first} is started again, with {amount}", e.refund_id)
                    }),
                    None => payment.refunds.push((e.refund_id, amount, false)),
                }
                let refunds: i64 = payment.refunds.iter().map(|(_, amount, _)| amount).sum();
                found.ensure(event, refunds <= payment.amount, || {
                    format!("refunds of {refunds} of {} captured", payment.amount)
                });
            }
            PaymentEvent::PaymentRefunded(e) => {
                let amount = e.amount.amount_minor;
                let started = payment.refunds.iter_mut().find(|(refund, ..)| *refund == e.refund_id);
                let holds = match started {
                    Some((_, started, done)) => !std::mem::replace(done, true) && *started == amount,
                    None => false,
                };
                found.ensure(event, holds, || {
                    format!("refund {} of {amount} was not started so, or is paid out twice", e.refund_id)
                });
            }
            _ => {}
        }
    }

    fn forget(&mut self, over: &Over, _: &mut Findings) {
        self.payments.remove(&over.payment.uuid());
    }
}
