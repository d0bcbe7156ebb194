//! Works off the steps of an instance: commands to our own log, calls to the outside.

use std::{sync::Arc, time::Duration};

use domain::{
    Actor, AnyCommand, VoucherId, derive_uuid,
    notification::{Notification, NotificationCommand},
    payment::PaymentCommand,
    voucher::Voucher,
};
use eventlog::{Bug, CommandContext, Executor, kill_point, planted};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    cell::AtWork,
    completion::completed,
    inbox::{Message, is_transient},
    provider::{Charge, Provider},
};
use crate::{
    payments::{charge_key, refund_key},
    ports::{CarriedVoucher, ChannelError, Message as CustomerMessage},
    process::{Action, EffectCall},
    sagas::Shared,
    store::PendingStep,
};

/// How many instances of a process are worked on at once.
const CONCURRENT_INSTANCES: usize = 256;
/// How often a channel is asked before a notification counts as failed: about an hour, most of it a minute apart.
const DELIVERY_TRIES: u32 = 64;

/// Why a step was not done.
pub(super) struct Failure {
    /// In words for an operator.
    pub(super) reason: String,
    /// Whether it is pointless to try again by itself.
    pub(super) stuck: bool,
    /// The longest pause before the next try, if it is shorter than what is usual.
    pub(super) longest_pause: Option<Duration>,
}

impl Failure {
    pub(super) fn transient(error: &impl ToString) -> Self {
        Self { reason: error.to_string(), stuck: false, longest_pause: None }
    }
}

/// Starts tasks that work off steps.
pub(super) struct Worker {
    context: Arc<Context>,
}

struct Context {
    process: &'static str,
    executor: Executor,
    provider: Provider,
    shared: Arc<Shared>,
    places: Semaphore,
}

impl Worker {
    pub(super) fn new(process: &'static str, executor: Executor, shared: Arc<Shared>) -> Self {
        let places = Semaphore::new(CONCURRENT_INSTANCES);
        let provider = Provider::new(shared.clone());
        Self { context: Arc::new(Context { process, executor, provider, shared, places }) }
    }

    /// Works off `steps` in order, as far as it goes and until the answer is dropped, and reports once.
    pub(super) fn start(
        &self,
        key: Uuid,
        worker: u64,
        steps: Vec<PendingStep>,
        report: mpsc::UnboundedSender<Message>,
    ) -> AtWork {
        let (context, go_no_further) = (self.context.clone(), CancellationToken::new());
        let at_work = AtWork::new(worker, go_no_further.clone());
        tokio::spawn(async move {
            let (done, failure) = context.work_off(&steps, &go_no_further).await;
            // Nobody listens any more after a stop: the steps are done again, under the same ids.
            let _ = report.send(Message { key, worker, done, failure });
        });
        at_work
    }

    /// Starts no more steps.
    pub(super) fn close(&self) {
        self.context.places.close();
    }
}

impl Context {
    async fn work_off(
        &self,
        steps: &[PendingStep],
        go_no_further: &CancellationToken,
    ) -> (usize, Option<Failure>) {
        for (done, step) in steps.iter().enumerate() {
            let Ok(_place) = self.places.acquire().await else { return (done, None) };
            if go_no_further.is_cancelled() {
                return (done, None);
            }
            if let Err(failure) = self.work(step).await {
                return (done, Some(failure));
            }
        }
        (steps.len(), None)
    }

    async fn work(&self, step: &PendingStep) -> Result<(), Failure> {
        match &step.action {
            Action::Command(command) => self.give(command.clone(), step.command_id, step).await,
            Action::Effect(effect) if self.is_told(effect).await? => Ok(()),
            Action::Effect(effect) => {
                let outcome = self.call(effect, step).await?;
                self.give(outcome, derive_uuid(step.command_id, "outcome", ""), step).await?;
                match effect {
                    EffectCall::Charge { .. } => kill_point("charge.recorded"),
                    EffectCall::Refund { .. } => kill_point("refund.recorded"),
                    EffectCall::Deliver { .. } => {}
                }
                Ok(())
            }
        }
    }

    /// Gives a command to our own log, which recognises it by its id if it took effect before.
    async fn give(&self, command: AnyCommand, command_id: Uuid, step: &PendingStep) -> Result<(), Failure> {
        let at = self.shared.clock.now();
        let context = CommandContext {
            command_id,
            correlation_id: step.correlation_id,
            causation_id: Some(step.causation_id),
            actor: Actor::Process(self.process.to_owned()),
            at,
            traceparent: step.traceparent.clone(),
        };
        match self.executor.execute_any(completed(command, at), context).await {
            Ok(_) => Ok(()),
            Err(error) if step.superseded_by.iter().any(|code| code == error.code) => {
                tracing::debug!(process = self.process, step = step.name, code = error.code, "superseded");
                Ok(())
            }
            // A step's id is made of what it is, so it was this very step: with the time or the code of another try.
            Err(error) if error.code == "command_id_reused" => {
                tracing::debug!(
                    process = self.process,
                    step = step.name,
                    "took effect before, in another way"
                );
                Ok(())
            }
            Err(error) => {
                let reason = format!("{}: {} ({})", step.name, error.message, error.code);
                Err(Failure { stuck: !is_transient(error.class), ..Failure::transient(&reason) })
            }
        }
    }

    /// Calls the outside; the outcome is a command to our own log.
    async fn call(&self, effect: &EffectCall, step: &PendingStep) -> Result<AnyCommand, Failure> {
        match effect {
            EffectCall::Charge { payment_id, attempt, amount, method, due_at } => {
                let charge = Charge {
                    key: charge_key(*payment_id, *attempt),
                    amount: *amount,
                    method: *method,
                    due_at: *due_at,
                };
                let outcome = self.provider.charge(&charge, step.may_have_been_tried()).await?;
                let command =
                    PaymentCommand::RecordCapture { attempt: *attempt, outcome, at: self.shared.clock.now() };
                Ok(AnyCommand::Payment { id: *payment_id, command })
            }
            EffectCall::Refund { payment_id, refund_id, attempt, amount, charge_ref } => {
                let mut key = refund_key(*refund_id, *attempt);
                if planted(Bug::DoubleRefund) && step.may_have_been_tried() {
                    key = format!("{key}:{}", Uuid::now_v7());
                }
                let outcome = self.provider.refund(&key, charge_ref, *amount).await?;
                let command =
                    PaymentCommand::RecordRefund { refund_id: *refund_id, attempt: *attempt, outcome };
                Ok(AnyCommand::Payment { id: *payment_id, command })
            }
            EffectCall::Deliver { notification_id, subject, customer_id, shop_id, change, voucher_id } => {
                let message = CustomerMessage {
                    notification_id: *notification_id,
                    subject: *subject,
                    customer_id: customer_id.clone(),
                    shop_id: shop_id.clone(),
                    change: *change,
                    voucher: None,
                };
                let command = match voucher_id {
                    None => self.deliver(message, step).await?,
                    Some(voucher_id) => self.deliver_voucher(*voucher_id, message, step).await?,
                };
                Ok(AnyCommand::Notification { id: *notification_id, command })
            }
        }
    }

    /// Whether the log says that a message was handed over, or given up: after a loss of the work store every message
    /// comes by once more, and must not reach the customer again.
    async fn is_told(&self, effect: &EffectCall) -> Result<bool, Failure> {
        let EffectCall::Deliver { notification_id, .. } = effect else { return Ok(false) };
        let told = |_, state: &Notification| matches!(state, Notification::Sent(_) | Notification::Failed(_));
        let told = self.executor.inspect::<Notification, _>(notification_id, told).await;
        told.map_err(|error| Failure::transient(&error))
    }

    /// Hands a message over with the code that the voucher has now: nothing that waits to be sent holds a copy of it. A
    /// voucher that is no longer good is not sent.
    async fn deliver_voucher(
        &self,
        voucher_id: VoucherId,
        message: CustomerMessage,
        step: &PendingStep,
    ) -> Result<NotificationCommand, Failure> {
        let code = |_, voucher: &Voucher| match voucher {
            Voucher::Issued(details) | Voucher::Sent(details) => Ok(details.code.clone()),
            Voucher::Deactivated(_) => Err("voucher_deactivated"),
            Voucher::Absent => Err("voucher_not_found"),
        };
        let code = self.executor.inspect::<Voucher, _>(&voucher_id, code).await;
        match code.map_err(|error| Failure::transient(&error))? {
            Ok(code) => {
                let voucher = Some(CarriedVoucher { voucher_id, code });
                self.deliver(CustomerMessage { voucher, ..message }, step).await
            }
            Err(why_not) => Ok(NotificationCommand::RecordFailed {
                channel: self.shared.effects.channel.name().to_owned(),
                failure_code: why_not.to_owned(),
            }),
        }
    }

    async fn deliver(
        &self,
        message: CustomerMessage,
        step: &PendingStep,
    ) -> Result<NotificationCommand, Failure> {
        let channel = &self.shared.effects.channel;
        let name = channel.name().to_owned();
        let failed = |code: &str| NotificationCommand::RecordFailed {
            channel: name.clone(),
            failure_code: code.to_owned(),
        };
        match channel.deliver(message).await {
            Ok(()) => Ok(NotificationCommand::RecordSent { channel: name }),
            Err(ChannelError::Permanent(code)) => Ok(failed(&code)),
            Err(ChannelError::Transient(reason)) if step.attempts + 1 >= DELIVERY_TRIES => {
                tracing::warn!(step = step.name, reason, "a message was not delivered");
                Ok(failed("gave_up"))
            }
            Err(error @ ChannelError::Transient(_)) => Err(Failure::transient(&error)),
        }
    }
}
