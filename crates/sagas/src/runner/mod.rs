//! The runner of one process manager: one task owns its instances, so nothing here needs a lock.
//!
//! Events come in log order. A batch of them is reacted to in memory, then the new instance states, the steps they want
//! done, timers and the checkpoint are stored in one transaction; only then the steps are worked off: in order within an
//! instance, concurrently across instances. A step that is done leaves its outbox in memory at once and in the store
//! with the next transaction: after a crash it is done again under the same command id, which is no more than asking.

mod cell;
mod completion;
mod inbox;
mod worker;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use domain::{Envelope, Timestamp, derive_uuid};
use eventlog::{Checkpoint, Executor};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use self::completion::completed;
pub(crate) use self::inbox::{Operation, Request};
use self::{cell::Cell, inbox::Message, worker::Worker};
use crate::{
    process::{Input, Process, Reaction},
    sagas::{SagaError, Shared},
    store::{Changes, PendingStep, Saved, TimerRow, WorkStore},
};

/// How many events are reacted to in one transaction.
const BATCH: usize = 512;
/// How many instances are kept in memory while nothing is to be done for them.
const IDLE_INSTANCES: usize = 20_000;
/// How long a step that is done may wait to leave its outbox in the store.
const LAZY_WRITE: Duration = Duration::from_millis(100);
/// How long a stop waits for steps under way.
const DRAIN: Duration = Duration::from_secs(5);
/// How long the store is given before a write is tried again.
const STORE_RETRY: Duration = Duration::from_millis(200);

/// The task that runs process `P`.
pub(crate) struct Runner<P: Process> {
    store: WorkStore,
    executor: Executor,
    shared: Arc<Shared>,
    worker: Worker,
    /// The last event that was reacted to.
    checkpoint: Checkpoint,
    /// Whether the store has an older one: events that meant nothing are not worth a write of their own.
    checkpoint_waits: bool,
    cells: HashMap<Uuid, Cell<P::State>>,
    /// Cells whose memory is newer than the store.
    dirty: BTreeSet<Uuid>,
    dirty_since: Option<tokio::time::Instant>,
    /// Retries by time.
    retries: BTreeSet<(Timestamp, Uuid)>,
    next_timer: Option<Timestamp>,
    /// How many instances in memory are worth looking through.
    forget_at: usize,
    outbox: mpsc::UnboundedSender<Message>,
    inbox: mpsc::UnboundedReceiver<Message>,
    requests: mpsc::Receiver<Request>,
    working: usize,
}

impl<P: Process> Runner<P> {
    /// Reads the checkpoint and whatever was under way.
    pub(crate) async fn recover(
        store: WorkStore,
        executor: Executor,
        shared: Arc<Shared>,
        requests: mpsc::Receiver<Request>,
    ) -> Result<Self, SagaError> {
        let log = executor.log();
        let checkpoint = match store.checkpoint(P::NAME).await? {
            Some(checkpoint) => {
                log.verify_checkpoint(&checkpoint).await?;
                checkpoint
            }
            None => Checkpoint { log_id: log.log_id(), position: 0, event_id: None },
        };
        let (outbox, inbox) = mpsc::unbounded_channel();
        let mut runner = Self {
            worker: Worker::new(P::NAME, executor.clone(), shared.clone()),
            next_timer: store.next_timer(P::NAME).await?,
            cells: HashMap::new(),
            dirty: BTreeSet::new(),
            dirty_since: None,
            retries: BTreeSet::new(),
            working: 0,
            forget_at: IDLE_INSTANCES / 4,
            store,
            executor,
            shared,
            checkpoint,
            checkpoint_waits: false,
            outbox,
            inbox,
            requests,
        };
        for saved in runner.store.unfinished(P::NAME).await? {
            let key = saved.key;
            runner.cells.insert(key, Cell::from_saved(saved)?);
            runner.work_on(key);
        }
        runner.shared.advanced(P::NAME, runner.checkpoint.position);
        Ok(runner)
    }

    /// Runs until `stop`, then finishes what is under way and stores it.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), SagaError> {
        let log = self.executor.log().clone();
        while !stop.is_cancelled() {
            let wake = self.next_wake();
            tokio::select! {
                () = stop.cancelled() => break,
                Some(message) = self.inbox.recv() => {
                    self.finished(message);
                    while let Ok(message) = self.inbox.try_recv() {
                        self.finished(message);
                    }
                }
                Some(request) = self.requests.recv() => self.answer(request, &stop).await?,
                () = tokio::time::sleep_until(wake) => self.tick(&stop).await?,
                events = log.next(self.checkpoint.position, BATCH, &stop) => match events? {
                    // The log has shut down: there will be no more.
                    none if none.is_empty() => break,
                    events => self.react_to(&events, &stop).await?,
                },
            }
        }
        self.drain().await;
        self.flush(&stop).await
    }

    /// Reacts to a batch of events and stores it all, then sets to work.
    async fn react_to(
        &mut self,
        events: &[Arc<Envelope>],
        stop: &CancellationToken,
    ) -> Result<(), SagaError> {
        let Some(last) = events.last() else { return Ok(()) };
        let keys: Vec<(Uuid, &Arc<Envelope>)> =
            events.iter().filter_map(|event| P::instance(event).map(|key| (key, event))).collect();
        let mut begun = HashSet::new();
        let stored = keys.iter().filter(|(key, event)| {
            // What begins in this batch is not in the store for its later events either.
            !(begun.contains(key) || P::begins(event) && begun.insert(*key))
        });
        let stored: Vec<Uuid> = stored.map(|(key, _)| *key).collect();
        self.fetch(stored.into_iter()).await?;

        let mut timers = Vec::new();
        let mut touched = Vec::new();
        for (key, event) in keys {
            let cell = self.cells.entry(key).or_insert_with(|| {
                Cell::new(P::VERSION, event.metadata.recorded_at, event.metadata.correlation_id)
            });
            if event.position <= cell.last_position {
                continue;
            }
            let reaction = P::react(&cell.state, Input::Event(event));
            let cause = Cause::of(event);
            if Self::apply(cell, key, reaction, &cause, &mut timers) {
                cell.last_position = event.position;
                touched.push(key);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        self.checkpoint = Checkpoint {
            log_id: self.checkpoint.log_id,
            position: last.position,
            event_id: Some(last.metadata.event_id),
        };
        self.checkpoint_waits = true;
        if touched.is_empty() && timers.is_empty() {
            self.dirty_since.get_or_insert_with(tokio::time::Instant::now);
            self.shared.advanced(P::NAME, last.position);
        } else {
            self.save(&touched, timers, stop).await?;
        }
        for key in touched {
            self.work_on(key);
        }
        self.forget_idle();
        Ok(())
    }

    /// Brings a reaction into the instance's memory. Tells whether anything changed.
    fn apply(
        cell: &mut Cell<P::State>,
        key: Uuid,
        reaction: Reaction<P::State>,
        cause: &Cause,
        timers: &mut Vec<TimerRow>,
    ) -> bool {
        let Some(next) = reaction.next else { return false };
        if std::mem::discriminant(&next) != std::mem::discriminant(&cell.state) {
            cell.since = cause.at;
        }
        cell.state = next;
        cell.outbox.extend(reaction.steps.into_iter().map(|step| {
            let ordinal = format!("{}/{}", cause.id, step.name);
            PendingStep {
                command_id: derive_uuid(key, P::NAME, &ordinal),
                name: step.name,
                action: step.action,
                superseded_by: step.superseded_by,
                correlation_id: cause.correlation_id,
                causation_id: cause.id,
                traceparent: cause.traceparent.clone(),
                attempts: 0,
                last_error: None,
                next_retry_at: None,
                stuck: false,
            }
        }));
        let changes = reaction.timers.into_iter();
        timers.extend(changes.map(|timer| TimerRow { key, name: timer.name, due_at: timer.due_at }));
        true
    }

    /// Brings instances into memory that are not there.
    async fn fetch(&mut self, keys: impl Iterator<Item = Uuid>) -> Result<(), SagaError> {
        let mut missing: Vec<Uuid> = keys.filter(|key| !self.cells.contains_key(key)).collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            for saved in self.store.load(P::NAME, missing).await? {
                self.cells.insert(saved.key, Cell::from_saved(saved)?);
            }
        }
        Ok(())
    }

    /// Fires timers, starts retries, writes what has waited long enough.
    async fn tick(&mut self, stop: &CancellationToken) -> Result<(), SagaError> {
        let now = self.shared.clock.now();
        if self.next_timer.is_some_and(|due| due <= now) {
            self.fire_timers(now, stop).await?;
        }
        while let Some((at, key)) = self.retries.first().copied().filter(|(at, _)| *at <= now) {
            self.retries.remove(&(at, key));
            self.work_on(key);
        }
        if self.dirty_since.is_some_and(|since| since.elapsed() >= LAZY_WRITE) {
            self.flush(stop).await?;
        }
        Ok(())
    }

    async fn fire_timers(&mut self, now: Timestamp, stop: &CancellationToken) -> Result<(), SagaError> {
        let due = self.store.due_timers(P::NAME, now, BATCH).await?;
        let due: Vec<(Uuid, eventlog::Timer)> = due
            .into_iter()
            .filter_map(|timer| Uuid::from_slice(&timer.instance).ok().map(|key| (key, timer)))
            .collect();
        self.fetch(due.iter().map(|(key, _)| *key)).await?;
        let mut timers = Vec::new();
        let mut touched = Vec::new();
        for (key, timer) in due {
            // Cleared first: the reaction may set it anew.
            timers.push(TimerRow { key, name: timer.name.clone(), due_at: None });
            let Some(cell) = self.cells.get_mut(&key) else { continue };
            let cause = Cause {
                id: derive_uuid(
                    key,
                    "timer",
                    &format!("{}/{}@{}", P::NAME, timer.name, timer.due_at.timestamp_micros()),
                ),
                correlation_id: cell.correlation_id,
                traceparent: None,
                at: now,
            };
            let reaction = P::react(&cell.state, Input::Timer { name: &timer.name, due_at: timer.due_at });
            if Self::apply(cell, key, reaction, &cause, &mut timers) {
                touched.push(key);
            }
        }
        self.save(&touched, timers, stop).await?;
        self.next_timer = self.store.next_timer(P::NAME).await?;
        for key in touched {
            self.work_on(key);
        }
        Ok(())
    }

    /// Stores all that is newer in memory.
    async fn flush(&mut self, stop: &CancellationToken) -> Result<(), SagaError> {
        let dirty: Vec<Uuid> = self.dirty.iter().copied().collect();
        self.save(&dirty, Vec::new(), stop).await
    }

    /// Stores these instances with timers and the checkpoint, in one transaction: an instance is never stored ahead of the
    /// checkpoint, or an event that it ignored would meet a later state after a crash. A store that does not take it is
    /// asked again until it does: nothing goes on before. Instances that only finished a step are not in a hurry, and
    /// are usually stored with the reaction to what the step has led to.
    async fn save(
        &mut self,
        keys: &[Uuid],
        timers: Vec<TimerRow>,
        stop: &CancellationToken,
    ) -> Result<(), SagaError> {
        let saved = |key: &Uuid| self.cells.get(key).map(|cell| cell.to_saved::<P>(*key));
        let instances: Vec<Saved> = keys.iter().filter_map(saved).collect();
        let earliest = timers.iter().filter_map(|timer| timer.due_at).min();
        let checkpoint = self.checkpoint_waits.then_some(self.checkpoint);
        let changes = Arc::new(Changes { instances, timers, checkpoint });
        if !changes.instances.is_empty() || !changes.timers.is_empty() || changes.checkpoint.is_some() {
            loop {
                let job = changes.clone();
                match self.store.writer.write(move |conn| job.write(conn, P::NAME)).await {
                    Ok(()) => break,
                    Err(error) if stop.is_cancelled() => return Err(error.into()),
                    Err(error) => {
                        tracing::warn!(process = P::NAME, %error, "the work store does not take a write; trying again");
                        self.shared.trouble(P::NAME, Some(error.to_string()));
                        tokio::time::sleep(STORE_RETRY).await;
                    }
                }
            }
            self.shared.trouble(P::NAME, None);
        }
        if let Some(checkpoint) = checkpoint {
            self.checkpoint_waits = false;
            self.shared.advanced(P::NAME, checkpoint.position);
        }
        if earliest.is_some_and(|due| self.next_timer.is_none_or(|next| due < next)) {
            self.next_timer = earliest;
        }
        for key in keys {
            self.dirty.remove(key);
        }
        if self.dirty.is_empty() {
            self.dirty_since = None;
        }
        Ok(())
    }

    fn next_wake(&self) -> tokio::time::Instant {
        let now = self.shared.clock.now();
        let until = |at: Timestamp| (at - now).to_std().unwrap_or(Duration::ZERO);
        let timer = self.next_timer.map(until);
        let retry = self.retries.first().map(|(at, _)| until(*at));
        let lazy = self.dirty_since.map(|since| LAZY_WRITE.saturating_sub(since.elapsed()));
        // A clock that is set is noticed within a second.
        let longest = Duration::from_secs(1);
        let wait = [timer, retry, lazy].into_iter().flatten().min().unwrap_or(longest).min(longest);
        tokio::time::Instant::now() + wait
    }

    /// Drops instances from memory that nothing is to be done for, once there are many of them: first those that are
    /// over, and if that is not enough, those that wait.
    fn forget_idle(&mut self) {
        if self.cells.len() < self.forget_at {
            return;
        }
        let dirty = &self.dirty;
        self.cells
            .retain(|key, cell| dirty.contains(key) || cell.is_busy() || P::awaits(&cell.state).is_some());
        if self.cells.len() > IDLE_INSTANCES {
            self.cells.retain(|key, cell| dirty.contains(key) || cell.is_busy());
        }
        // Doubling, so that looking through all of them is rare.
        self.forget_at = (self.cells.len() * 2).max(IDLE_INSTANCES / 4);
    }
}

/// What a step goes back to.
struct Cause {
    id: Uuid,
    correlation_id: Uuid,
    traceparent: Option<String>,
    at: Timestamp,
}

impl Cause {
    fn of(event: &Envelope) -> Self {
        Self {
            id: event.metadata.event_id,
            correlation_id: event.metadata.correlation_id,
            traceparent: event.metadata.traceparent.clone(),
            at: event.metadata.recorded_at,
        }
    }
}
