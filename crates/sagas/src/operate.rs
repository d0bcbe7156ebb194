//! What an operator can do about an instance, wherever it is worked on.

use std::time::Duration;

use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    runner::{Operation, Request},
    sagas::{SagaError, Sagas, known, locked},
    store::{Changes, InstanceState, InstanceSummary, Wish, slot_of},
};

/// How long a process manager of this process may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How long bringing the store up to date may take before it is read as it is.
const SAVE: Duration = Duration::from_secs(2);
/// How long another process may take to do what an operator wants, and how often it is looked after.
const ELSEWHERE: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Sagas {
    /// Tries the step again that an instance is stuck at or waits to retry.
    ///
    /// # Errors
    /// Unknown, or not stuck; the store or the process that works on it does not answer.
    pub async fn retry(&self, process: &str, key: Uuid) -> Result<InstanceSummary, SagaError> {
        self.operate(process, key, Operation::Retry).await
    }

    /// Takes the step for done that an instance is stuck at, and goes on with the next.
    ///
    /// # Errors
    /// Unknown, or not stuck; the store or the process that works on it does not answer.
    pub async fn skip(&self, process: &str, key: Uuid) -> Result<InstanceSummary, SagaError> {
        self.operate(process, key, Operation::Skip).await
    }

    async fn operate(
        &self,
        process: &str,
        key: Uuid,
        operation: Operation,
    ) -> Result<InstanceSummary, SagaError> {
        let name = known(process)?;
        let unknown = || SagaError::UnknownInstance { process: name.to_owned(), key };
        match self.ask(name, key, operation, ANSWER).await {
            Ok(Some(answer)) => return answer.ok_or_else(unknown),
            Ok(None) | Err(SagaError::Elsewhere { .. }) => {}
            Err(error) => return Err(error),
        }
        let slot = slot_of(key, self.store.slots());
        match self.store.take_if_free(name, slot).await? {
            Some(held) => {
                let done = self.operate_on_stored(name, key, operation, held).await;
                self.store.release(name, &[held]).await?;
                done
            }
            None => self.operate_elsewhere(name, key, operation).await,
        }
    }

    /// Nobody works on it: the stored row is all there is.
    async fn operate_on_stored(
        &self,
        name: &'static str,
        key: Uuid,
        operation: Operation,
        held: eventlog::postgres::Held,
    ) -> Result<InstanceSummary, SagaError> {
        let mut saved = self.stuck(name, key).await?;
        if let Some(step) = saved.outbox.first_mut() {
            step.stuck = false;
            step.next_retry_at = None;
        }
        if operation == Operation::Skip {
            saved.outbox.remove(0);
        }
        saved.status = InstanceState::of(saved.outbox.first(), saved.awaiting.as_ref());
        let summary = saved.summary(name);
        let changes = Changes { instances: vec![saved], held: vec![held], ..Changes::default() };
        self.store.write(name, changes.into()).await?;
        Ok(summary)
    }

    /// Another process works on it: it is told, and looked after.
    async fn operate_elsewhere(
        &self,
        name: &'static str,
        key: Uuid,
        operation: Operation,
    ) -> Result<InstanceSummary, SagaError> {
        self.stuck(name, key).await?;
        self.store.wish(name, Wish { key, operation }).await?;
        let done = async {
            while self.store.is_wished(name, key).await? {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            // It is taken before it is done.
            tokio::time::sleep(LOOK_EVERY).await;
            let saved = self.store.load(name, vec![key]).await?.pop();
            let saved = saved.ok_or(SagaError::UnknownInstance { process: name.to_owned(), key })?;
            Ok(saved.summary(name))
        };
        let done = tokio::time::timeout(ELSEWHERE, done).await;
        done.unwrap_or(Err(SagaError::NotAnswered { process: name.to_owned(), key }))
    }

    /// The stored row of an instance that waits for an operator or a retry.
    async fn stuck(&self, name: &'static str, key: Uuid) -> Result<crate::store::Saved, SagaError> {
        let unknown = || SagaError::UnknownInstance { process: name.to_owned(), key };
        let saved = self.store.load(name, vec![key]).await?.pop().ok_or_else(unknown)?;
        match saved.outbox.first() {
            Some(step) if step.stuck || step.next_retry_at.is_some() => Ok(saved),
            _ => Err(SagaError::NotStuck { process: name.to_owned(), key }),
        }
    }

    /// Brings the store up to date with a running process manager's memory, if that answers soon.
    pub(crate) async fn saved(&self, name: &'static str) -> Result<(), SagaError> {
        match self.ask(name, Uuid::nil(), Operation::Save, SAVE).await {
            Err(SagaError::NotAnswered { .. }) => Ok(()),
            asked => asked.map(drop),
        }
    }

    /// Asks a running process manager; none if it does not run here.
    async fn ask(
        &self,
        name: &'static str,
        key: Uuid,
        operation: Operation,
        within: Duration,
    ) -> Result<Option<Option<InstanceSummary>>, SagaError> {
        let requests = match locked(&self.running).get(name) {
            Some(running) if !running.task.is_finished() => running.requests.clone(),
            _ => return Ok(None),
        };
        let (answer, answered) = oneshot::channel();
        let stopped = || SagaError::Stopped(name.to_owned());
        let ask = async {
            requests.send(Request { operation, key, answer }).await.map_err(|_| stopped())?;
            // A request that was sent just as the process manager ended may lie in its channel unread for ever.
            tokio::select! {
                biased;
                answer = answered => answer.map_err(|_| stopped())?.map(Some),
                () = requests.closed() => Err(stopped()),
            }
        };
        let asked = tokio::time::timeout(within, ask).await;
        asked.unwrap_or(Err(SagaError::NotAnswered { process: name.to_owned(), key }))
    }
}
