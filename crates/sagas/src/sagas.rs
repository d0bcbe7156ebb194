//! The handle over all process managers: start, stop, and what an operator can see and do.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use domain::{Position, Timestamp};
use eventlog::{Checkpoint, Clock, Executor, LogError, StoreError};
use rand::Rng;
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    availability,
    booking::Booking,
    cancellation::Cancellation,
    checkout::Checkout,
    fulfilment::Fulfilment,
    listing::{InstanceFilter, InstancePage},
    loyalty::Loyalty,
    notifications::Notifications,
    payments::Payments,
    ports::{Availability, Channel, PaymentGateway, Tokens},
    process::Process,
    returns::Returns,
    runner::{Request, Runner},
    store::{Backend, InstanceDetails, InstanceState, WorkStore},
    vouchers::Vouchers,
};

/// All process managers, in the order of the way of an order.
const PROCESSES: &[&str] = &[
    Checkout::NAME,
    Payments::NAME,
    Fulfilment::NAME,
    Cancellation::NAME,
    Returns::NAME,
    Loyalty::NAME,
    Booking::NAME,
    Vouchers::NAME,
    Notifications::NAME,
];

/// The names of all process managers.
#[must_use]
pub fn process_names() -> &'static [&'static str] {
    PROCESSES
}

/// Pause before a process manager that failed begins anew; doubles while it cannot.
const BEGIN_ANEW: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What process managers call outside the log.
#[derive(Clone)]
pub struct Effects {
    /// The payment provider.
    pub gateway: Arc<dyn PaymentGateway>,
    /// Where payment tokens stand.
    pub tokens: Arc<dyn Tokens>,
    /// How customers are told.
    pub channel: Arc<dyn Channel>,
}

/// How process managers behave.
#[derive(Clone, Copy, Debug)]
pub struct SagaOptions {
    /// How long to wait after a first failed try; doubles with every try.
    pub first_retry: Duration,
    /// The longest wait between two tries.
    pub longest_retry: Duration,
    /// How many instances a process manager keeps in memory while nothing is to be done for them.
    pub idle_instances: usize,
}

impl Default for SagaOptions {
    fn default() -> Self {
        Self {
            first_retry: Duration::from_millis(100),
            longest_retry: Duration::from_secs(60),
            idle_instances: 20_000,
        }
    }
}

/// Why an operator's wish, or a start, came to nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SagaError {
    /// No such process manager.
    #[error("there is no process {name:?}; there are {}", PROCESSES.join(", "))]
    UnknownProcess {
        /// What was asked for.
        name: String,
    },
    /// No such instance.
    #[error("process {process} has no instance {key}")]
    UnknownInstance {
        /// The process manager.
        process: String,
        /// The instance.
        key: Uuid,
    },
    /// Nothing to retry or skip.
    #[error("instance {key} of process {process} is not stuck and waits for no retry")]
    NotStuck {
        /// The process manager.
        process: String,
        /// The instance.
        key: Uuid,
    },
    /// Another process works on it.
    #[error("instance {key} of process {process} is worked on by another process")]
    Elsewhere {
        /// The process manager.
        process: String,
        /// The instance.
        key: Uuid,
    },
    /// Whoever works on it did not do it in time.
    #[error(
        "instance {key} of process {process} is worked on by another process, which has not answered yet: look again"
    )]
    NotAnswered {
        /// The process manager.
        process: String,
        /// The instance.
        key: Uuid,
    },
    /// A stored state that this release cannot read.
    #[error("the state of instance {key} cannot be read: {reason}")]
    Unreadable {
        /// The instance.
        key: Uuid,
        /// What the JSON reader said.
        reason: String,
    },
    /// The process manager ended while it was asked.
    #[error("process {0} has just stopped")]
    Stopped(String),
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The work store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SagaError {
    /// Whether another try may help, also if it takes somebody who gives us back the right to the database.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Log(error) => {
                matches!(error, LogError::Unavailable(_) | LogError::Full(_) | LogError::Unusable(_))
            }
            Self::Store(error) => {
                use StoreError::{Closed, Corrupt, NewerSchema};
                !matches!(error, NewerSchema { .. } | Corrupt(_) | Closed)
            }
            _ => false,
        }
    }
}

/// How a process manager is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProcessStatus {
    /// Its name.
    pub name: String,
    /// Whether it runs in this program.
    pub running: bool,
    /// The last event it has reacted to.
    pub position: Position,
    /// Events that it has still to read.
    pub lag: Position,
    /// Why it does not go on, if it does not.
    pub trouble: Option<String>,
    /// Instances that are not over, by state.
    pub open: Vec<(InstanceState, u64)>,
    /// The processes that share its work, with how many of the 64 slots each has; empty where one process does it all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<(String, u64)>,
}

/// What all runners share.
pub(crate) struct Shared {
    pub(crate) effects: Effects,
    pub(crate) clock: Arc<dyn Clock>,
    options: SagaOptions,
    progress: Mutex<HashMap<&'static str, (Position, Option<String>)>>,
    /// Whether payments can be made, as it was read last.
    pub(crate) availability: Mutex<Option<(Availability, Instant)>>,
}

impl Shared {
    fn new(effects: Effects, clock: Arc<dyn Clock>, options: SagaOptions) -> Self {
        Self { effects, clock, options, progress: Mutex::default(), availability: Mutex::default() }
    }

    /// When a step that has failed `attempts` times is tried again: doubling, with full jitter on the upper half.
    pub(crate) fn retry_at(&self, attempts: u32, longest: Option<Duration>) -> Timestamp {
        let SagaOptions { first_retry: first, longest_retry, .. } = self.options;
        let longest = longest.map_or(longest_retry, |longest| longest.min(longest_retry));
        let wait = first.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(longest);
        let jittered = wait.mul_f64(rand::rng().random_range(0.5..1.0));
        self.clock.now() + chrono::Duration::from_std(jittered).unwrap_or_default()
    }

    /// The longest time between two tries.
    pub(crate) fn longest_retry(&self) -> chrono::Duration {
        chrono::Duration::from_std(self.options.longest_retry).unwrap_or(chrono::Duration::MAX)
    }

    /// How many instances are kept in memory while nothing is to be done for them.
    pub(crate) fn idle_instances(&self) -> usize {
        self.options.idle_instances
    }

    pub(crate) fn advanced(&self, process: &'static str, position: Position) {
        locked(&self.progress).entry(process).or_default().0 = position;
    }

    pub(crate) fn is_in_trouble(&self, process: &'static str) -> bool {
        locked(&self.progress).get(process).is_some_and(|(_, trouble)| trouble.is_some())
    }

    pub(crate) fn trouble(&self, process: &'static str, trouble: Option<String>) {
        locked(&self.progress).entry(process).or_default().1 = trouble;
    }
}

/// A process manager that runs.
pub(crate) struct Running {
    pub(crate) requests: mpsc::Sender<Request>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    /// It does not once it has stopped because of something that does not pass.
    pub(crate) fn runs(&self) -> bool {
        !self.task.is_finished()
    }
}

/// All process managers of this program.
#[derive(Clone)]
pub struct Sagas {
    pub(crate) store: Arc<dyn Backend>,
    executor: Executor,
    pub(crate) shared: Arc<Shared>,
    pub(crate) running: Arc<Mutex<HashMap<&'static str, Running>>>,
}

impl Sagas {
    /// Over an opened work store; nothing runs before [`Sagas::start`].
    ///
    /// # Errors
    /// A checkpoint that does not match the log: the log went back, for example after a restore.
    pub async fn open(
        store: WorkStore,
        executor: Executor,
        effects: Effects,
        clock: Arc<dyn Clock>,
        options: SagaOptions,
    ) -> Result<Self, SagaError> {
        let (shared, store) = (Shared::new(effects, clock, options), store.backend());
        for name in PROCESSES {
            let checkpoints = store.checkpoints(name).await?;
            if let Some((_, newest)) = checkpoints.iter().max_by_key(|(_, checkpoint)| checkpoint.position) {
                executor.log().verify_checkpoint(newest).await?;
            }
            shared.advanced(name, furthest_behind(&checkpoints, store.slots()));
        }
        Ok(Self { store, executor, shared: Arc::new(shared), running: Arc::default() })
    }

    /// Starts the named process managers that do not run yet; names of other things are passed over.
    pub fn start(&self, which: &[&str]) {
        for name in which {
            match *name {
                Checkout::NAME => self.spawn::<Checkout>(),
                Payments::NAME => self.spawn::<Payments>(),
                Fulfilment::NAME => self.spawn::<Fulfilment>(),
                Cancellation::NAME => self.spawn::<Cancellation>(),
                Returns::NAME => self.spawn::<Returns>(),
                Loyalty::NAME => self.spawn::<Loyalty>(),
                Booking::NAME => self.spawn::<Booking>(),
                Vouchers::NAME => self.spawn::<Vouchers>(),
                Notifications::NAME => self.spawn::<Notifications>(),
                _ => {}
            }
        }
    }

    fn spawn<P: Process>(&self) {
        let mut running = locked(&self.running);
        if running.get(P::NAME).is_some_and(Running::runs) {
            return;
        }
        let (requests, inbox) = mpsc::channel(64);
        let stop = CancellationToken::new();
        let (store, executor, shared, until) =
            (self.store.clone(), self.executor.clone(), self.shared.clone(), stop.clone());
        let over = stop.child_token();
        if P::NAME == Payments::NAME {
            let (store, shared) = (self.store.clone(), self.shared.clone());
            tokio::spawn(availability::publish(store, shared, over.clone()));
        }
        let over = over.drop_guard();
        let task = tokio::spawn(async move {
            keep_running::<P>(store, executor, shared, inbox, until).await;
            drop(over);
        });
        running.insert(P::NAME, Running { requests, stop, task });
    }

    /// Stops all: finishes the steps under way (for a few seconds) and stores what is done.
    pub async fn stop(&self) {
        let stopping: Vec<Running> = locked(&self.running).drain().map(|(_, running)| running).collect();
        for running in &stopping {
            running.stop.cancel();
        }
        for running in stopping {
            if let Err(error) = running.task.await {
                tracing::error!(%error, "a process manager did not stop cleanly");
            }
        }
    }

    /// Of every process manager, whether it runs here and why it does not go on: what is asked every few seconds, so the store
    /// is asked one thing only.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn health(&self) -> Result<Vec<(&'static str, bool, Option<String>)>, SagaError> {
        self.store.counts(Payments::NAME).await?;
        let trouble = |name| locked(&self.shared.progress).get(name).and_then(|(_, trouble)| trouble.clone());
        Ok(PROCESSES.iter().map(|name| (*name, self.runs(name), trouble(name))).collect())
    }

    /// How all process managers are doing.
    ///
    /// # Errors
    /// The store or the log does not answer.
    pub async fn status(&self) -> Result<Vec<ProcessStatus>, SagaError> {
        let head = self.executor.log().head().await?;
        let mut all = Vec::with_capacity(PROCESSES.len());
        for name in PROCESSES {
            let (mut position, trouble) =
                locked(&self.shared.progress).get(name).cloned().unwrap_or_default();
            let running = self.runs(name);
            if self.store.slots() > 1 {
                position = furthest_behind(&self.store.checkpoints(name).await?, self.store.slots());
            }
            let (open, holders) = (self.store.counts(name).await?, self.store.members(name).await?);
            let lag = head.saturating_sub(position);
            all.push(ProcessStatus {
                name: (*name).to_owned(),
                running,
                position,
                lag,
                trouble,
                open,
                holders,
            });
        }
        Ok(all)
    }

    /// Whether a process manager runs in this program.
    pub(crate) fn runs(&self, name: &str) -> bool {
        locked(&self.running).get(name).is_some_and(Running::runs)
    }

    /// A page of the instances that are not over, or of those in the asked-for state.
    ///
    /// # Errors
    /// An unknown process; the store does not answer.
    pub async fn list(&self, filter: InstanceFilter) -> Result<InstancePage, SagaError> {
        let names = match &filter.process {
            Some(name) => vec![known(name)?],
            None => PROCESSES.to_vec(),
        };
        let limit = if filter.limit == 0 { 100 } else { filter.limit };
        let (mut found, after) = (Vec::new(), filter.after.as_ref());
        for name in names {
            let Some(after) = after.map_or(Some(Uuid::nil()), |cursor| cursor.reached(name)) else {
                continue;
            };
            self.saved(name).await?;
            // One more than fits tells whether there is more.
            let left = limit.saturating_add(1) - found.len();
            let rows = self.store.list(name, filter.state, after, left).await?;
            found.extend(rows.iter().map(|row| row.summary(name)));
            if found.len() > limit {
                break;
            }
        }
        Ok(InstancePage::first(found, limit))
    }

    /// One instance in full, ended ones too.
    ///
    /// # Errors
    /// An unknown process; the store does not answer.
    pub async fn show(&self, process: &str, key: Uuid) -> Result<Option<InstanceDetails>, SagaError> {
        let name = known(process)?;
        self.saved(name).await?;
        Ok(self.store.show(name, key).await?)
    }
}

/// How far a process manager is: as far as the slot that is furthest behind. One without a checkpoint has not begun.
fn furthest_behind(checkpoints: &[(u16, Checkpoint)], slots: u16) -> Position {
    if checkpoints.len() < usize::from(slots) {
        return 0;
    }
    checkpoints.iter().map(|(_, checkpoint)| checkpoint.position).min().unwrap_or(0)
}

/// Runs a process manager; what may pass by itself, such as a database that is away, makes it begin anew.
async fn keep_running<P: Process>(
    store: Arc<dyn Backend>,
    executor: Executor,
    shared: Arc<Shared>,
    mut requests: mpsc::Receiver<Request>,
    stop: CancellationToken,
) {
    let mut pause = BEGIN_ANEW;
    loop {
        let runner = Runner::<P>::recover(store.clone(), executor.clone(), shared.clone(), &stop);
        let ran = match stop.run_until_cancelled(runner).await {
            None => break,
            Some(Ok(runner)) => {
                shared.trouble(P::NAME, None);
                pause = BEGIN_ANEW;
                runner.run(&mut requests, &stop).await
            }
            Some(Err(error)) => Err(error),
        };
        let Err(error) = ran else { break };
        shared.trouble(P::NAME, Some(error.to_string()));
        if !error.is_passing() || stop.is_cancelled() {
            tracing::error!(process = P::NAME, %error, "the process manager has stopped");
            break;
        }
        // Once, not as often as it is tried.
        if pause == BEGIN_ANEW {
            tracing::warn!(process = P::NAME, %error, "the process manager begins anew, and goes on trying");
        }
        if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            break;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    if let Err(error) = store.leave(P::NAME).await {
        tracing::debug!(process = P::NAME, %error, "others have its work only after a while");
    }
}

pub(crate) fn known(name: &str) -> Result<&'static str, SagaError> {
    let found = PROCESSES.iter().find(|process| **process == name);
    found.copied().ok_or_else(|| SagaError::UnknownProcess { name: name.to_owned() })
}

/// A lock that outlives a panic of its holder: what it guards is a map of plain values.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_manager_is_as_far_as_the_slot_that_is_furthest_behind() {
        let at = |slot: u16, position| (slot, Checkpoint { log_id: Uuid::nil(), position, event_id: None });
        assert_eq!(furthest_behind(&[at(0, 7), at(1, 5), at(2, 9)], 3), 5);
        assert_eq!(furthest_behind(&[at(0, 7), at(2, 9)], 3), 0, "one has not begun");
        assert_eq!(furthest_behind(&[], 1), 0);
    }
}
