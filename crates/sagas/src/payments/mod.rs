//! Payments: takes money from the provider and gives it back, exactly once, whatever happens in between. Instance: the
//! payment.
//!
//! | input | does | on doubt |
//! |---|---|---|
//! | PaymentRequested with a method | start capture (the intent goes on the log first) | superseded when voided or overdue |
//! | PaymentRequested | wakes at `due_at` | |
//! | CaptureStarted | charge under `payment_id:attempt`, record the outcome | the key is looked up until the outcome is known; while it is not, the same call again, after `due_at` a void of the key |
//! | RefundStarted | refund under `refund_id:attempt`, record the outcome | the same call again |
//! | RefundFailed | wakes later: retry refund | |
//! | timer `due` | expire payment | a charge under way decides |
//! | PaymentCaptured, PaymentDeclined, PaymentVoided, PaymentExpired | sleeps | |
//!
//! `LateCaptureFound` needs no row: the payment starts its refund in the same commit.

#[cfg(test)]
mod tests;

use domain::{
    AnyCommand, Envelope, Event, PaymentId, RefundId, Subject, Timestamp,
    payment::{PaymentCommand, PaymentEvent},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::process::{Awaiting, EffectCall, Input, Process, Reaction, backoff, go, ignore};

/// Seconds before a failed refund is tried again for the first time; doubles with every attempt.
pub const REFUND_RETRY_SECS: i64 = 10;

/// The process; see the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct Payments;

/// What the process remembers of a payment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", content = "memory", rename_all = "snake_case")]
pub enum PaymentsState {
    /// Not begun.
    #[default]
    Idle,
    /// Not decided.
    Open {
        /// Which payment.
        payment_id: PaymentId,
        /// When it expires.
        due_at: Timestamp,
        /// Whether the provider is being asked.
        charging: bool,
    },
    /// Decided.
    Settled {
        /// Which payment.
        payment_id: PaymentId,
        /// The refund under way.
        refunding: Option<RefundId>,
    },
}

const DUE: &str = "due";

impl Process for Payments {
    type State = PaymentsState;
    const NAME: &'static str = "payments";
    const VERSION: u32 = 1;

    fn instance(event: &Envelope) -> Option<Uuid> {
        matches!(event.event, Event::Payment(_)).then_some(event.stream.id)
    }

    fn begins(event: &Envelope) -> bool {
        matches!(event.event, Event::Payment(PaymentEvent::PaymentRequested(_)))
    }

    fn react(state: &PaymentsState, input: Input<'_>) -> Reaction<PaymentsState> {
        use PaymentsState::{Idle, Open, Settled};
        let event = match input {
            Input::Event(event) => event,
            Input::Timer { name, due_at } => return woken(state, name, due_at),
        };
        let Event::Payment(event_of_payment) = &event.event else { return ignore() };
        match (state, event_of_payment) {
            (Idle, PaymentEvent::PaymentRequested(e)) => {
                let opened = go(Open { payment_id: e.payment_id, due_at: e.due_at, charging: false })
                    .wake(DUE, e.due_at);
                match e.method {
                    None => opened,
                    Some(method) => opened
                        .send(
                            "start_capture",
                            payment(
                                e.payment_id,
                                PaymentCommand::StartCapture { method, at: event.metadata.recorded_at },
                            ),
                        )
                        .unless(&["payment_overdue", "illegal_transition"]),
                }
            }

            (Open { payment_id, due_at, .. }, PaymentEvent::CaptureStarted(e)) => {
                let charge = EffectCall::Charge {
                    payment_id: *payment_id,
                    attempt: e.attempt,
                    amount: e.amount,
                    method: e.method,
                    due_at: *due_at,
                };
                go(Open { payment_id: *payment_id, due_at: *due_at, charging: true })
                    .call(format!("charge/{}", e.attempt), charge)
            }
            (Open { payment_id, due_at, .. }, PaymentEvent::CaptureDeclined(_)) => {
                // The deadline may have passed while the provider was thinking, and its timer is spent then.
                go(Open { payment_id: *payment_id, due_at: *due_at, charging: false }).wake(DUE, *due_at)
            }
            (
                Open { payment_id, .. },
                PaymentEvent::PaymentCaptured(_)
                | PaymentEvent::PaymentDeclined(_)
                | PaymentEvent::PaymentVoided(_)
                | PaymentEvent::PaymentExpired(_),
            ) => go(Settled { payment_id: *payment_id, refunding: None }).unwake(DUE),

            (Open { .. } | Settled { .. }, PaymentEvent::RefundStarted(e)) => {
                let refunding = Settled { payment_id: e.payment_id, refunding: Some(e.refund_id) };
                if e.amount.is_zero() { go(refunding) } else { refund(refunding, e) }
            }
            (Settled { payment_id, .. }, PaymentEvent::PaymentRefunded(_)) => {
                go(Settled { payment_id: *payment_id, refunding: None })
            }
            (Settled { payment_id, .. }, PaymentEvent::RefundFailed(e)) => {
                let again_at = event.metadata.recorded_at + backoff(e.attempt, REFUND_RETRY_SECS);
                go(Settled { payment_id: *payment_id, refunding: Some(e.refund_id) })
                    .wake(format!("retry_refund/{}/{}", e.refund_id, e.attempt), again_at)
            }

            _ => ignore(),
        }
    }

    fn awaits(state: &PaymentsState) -> Option<Awaiting> {
        match state {
            PaymentsState::Idle | PaymentsState::Settled { refunding: None, .. } => None,
            PaymentsState::Open { charging: true, due_at, .. } => {
                Awaiting::until("the provider's answer", *due_at)
            }
            PaymentsState::Open { due_at, .. } => Awaiting::until("the customer's payment", *due_at),
            PaymentsState::Settled { .. } => Awaiting::for_event("PaymentRefunded"),
        }
    }
}

fn woken(state: &PaymentsState, name: &str, due_at: Timestamp) -> Reaction<PaymentsState> {
    match (state, name) {
        (PaymentsState::Open { payment_id, .. }, DUE) => go(state.clone())
            .send("expire_payment", payment(*payment_id, PaymentCommand::ExpirePayment { at: due_at }))
            .unless(&["payment_not_due"]),
        (PaymentsState::Settled { payment_id, .. }, name) => match failed_refund(name) {
            Some((refund_id, failed_attempt)) => go(state.clone()).send(
                name.to_owned(),
                payment(*payment_id, PaymentCommand::RetryRefund { refund_id, failed_attempt }),
            ),
            None => ignore(),
        },
        _ => ignore(),
    }
}

/// Reads `retry_refund/<refund>/<attempt>`.
fn failed_refund(timer: &str) -> Option<(RefundId, u32)> {
    let (refund, attempt) = timer.strip_prefix("retry_refund/")?.split_once('/')?;
    Some((refund.parse().ok()?, attempt.parse().ok()?))
}

fn refund(next: PaymentsState, started: &domain::payment::RefundStarted) -> Reaction<PaymentsState> {
    let call = EffectCall::Refund {
        payment_id: started.payment_id,
        refund_id: started.refund_id,
        attempt: started.attempt,
        amount: started.amount,
        charge_ref: started.charge_ref.clone(),
    };
    go(next).call(format!("refund/{}/{}", started.refund_id, started.attempt), call)
}

fn payment(id: PaymentId, command: PaymentCommand) -> AnyCommand {
    AnyCommand::Payment { id, command }
}

/// What was to be paid for, if the event says how a payment has ended or that money went back.
pub(crate) fn subject_of_outcome(event: &Event) -> Option<Subject> {
    match event {
        Event::Payment(PaymentEvent::PaymentCaptured(e)) => Some(e.subject),
        Event::Payment(PaymentEvent::PaymentDeclined(e)) => Some(e.subject),
        Event::Payment(PaymentEvent::PaymentExpired(e)) => Some(e.subject),
        Event::Payment(PaymentEvent::PaymentVoided(e)) => Some(e.subject),
        Event::Payment(PaymentEvent::PaymentRefunded(e)) => Some(e.subject),
        _ => None,
    }
}

/// The provider's idempotency key of a charge.
#[must_use]
pub fn charge_key(payment_id: PaymentId, attempt: u32) -> String {
    format!("{payment_id}:{attempt}")
}

/// The provider's idempotency key of a refund.
#[must_use]
pub fn refund_key(refund_id: RefundId, attempt: u32) -> String {
    format!("{refund_id}:{attempt}")
}
