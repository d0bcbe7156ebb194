//! What an operator can do about an instance, wherever it is worked on.

use std::time::Duration;

use eventlog::postgres::Held;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    runner::{Operation, Request},
    sagas::{SagaError, Sagas, known, locked},
    store::{Changes, InstanceState, InstanceSummary, Saved, Wish, slot_of},
};

/// How long a process manager of this process may take to answer.
const ANSWER: Duration = Duration::from_secs(10);
/// How long bringing the store up to date may take before it is read as it is.
const SAVE: Duration = Duration::from_secs(2);
/// How long another process may take to do what an operator wants.
const ELSEWHERE: Duration = Duration::from_secs(10);
/// How often it is looked after.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often it is looked after before asking whether that process is still there.
const LOOKS: u32 = 5;

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
        let done = tokio::time::timeout(ELSEWHERE, self.operate_elsewhere(name, key, operation)).await;
        done.unwrap_or(Err(SagaError::NotAnswered { process: name.to_owned(), key }))
    }

    /// Tells whoever works on the instance, and looks after it; does it if nobody works on it, or nobody does any more.
    async fn operate_elsewhere(
        &self,
        name: &'static str,
        key: Uuid,
        operation: Operation,
    ) -> Result<InstanceSummary, SagaError> {
        let mut wished = None;
        loop {
            if let Some(held) = self.store.take_if_free(name, slot_of(key, self.store.slots())).await? {
                let done = self.operate_on_stored(name, key, operation, wished, held).await;
                if let Err(error) = self.store.release(name, &[held]).await {
                    tracing::debug!(process = name, %error, "a slot is free only after a while");
                }
                return done;
            }
            let wish = match wished {
                Some(wish) => wish,
                None => {
                    let step = self.stuck(name, key).await?.outbox[0].command_id;
                    let wish = Wish { key, operation, step };
                    self.store.wish(name, wish).await?;
                    *wished.insert(wish)
                }
            };
            for _ in 0..LOOKS {
                tokio::time::sleep(LOOK_EVERY).await;
                if !self.store.is_wished(name, wish).await? {
                    return Ok(self.stored(name, key).await?.summary(name));
                }
            }
        }
    }

    /// Nobody works on it: the stored row is all there is.
    async fn operate_on_stored(
        &self,
        name: &'static str,
        key: Uuid,
        operation: Operation,
        wished: Option<Wish>,
        held: Held,
    ) -> Result<InstanceSummary, SagaError> {
        if let Some(wish) = wished {
            if !self.store.is_wished(name, wish).await? {
                return Ok(self.stored(name, key).await?.summary(name));
            }
            self.store.forget_wish(name, wish).await?;
        }
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

    async fn stored(&self, name: &'static str, key: Uuid) -> Result<Saved, SagaError> {
        let saved = self.store.load(name, vec![key]).await?.pop();
        saved.ok_or_else(|| SagaError::UnknownInstance { process: name.to_owned(), key })
    }

    /// The stored row of an instance that waits for an operator or a retry.
    async fn stuck(&self, name: &'static str, key: Uuid) -> Result<Saved, SagaError> {
        let saved = self.stored(name, key).await?;
        match saved.outbox.first() {
            Some(step) if step.is_waiting() => Ok(saved),
            _ => Err(SagaError::NotStuck { process: name.to_owned(), key }),
        }
    }

    /// Brings the store up to date with a running process manager's memory, if that answers soon.
    pub(crate) async fn saved(&self, name: &'static str) -> Result<(), SagaError> {
        if self.shared.is_in_trouble(name) {
            return Ok(());
        }
        match self.ask(name, Uuid::nil(), Operation::Save, SAVE).await {
            // The memory of whoever has just lost a slot is worth nothing.
            Err(SagaError::NotAnswered { .. } | SagaError::Elsewhere { .. }) => Ok(()),
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
            Some(running) if running.runs() => running.requests.clone(),
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
