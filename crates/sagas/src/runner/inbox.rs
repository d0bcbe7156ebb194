//! What reaches a running process manager besides events: workers that are done, and operators.

use domain::Class;
use eventlog::StoreError;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{DRAIN, Runner, cell::Cell, held::try_of, worker::Failure};
use crate::{
    ports::Availability,
    process::Process,
    sagas::SagaError,
    store::{InstanceSummary, PendingStep},
};

/// A worker's report: how many steps it did, and what stopped it.
pub(super) struct Message {
    pub(super) key: Uuid,
    /// The worker's number.
    pub(super) worker: u64,
    pub(super) done: usize,
    pub(super) failure: Option<Failure>,
}

/// What an operator wants done with a stuck instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Try the step again.
    Retry,
    /// Take the step for done.
    Skip,
    /// Bring the store up to date, so that it can be read.
    Save,
}

impl Operation {
    /// The word that is stored.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Skip => "skip",
            Self::Save => "save",
        }
    }

    /// The operation with this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Retry, Self::Skip, Self::Save].into_iter().find(|operation| operation.name() == name)
    }
}

/// An operator's request.
pub(crate) struct Request {
    pub(crate) operation: Operation,
    pub(crate) key: Uuid,
    pub(crate) answer: oneshot::Sender<Result<Option<InstanceSummary>, SagaError>>,
}

impl<P: Process> Runner<P> {
    /// Sets a worker to the instance's steps, unless one is at them or they must wait.
    pub(super) fn work_on(&mut self, key: Uuid) {
        let Some(cell) = self.cells.get_mut(&key) else { return };
        let Some(first) = cell.outbox.front() else { return };
        if cell.worker.is_some() || cell.held || first.stuck {
            return;
        }
        let (now, longest) = (self.shared.clock.now(), self.shared.longest_retry());
        if let Some(at) = first.next_retry_at.filter(|at| *at > now && *at - now <= longest) {
            self.retries.insert((at, key));
            return;
        }
        if first.calls_provider() {
            let which = try_of(first);
            if let Err(wait) = self.held.permit(which, || self.shared.effects.gateway.permit(which)) {
                cell.held = true;
                self.held.hold(key, which, wait);
                return;
            }
        }
        self.set_to_work(key);
    }

    /// Sets a worker to the instance's steps, as far as it needs no further permission.
    pub(super) fn set_to_work(&mut self, key: Uuid) {
        let Some(cell) = self.cells.get_mut(&key) else { return };
        self.workers_begun += 1;
        self.working += 1;
        let needs_permission = |(nth, step): &(usize, &PendingStep)| *nth > 0 && step.calls_provider();
        let steps = cell.outbox.iter().enumerate().take_while(|step| !needs_permission(step));
        let steps = steps.map(|(_, step)| step.clone()).collect();
        cell.worker = Some(self.worker.start(key, self.workers_begun, steps, self.outbox.clone()));
    }

    /// A worker is done, or stopped.
    pub(super) fn finished(&mut self, message: Message) {
        self.working -= 1;
        // The instance may have gone to another process and come back since: then the report is about another outbox.
        let same = |cell: &&mut Cell<P::State>| cell.is_worked_on_by(message.worker);
        let Some(cell) = self.cells.get_mut(&message.key).filter(same) else { return };
        cell.worker = None;
        cell.outbox.drain(..message.done.min(cell.outbox.len()));
        if let (Some(failure), Some(step)) = (message.failure, cell.outbox.front_mut()) {
            step.attempts += 1;
            step.last_error = Some(failure.reason.clone());
            if failure.stuck {
                step.stuck = true;
                step.next_retry_at = None;
                tracing::error!(process = P::NAME, key = %message.key, step = step.name, error = failure.reason, "stuck");
            } else {
                // While nothing is permitted a pause of its own is no use: it waits with the others, and goes on with them.
                let gateway = &self.shared.effects.gateway;
                let closed = step.calls_provider() && gateway.availability() != Availability::Available;
                step.next_retry_at = Some(if closed {
                    self.shared.clock.now()
                } else {
                    self.shared.retry_at(step.attempts, failure.longest_pause)
                });
                tracing::debug!(process = P::NAME, key = %message.key, step = step.name, error = failure.reason, "retrying");
            }
        }
        self.dirty.insert(message.key);
        self.dirty_since.get_or_insert_with(tokio::time::Instant::now);
        self.work_on(message.key);
    }

    /// Does what an operator wants, stores it, and goes on; not if it was not stored, since memory is ahead then.
    pub(super) async fn answer(
        &mut self,
        request: Request,
        stop: &CancellationToken,
    ) -> Result<(), SagaError> {
        let Request { operation, key, answer } = request;
        let done = self.operate(operation, key, None, stop).await;
        let stored = match &done {
            Err(SagaError::Store(error)) => Err(error.clone().into()),
            _ => Ok(()),
        };
        // An operator who has gone away still had it done.
        let _ = answer.send(done.map_err(|error| match error {
            SagaError::Store(StoreError::Fenced) => SagaError::Elsewhere { process: P::NAME.to_owned(), key },
            other => other,
        }));
        stored
    }

    /// Does what an operator wants of the step that the instance is at: of `step` only, if one is named.
    pub(super) async fn operate(
        &mut self,
        operation: Operation,
        key: Uuid,
        step: Option<Uuid>,
        stop: &CancellationToken,
    ) -> Result<Option<InstanceSummary>, SagaError> {
        if operation == Operation::Save {
            self.flush(stop).await?;
            return Ok(None);
        }
        if !self.places.has(key) {
            return Err(SagaError::Elsewhere { process: P::NAME.to_owned(), key });
        }
        self.fetch(std::iter::once(key)).await?;
        let unknown = || SagaError::UnknownInstance { process: P::NAME.to_owned(), key };
        let cell = self.cells.get_mut(&key).ok_or_else(unknown)?;
        let is_it = |front: &PendingStep| step.is_none_or(|step| front.command_id == step);
        let waits = cell.outbox.front().is_some_and(|front| front.is_waiting() && is_it(front));
        if cell.worker.is_some() || !waits {
            return Err(SagaError::NotStuck { process: P::NAME.to_owned(), key });
        }
        if operation == Operation::Skip {
            drop(cell.outbox.pop_front());
        } else if let Some(step) = cell.outbox.front_mut() {
            step.stuck = false;
            step.next_retry_at = None;
        }
        self.save(&[key], Vec::new(), stop).await?;
        let summary = self.cells.get(&key).map(|cell| cell.to_saved::<P>(key).summary(P::NAME));
        self.work_on(key);
        Ok(summary)
    }

    /// Waits for workers under way, for a while; what they do not finish is done again after the next start.
    pub(super) async fn drain(&mut self) {
        let deadline = tokio::time::Instant::now() + DRAIN;
        self.worker.close();
        while self.working > 0 {
            match tokio::time::timeout_at(deadline, self.inbox.recv()).await {
                Ok(Some(message)) => self.finished_last(message),
                Ok(None) | Err(_) => break,
            }
        }
    }

    fn finished_last(&mut self, message: Message) {
        self.working -= 1;
        let same = |cell: &&mut Cell<P::State>| cell.is_worked_on_by(message.worker);
        if let Some(cell) = self.cells.get_mut(&message.key).filter(same) {
            cell.outbox.drain(..message.done.min(cell.outbox.len()));
            self.dirty.insert(message.key);
        }
    }
}

/// Whether a refusal of this class is worth another try by itself.
pub(super) fn is_transient(class: Class) -> bool {
    matches!(class, Class::Transient | Class::Conflict)
}
