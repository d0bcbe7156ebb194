//! Calls to the payment provider, until the outcome is known.
//!
//! | try | before `due_at` | after it |
//! |---|---|---|
//! | the first | charge | void the key |
//! | another | look the key up; not known: charge under the same key | look the key up; not known: void the key |
//!
//! Only a first try does without the look-up: nobody has called under that key yet, so there is nothing to be found. Every
//! other try begins with it, whether the one before had no answer or an earlier life of this program ended around its call:
//! what was charged is found without asking for money again. "Not known" is never final, since a call may still be on
//! its way to the provider; what follows is safe all the same: a charge under the same key is made once, and a void closes
//! the key for whatever comes late, or says that it came.

use std::{sync::Arc, time::Duration};

use domain::{
    ContactId, Money, Timestamp,
    payment::{CaptureOutcome, RefundOutcome},
};
use eventlog::kill_point;

use super::worker::Failure;
use crate::{
    ports::{ChargeOutcome, GatewayError, RefundAnswer, VoidOutcome},
    sagas::Shared,
};

/// The longest pause between two tries: a provider that is well again is noticed within it. *Source*: ours; short, since it
/// is not what spares the provider. That is the gateway, which permits no try while it is down and bounds how many retries
/// there are at once.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// The provider, as steps call it.
pub(super) struct Provider {
    shared: Arc<Shared>,
}

/// Money that is to be taken.
pub(super) struct Charge {
    /// The idempotency key.
    pub(super) key: String,
    pub(super) amount: Money,
    /// Where the payment token stands.
    pub(super) method: ContactId,
    /// After this nothing new is charged.
    pub(super) due_at: Timestamp,
}

impl Provider {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Charges under one key. After `due_at` nothing new is charged: the key is voided, and what was charged before still
    /// counts.
    pub(super) async fn charge(
        &self,
        charge: &Charge,
        may_have_been_tried: bool,
    ) -> Result<CaptureOutcome, Failure> {
        let Charge { key, amount, method, due_at } = charge;
        let gateway = &self.shared.effects.gateway;
        if may_have_been_tried {
            let known = gateway.look_up(key).await;
            kill_point("look_up.after_call");
            if let Some(outcome) = known.map_err(not_known)? {
                return Ok(capture(outcome));
            }
        }
        let token = if self.shared.clock.now() < *due_at {
            let token = self.shared.effects.tokens.payment_token(*method).await;
            token.map_err(|error| Failure::transient(&error))?.ok_or("payment_method_erased")
        } else {
            Err("payment_overdue")
        };
        match token {
            Ok(token) => {
                kill_point("charge.before_call");
                let outcome = gateway.charge(key, *amount, &token).await;
                kill_point("charge.after_call");
                outcome.map(capture).map_err(not_known)
            }
            Err(why_not) => {
                kill_point("void.before_call");
                let outcome = gateway.void(key).await;
                kill_point("void.after_call");
                match outcome.map_err(not_known)? {
                    VoidOutcome::Captured { provider_ref } => Ok(CaptureOutcome::Captured { provider_ref }),
                    VoidOutcome::Voided => Ok(CaptureOutcome::Declined { decline_code: why_not.to_owned() }),
                }
            }
        }
    }

    /// Gives money back under one key. A try whose outcome is not known is simply made again: the provider answers to the
    /// same key what it answered first.
    pub(super) async fn refund(
        &self,
        key: &str,
        charge_ref: &str,
        amount: Money,
    ) -> Result<RefundOutcome, Failure> {
        kill_point("refund.before_call");
        let answer = self.shared.effects.gateway.refund(key, charge_ref, amount).await;
        kill_point("refund.after_call");
        Ok(match answer.map_err(not_known)? {
            RefundAnswer::Refunded { provider_ref } => RefundOutcome::Refunded { provider_ref },
            RefundAnswer::Failed { code } => RefundOutcome::Failed { failure_code: code },
        })
    }
}

fn capture(outcome: ChargeOutcome) -> CaptureOutcome {
    match outcome {
        ChargeOutcome::Captured { provider_ref } => CaptureOutcome::Captured { provider_ref },
        ChargeOutcome::Declined { code } => CaptureOutcome::Declined { decline_code: code },
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn not_known(error: GatewayError) -> Failure {
    Failure { longest_pause: Some(LONGEST_PAUSE), ..Failure::transient(&error) }
}
