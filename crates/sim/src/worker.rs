//! A worker at an instance's steps, and what one move of it does. Between any two moves anything can happen to its node,
//! to its lease, and at the provider.

use domain::{
    AnyCommand, Class, Timestamp, derive_uuid,
    notification::{Notification, NotificationCommand},
    payment::{CaptureOutcome, PaymentCommand, RefundOutcome},
    voucher::{VoucherCode, VoucherCommand},
};
use rand::{Rng, rngs::StdRng};
use sagas::{
    Action, EffectCall, completed,
    payments::{charge_key, refund_key},
};
use uuid::Uuid;

use crate::{
    aggregates::State,
    bug::Bug,
    faults::Faults,
    log::Log,
    node::{Answer, Node, stream_of},
    provider::{Provider, Silence},
    store::Pending,
};

/// Where a worker is with its step.
#[derive(Clone, Debug)]
enum Stage {
    /// Nothing of it is done.
    Begin,
    /// The provider does not know the key: it is to be charged, or closed.
    NotKnown,
    /// This is to be said to the log.
    Say(Box<AnyCommand>),
    /// The log is to answer.
    Waiting,
}

/// A worker.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    /// The process manager's number.
    pub(crate) process: usize,
    pub(crate) key: Uuid,
    steps: Vec<Pending>,
    done: usize,
    stage: Stage,
}

/// What a worker's move came to.
#[derive(Debug)]
pub(crate) enum Move {
    /// It goes on.
    On,
    /// This is to be given to the log, under this id.
    Give(Box<AnyCommand>, Uuid),
    /// It is at its end: all is done, or the next step has failed.
    End { failed: bool },
    /// A step can never be done.
    Stuck(String),
}

/// What a worker can reach.
pub(crate) struct Surroundings<'a> {
    pub(crate) node: &'a mut Node,
    pub(crate) log: &'a Log,
    pub(crate) provider: &'a mut Provider,
    pub(crate) faults: &'a mut Faults,
    pub(crate) rng: &'a mut StdRng,
    pub(crate) now: Timestamp,
    pub(crate) bug: Option<Bug>,
}

impl Worker {
    pub(crate) fn new(process: usize, key: Uuid, steps: Vec<Pending>) -> Self {
        Self { process, key, steps, done: 0, stage: Stage::Begin }
    }

    /// How many steps are done.
    pub(crate) fn done(&self) -> usize {
        self.done
    }

    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self.stage, Stage::Waiting)
    }

    /// Whether its next move begins a step.
    pub(crate) fn is_between_steps(&self) -> bool {
        matches!(self.stage, Stage::Begin)
    }

    pub(crate) fn step(&self) -> &Pending {
        &self.steps[self.done]
    }

    /// One move.
    pub(crate) fn go_on(&mut self, around: Surroundings<'_>) -> Move {
        let step = self.steps[self.done].clone();
        match (std::mem::replace(&mut self.stage, Stage::Waiting), &step.action) {
            (Stage::Begin, Action::Command(command)) => {
                let command = completed(drawn(command.clone(), around.rng), around.now);
                Move::Give(Box::new(command), step.command_id)
            }
            (Stage::Say(command), _) => {
                let command = completed(*command, around.now);
                Move::Give(Box::new(command), derive_uuid(step.command_id, "outcome", ""))
            }
            (stage, Action::Effect(effect)) => match call(effect, &step, &stage, around) {
                Ok(Called::Said(command)) => self.then(Stage::Say(command)),
                Ok(Called::NotKnown) => self.then(Stage::NotKnown),
                Ok(Called::Told) => self.step_done(),
                Err(Silence) => Move::End { failed: true },
            },
            (stage, Action::Command(_)) => self.then(stage),
        }
    }

    fn then(&mut self, stage: Stage) -> Move {
        self.stage = stage;
        Move::On
    }

    fn step_done(&mut self) -> Move {
        self.done += 1;
        self.stage = Stage::Begin;
        if self.done == self.steps.len() { Move::End { failed: false } } else { Move::On }
    }

    /// The log has answered.
    pub(crate) fn answered(&mut self, answer: Answer) -> Move {
        match answer {
            // A step's id is made of what it is, so it was this very step: with the time or the code of another try.
            Answer::Done | Answer::Reused => self.step_done(),
            Answer::Refused(refusal) => {
                let step = self.step();
                if step.superseded_by.iter().any(|code| code == refusal.code) {
                    return self.step_done();
                }
                if matches!(refusal.class, Class::Transient | Class::Conflict) {
                    return Move::End { failed: true };
                }
                let (name, code, message) = (&step.name, refusal.code, refusal.message);
                Move::Stuck(format!("stuck at {name}: {message} ({code})\n{:?}", step.action))
            }
        }
    }
}

enum Called {
    Said(Box<AnyCommand>),
    NotKnown,
    /// The customer was told before.
    Told,
}

/// One call to the outside.
fn call(
    effect: &EffectCall,
    step: &Pending,
    stage: &Stage,
    around: Surroundings<'_>,
) -> Result<Called, Silence> {
    let Surroundings { node, log, provider, faults, rng, now, bug } = around;
    match effect {
        EffectCall::Charge { payment_id, attempt, amount, due_at, .. } => {
            let mut key = charge_key(*payment_id, *attempt);
            if bug == Some(Bug::LostAnswerNotLookedUp) && step.attempts > 0 {
                key = format!("{key}#{}", step.attempts);
            }
            // Whoever may have tried before asks first what became of it.
            let asks = matches!(stage, Stage::Begin) && step.may_have_been_tried();
            let known = if asks { provider.look_up(&key, faults, rng)? } else { None };
            let charged = match known {
                Some(known) => known,
                None if asks => return Ok(Called::NotKnown),
                None if now < *due_at => provider.charge(&key, *amount, faults, rng)?,
                None => provider.void(&key, faults, rng)?,
            };
            let outcome = match charged {
                Some(provider_ref) => CaptureOutcome::Captured { provider_ref },
                None => CaptureOutcome::Declined { decline_code: "declined".to_owned() },
            };
            let command = PaymentCommand::RecordCapture { attempt: *attempt, outcome, at: now };
            Ok(Called::Said(Box::new(AnyCommand::Payment { id: *payment_id, command })))
        }
        EffectCall::Refund { payment_id, refund_id, attempt, amount, charge_ref } => {
            let mut key = refund_key(*refund_id, *attempt);
            if bug == Some(Bug::RefundUnderNewKey) && step.attempts > 0 {
                key = format!("{key}#{}", step.attempts);
            }
            let outcome = if provider.refund(&key, charge_ref, *amount, faults, rng)? {
                RefundOutcome::Refunded { provider_ref: key }
            } else {
                RefundOutcome::Failed { failure_code: "no".to_owned() }
            };
            let command = PaymentCommand::RecordRefund { refund_id: *refund_id, attempt: *attempt, outcome };
            Ok(Called::Said(Box::new(AnyCommand::Payment { id: *payment_id, command })))
        }
        EffectCall::Deliver { notification_id, .. } => {
            let stream = stream_of(domain::AggregateKind::Notification, notification_id);
            let told = node.inspect(stream, log);
            if let State::Notification(Notification::Sent(_) | Notification::Failed(_)) = told {
                return Ok(Called::Told);
            }
            let channel = "log".to_owned();
            let command = match rng.random_range(0..10) {
                0 if !faults.calm => return Err(Silence),
                1 => NotificationCommand::RecordFailed { channel, failure_code: "gone".to_owned() },
                _ => NotificationCommand::RecordSent { channel },
            };
            Ok(Called::Said(Box::new(AnyCommand::Notification { id: *notification_id, command })))
        }
    }
}

/// Draws what the runner would draw at random, from the history's seed.
fn drawn(mut command: AnyCommand, rng: &mut StdRng) -> AnyCommand {
    if let AnyCommand::Voucher { command: VoucherCommand::IssueVoucher { code: code @ None, .. }, .. } =
        &mut command
    {
        *code = Some(VoucherCode::from_random(rng.random()));
    }
    command
}
