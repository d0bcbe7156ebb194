//! What a payment answers to each command in each stage. Refunds: [`super::refund`].

use super::{
    CaptureDeclined, CaptureOutcome, CaptureStarted, LateCaptureFound, Payment, PaymentCaptured,
    PaymentCommand, PaymentDeclined, PaymentDetails, PaymentError, PaymentEvent, PaymentExpired,
    PaymentRequested, PaymentStage, PaymentTiming, PaymentVoidRequested, PaymentVoided, full_refund_of,
    refund, state::status,
};
use crate::{ContactId, Decision, Timestamp, already_applied, executed, executed_all};

pub(super) type Answer = Decision<PaymentEvent, PaymentError>;

pub(super) fn decide(payment: &Payment, command: &PaymentCommand) -> Answer {
    use PaymentCommand::{
        ExpirePayment, RecordCapture, RecordRefund, RequestPayment, RetryRefund, StartCapture, StartRefund,
        VoidPayment,
    };
    use PaymentStage::{Captured, Capturing, Declined, Expired, Requested, Voided};
    let (details, stage) = match (payment, command) {
        (Payment::Absent, RequestPayment { .. }) => return request(command),
        (Payment::Absent, _) => return Err(PaymentError::NotFound),
        (Payment::Existing { details, stage }, _) => (details, stage),
    };
    match (stage, command) {
        (_, RequestPayment { .. }) => already_applied(),

        (Requested, StartCapture { method, at }) => start_capture(details, *method, *at),

        (Capturing { void_requested }, RecordCapture { attempt, outcome, at })
            if *attempt == details.attempt =>
        {
            capture_ended(details, *void_requested, outcome, *at)
        }
        (_, RecordCapture { attempt, .. }) if *attempt == 0 || *attempt > details.attempt => {
            Err(PaymentError::UnknownAttempt { attempt: *attempt })
        }
        (Captured { .. }, RecordCapture { .. }) => already_applied(),
        // The attempt that was taken for declined had worked after all, and the customer still wants to pay.
        (Requested, RecordCapture { attempt, outcome: CaptureOutcome::Captured { provider_ref }, .. }) => {
            executed(captured(details, *attempt, provider_ref))
        }
        (_, RecordCapture { outcome: CaptureOutcome::Declined { .. }, .. }) => already_applied(),
        (
            Declined | Voided | Expired,
            RecordCapture { attempt, outcome: CaptureOutcome::Captured { provider_ref }, .. },
        ) => late_capture(details, *attempt, provider_ref),

        (Requested, VoidPayment) => executed(PaymentVoided { subject: details.subject }),
        (Capturing { void_requested: false }, VoidPayment) => {
            executed(PaymentVoidRequested { subject: details.subject })
        }
        (Capturing { void_requested: true } | Declined | Voided | Expired, VoidPayment) => already_applied(),
        (Captured { charge_ref }, VoidPayment) => refund::rest(details, charge_ref),

        (Requested, ExpirePayment { at }) if *at >= details.due_at => {
            executed(PaymentExpired { subject: details.subject })
        }
        (Requested, ExpirePayment { .. }) => Err(PaymentError::NotDue { due_at: details.due_at }),
        // Somebody may just be paying: the outcome of the charge decides.
        (Capturing { .. } | Captured { .. } | Declined | Voided | Expired, ExpirePayment { .. }) => {
            already_applied()
        }

        (Captured { charge_ref }, StartRefund { refund_id, amount }) => {
            refund::start(details, charge_ref, *refund_id, *amount)
        }
        (Captured { charge_ref }, RetryRefund { refund_id, failed_attempt }) => {
            refund::retry(details, charge_ref, *refund_id, *failed_attempt)
        }
        (Captured { .. }, RecordRefund { refund_id, attempt, outcome }) => {
            refund::ended(details, *refund_id, *attempt, outcome)
        }
        (_, command) => {
            Err(PaymentError::IllegalTransition { state: status(payment), command: verb(command) })
        }
    }
}

fn request(command: &PaymentCommand) -> Answer {
    let PaymentCommand::RequestPayment {
        payment_id,
        subject,
        customer_id,
        shop_id,
        amount,
        timing,
        method,
        due_at,
    } = command
    else {
        return Err(PaymentError::NotFound);
    };
    executed(PaymentRequested {
        payment_id: *payment_id,
        subject: *subject,
        customer_id: customer_id.clone(),
        shop_id: shop_id.clone(),
        amount: *amount,
        timing: *timing,
        method: *method,
        due_at: *due_at,
    })
}

fn start_capture(payment: &PaymentDetails, method: ContactId, at: Timestamp) -> Answer {
    if at >= payment.due_at {
        return Err(PaymentError::Overdue { due_at: payment.due_at });
    }
    if payment.amount.is_zero() {
        return executed(captured(payment, 0, ""));
    }
    executed(CaptureStarted {
        payment_id: payment.payment_id,
        attempt: payment.attempt + 1,
        amount: payment.amount,
        method,
    })
}

fn capture_ended(
    payment: &PaymentDetails,
    void_requested: bool,
    outcome: &CaptureOutcome,
    at: Timestamp,
) -> Answer {
    let subject = payment.subject;
    match outcome {
        CaptureOutcome::Captured { provider_ref } => {
            let captured = captured(payment, payment.attempt, provider_ref).into();
            if void_requested {
                let back = refund::started(
                    payment,
                    provider_ref,
                    full_refund_of(payment.payment_id),
                    1,
                    payment.amount,
                );
                return executed_all([captured, back.into()]);
            }
            executed_all([captured])
        }
        CaptureOutcome::Declined { decline_code } => {
            let declined =
                CaptureDeclined { attempt: payment.attempt, decline_code: decline_code.clone() }.into();
            if void_requested {
                return executed_all([declined, PaymentVoided { subject }.into()]);
            }
            match payment.timing {
                PaymentTiming::AtOrder => {
                    executed(PaymentDeclined { subject, decline_code: decline_code.clone() })
                }
                PaymentTiming::Deferred if at >= payment.due_at => {
                    executed_all([declined, PaymentExpired { subject }.into()])
                }
                PaymentTiming::Deferred => executed_all([declined]),
            }
        }
    }
}

fn captured(payment: &PaymentDetails, attempt: u32, provider_ref: &str) -> PaymentCaptured {
    PaymentCaptured {
        payment_id: payment.payment_id,
        subject: payment.subject,
        amount: payment.amount,
        attempt,
        provider_ref: provider_ref.to_owned(),
    }
}

fn late_capture(payment: &PaymentDetails, attempt: u32, provider_ref: &str) -> Answer {
    let found = LateCaptureFound {
        payment_id: payment.payment_id,
        subject: payment.subject,
        amount: payment.amount,
        attempt,
        provider_ref: provider_ref.to_owned(),
    };
    let back = refund::started(payment, provider_ref, full_refund_of(payment.payment_id), 1, payment.amount);
    executed_all([found.into(), back.into()])
}

fn verb(command: &PaymentCommand) -> &'static str {
    match command {
        PaymentCommand::RequestPayment { .. } => "be requested",
        PaymentCommand::StartCapture { .. } => "be paid",
        PaymentCommand::RecordCapture { .. } => "be captured",
        PaymentCommand::VoidPayment => "be voided",
        PaymentCommand::ExpirePayment { .. } => "expire",
        PaymentCommand::StartRefund { .. }
        | PaymentCommand::RetryRefund { .. }
        | PaymentCommand::RecordRefund { .. } => "be refunded",
    }
}
