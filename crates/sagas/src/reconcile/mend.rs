//! Puts on the log what is final in the books and not known there: charges.

use domain::{
    Actor, Aggregate, PaymentId, derive_uuid,
    payment::{CaptureOutcome, Payment, PaymentCommand, PaymentError, PaymentStage},
};
use eventlog::{Clock, CommandContext, Effect, ExecuteError, Executor, LogError};

use super::{
    accounts::Key,
    report::{Amount, Difference, DifferenceKind, MendResult, Mended, ReconcileReport},
};
use crate::ports::{LedgerEntry, LedgerKind};

/// Why mending stopped. What was done until then stands, and the next run knows it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum MendError {
    /// The log did not take a command.
    #[error("the charge under {key} was not put on the log: {error}")]
    Refused {
        /// The key at the provider.
        key: String,
        /// Why.
        error: ExecuteError<PaymentError>,
    },
    /// A payment cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// A charge that the books hold and the log does not.
struct Charge {
    payment_id: PaymentId,
    attempt: u32,
    key: String,
    books: Option<Amount>,
    provider_ref: String,
}

/// Tells each payment of the charges that the report found in the books and not on the log: it counts them, or finds them
/// late and gives them back. Nothing else is mended. What was done is in [`ReconcileReport::mended`]; the provider is not
/// called here: refunds are made by the process `payments`.
///
/// # Errors
/// The log does not take commands.
pub async fn mend(
    executor: &Executor,
    clock: &dyn Clock,
    actor: &Actor,
    report: &mut ReconcileReport,
) -> Result<(), MendError> {
    let mut mended = Vec::new();
    for difference in &mut report.differences {
        let Some(charge) = charge_of(difference) else { continue };
        let done = match charge {
            Ok(charge) => record(executor, clock, actor, charge).await?,
            Err(why) => not_mended(difference.payment_id, &difference.key, why),
        };
        difference.mended = done.result != MendResult::NotMended;
        mended.push(done);
    }
    for open in report.open.iter().filter(|open| open.kind == LedgerKind::Charge) {
        let (Some(provider_ref), Some(attempt)) = (open.provider_ref.clone(), attempt_of(&open.key)) else {
            continue;
        };
        let (payment_id, key) = (open.payment_id, open.key.clone());
        let charge = Charge { payment_id, attempt, key, books: None, provider_ref };
        mended.push(record(executor, clock, actor, charge).await?);
    }
    report.mended = mended;
    Ok(())
}

fn not_mended(payment_id: Option<PaymentId>, key: &str, why: String) -> Mended {
    Mended { payment_id, key: key.to_owned(), result: MendResult::NotMended, what: why }
}

/// The attempt that a charge's key names.
fn attempt_of(key: &str) -> Option<u32> {
    key.rsplit_once(':')?.1.parse().ok()
}

/// The charge that a difference is about; nothing if it is about something else, and why not if nobody can mend it.
fn charge_of(difference: &Difference) -> Option<Result<Charge, String>> {
    match difference.kind {
        DifferenceKind::UnknownCharge | DifferenceKind::OrphanCharge | DifferenceKind::ChargedTwice => {}
        _ => return None,
    }
    let entry = LedgerEntry {
        key: difference.key.clone(),
        kind: LedgerKind::Charge,
        amount_minor: 0,
        currency: String::new(),
        charge_ref: None,
        code: None,
        calls: 1,
    };
    let charge = match (Key::of(&entry), &difference.provider_ref) {
        (Some(Key::Charge(payment_id, attempt)), Some(provider_ref)) => Charge {
            payment_id,
            attempt,
            key: difference.key.clone(),
            books: difference.books.clone(),
            provider_ref: provider_ref.clone(),
        },
        _ => return Some(Err("the books do not name the charge".to_owned())),
    };
    Some(Ok(charge))
}

async fn record(
    executor: &Executor,
    clock: &dyn Clock,
    actor: &Actor,
    charge: Charge,
) -> Result<Mended, MendError> {
    let Charge { payment_id, attempt, key, books, provider_ref } = charge;
    let about =
        |_, payment: &Payment| payment.details().map(|it| (it.subject.uuid(), Amount::from(it.amount)));
    let Some((correlation_id, log)) = executor.inspect::<Payment, _>(&payment_id, about).await? else {
        let why = "the log knows no such payment: give the charge back at the provider".to_owned();
        return Ok(not_mended(Some(payment_id), &key, why));
    };
    if let Some(books) = books.filter(|books| *books != log) {
        // The log gives back what it asked for, which is not what was taken.
        let why = format!("{books} were charged instead of {log}: give the charge back at the provider");
        return Ok(not_mended(Some(payment_id), &key, why));
    }
    let outcome = CaptureOutcome::Captured { provider_ref: provider_ref.clone() };
    let context = CommandContext {
        command_id: derive_uuid(payment_id.uuid(), "reconcile", &key),
        correlation_id,
        causation_id: None,
        actor: actor.clone(),
        at: clock.now(),
        traceparent: None,
    };
    let command = PaymentCommand::RecordCapture { attempt, outcome, at: clock.now() };
    let effect = match executor.execute::<Payment>(&payment_id, command, context).await {
        Ok(done) => done.effect,
        Err(ExecuteError::Refused(error)) => {
            let why = format!("{error}: give the charge back at the provider");
            return Ok(not_mended(Some(payment_id), &key, why));
        }
        Err(error) => return Err(MendError::Refused { key, error }),
    };
    let look = |_, payment: &Payment| {
        let Payment::Existing { stage: PaymentStage::Captured { charge_ref }, .. } = payment else {
            return (payment.status(), false);
        };
        (payment.status(), *charge_ref == provider_ref)
    };
    let (status, is_this_one) = executor.inspect::<Payment, _>(&payment_id, look).await?;
    let (result, what) = match (effect, status) {
        (Effect::AlreadyApplied | Effect::Duplicate, _) if is_this_one => {
            (MendResult::Known, "the log knows the charge by now".to_owned())
        }
        (Effect::AlreadyApplied | Effect::Duplicate, _) => {
            let why = "another charge has paid the payment: give this one back at the provider".to_owned();
            (MendResult::NotMended, why)
        }
        (Effect::Applied, "captured") => {
            (MendResult::Captured, "the charge was put on the log: the payment is captured".to_owned())
        }
        (Effect::Applied, _) => {
            let what = "the charge was put on the log, and a refund of it was started".to_owned();
            (MendResult::Refunding, what)
        }
    };
    Ok(Mended { payment_id: Some(payment_id), key, result, what })
}
