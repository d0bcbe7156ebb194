//! Giving money back: what a captured payment answers to refund commands.

use super::{
    PaymentDetails, PaymentError, PaymentRefunded, RefundFailed, RefundOutcome, RefundProgress,
    RefundStarted, decide::Answer, full_refund_of,
};
use crate::{Money, RefundId, already_applied, executed, executed_all};

/// Starts a refund of `amount`; one of nothing is done at once, without the provider.
pub(super) fn start(
    payment: &PaymentDetails,
    charge_ref: &str,
    refund_id: RefundId,
    amount: Money,
) -> Answer {
    match payment.refunds.get(&refund_id) {
        Some(refund) if refund.amount == amount => return already_applied(),
        Some(refund) => return Err(PaymentError::RefundDiffers { amount: refund.amount }),
        None => {}
    }
    let refundable = payment.refundable();
    if amount.currency != payment.amount.currency || amount.amount_minor > refundable {
        return Err(PaymentError::RefundTooLarge { asked: amount, refundable });
    }
    let started = started(payment, charge_ref, refund_id, 1, amount);
    if amount.is_zero() {
        return executed_all([started.into(), done(payment, refund_id, amount, "").into()]);
    }
    executed(started)
}

/// Gives back all that is left. Where other refunds have taken everything that is a refund of nothing: whoever called the
/// payment off waits for its end.
pub(super) fn rest(payment: &PaymentDetails, charge_ref: &str) -> Answer {
    let refund_id = full_refund_of(payment.payment_id);
    let left = Money { amount_minor: payment.refundable(), currency: payment.amount.currency };
    if payment.refunds.contains_key(&refund_id) {
        return already_applied();
    }
    start(payment, charge_ref, refund_id, left)
}

/// Tries a refund again whose newest attempt failed.
pub(super) fn retry(
    payment: &PaymentDetails,
    charge_ref: &str,
    refund_id: RefundId,
    failed_attempt: u32,
) -> Answer {
    let refund = payment.refunds.get(&refund_id).ok_or(PaymentError::UnknownRefund)?;
    match refund.progress {
        RefundProgress::Failed if refund.attempt == failed_attempt => {
            executed(started(payment, charge_ref, refund_id, refund.attempt + 1, refund.amount))
        }
        _ => already_applied(),
    }
}

/// The provider answered.
pub(super) fn ended(
    payment: &PaymentDetails,
    refund_id: RefundId,
    attempt: u32,
    outcome: &RefundOutcome,
) -> Answer {
    let refund = payment.refunds.get(&refund_id).ok_or(PaymentError::UnknownRefund)?;
    if attempt == 0 || attempt > refund.attempt {
        return Err(PaymentError::UnknownAttempt { attempt });
    }
    match (refund.progress, outcome) {
        (RefundProgress::Done, _) => already_applied(),
        // An attempt that was given up may turn out to have worked.
        (_, RefundOutcome::Refunded { provider_ref }) => {
            executed(done(payment, refund_id, refund.amount, provider_ref))
        }
        (RefundProgress::Started, RefundOutcome::Failed { failure_code }) if attempt == refund.attempt => {
            executed(RefundFailed { refund_id, attempt, failure_code: failure_code.clone() })
        }
        (_, RefundOutcome::Failed { .. }) => already_applied(),
    }
}

pub(super) fn started(
    payment: &PaymentDetails,
    charge_ref: &str,
    refund_id: RefundId,
    attempt: u32,
    amount: Money,
) -> RefundStarted {
    RefundStarted {
        payment_id: payment.payment_id,
        refund_id,
        attempt,
        amount,
        charge_ref: charge_ref.to_owned(),
    }
}

fn done(payment: &PaymentDetails, refund_id: RefundId, amount: Money, provider_ref: &str) -> PaymentRefunded {
    PaymentRefunded { subject: payment.subject, refund_id, amount, provider_ref: provider_ref.to_owned() }
}
