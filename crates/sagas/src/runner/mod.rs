//! The runner of one process manager: one task owns its instances, so nothing here needs a lock.
//!
//! Events come in log order. A batch of them is reacted to in memory, then the new instance states, the steps they want
//! done, timers and the checkpoint are stored in one transaction; only then the steps are worked off: in order within an
//! instance, concurrently across instances. A step that is done leaves its outbox in memory at once and in the store
//! with the next transaction: after a crash it is done again under the same command id, which is no more than asking.
//!
//! Where several processes share the work, the runner has slots of it ([`share`]) and reacts for their instances only. What
//! it writes is written only while they are still its own; a runner that has lost one begins anew from the store.

mod cell;
mod completion;
mod held;
mod inbox;
mod places;
mod provider;
mod share;
mod worker;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use domain::{Envelope, Timestamp, derive_uuid};
use eventlog::{Checkpoint, Executor, StoreError, kill_point};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use self::completion::completed;
pub(crate) use self::inbox::{Operation, Request};
use self::{cell::Cell, held::Held, inbox::Message, places::Places, worker::Worker};
use crate::{
    process::{Input, Process, Reaction},
    sagas::{SagaError, Shared},
    store::{Backend, Changes, PendingStep, Saved, TimerRow},
};

/// How many events are reacted to in one transaction.
const BATCH: usize = 512;
/// How long a step that is done may wait to leave its outbox in the store.
const LAZY_WRITE: Duration = Duration::from_millis(100);
/// How long a stop waits for steps under way.
const DRAIN: Duration = Duration::from_secs(5);
/// How long the store is given before a write is tried again.
const STORE_RETRY: Duration = Duration::from_millis(200);

/// The task that runs process `P`.
pub(crate) struct Runner<P: Process> {
    store: Arc<dyn Backend>,
    executor: Executor,
    shared: Arc<Shared>,
    worker: Worker,
    /// What is ours, and how far it is.
    places: Places,
    /// When to look again what is ours; never if nobody else is there.
    share_at: Option<tokio::time::Instant>,
    cells: HashMap<Uuid, Cell<P::State>>,
    /// Cells whose memory is newer than the store.
    dirty: BTreeSet<Uuid>,
    dirty_since: Option<tokio::time::Instant>,
    /// Retries by time.
    retries: BTreeSet<(Timestamp, Uuid)>,
    /// Instances whose next step the gateway does not permit yet.
    held: Held,
    next_timer: Option<Timestamp>,
    /// How many instances in memory are worth looking through.
    forget_at: usize,
    outbox: mpsc::UnboundedSender<Message>,
    inbox: mpsc::UnboundedReceiver<Message>,
    working: usize,
    /// Numbers workers.
    workers_begun: u64,
}

impl<P: Process> Runner<P> {
    /// Takes its share of the work and goes on with whatever was under way.
    pub(crate) async fn recover(
        store: Arc<dyn Backend>,
        executor: Executor,
        shared: Arc<Shared>,
        stop: &CancellationToken,
    ) -> Result<Self, SagaError> {
        let (outbox, inbox) = mpsc::unbounded_channel();
        let mut runner = Self {
            worker: Worker::new(P::NAME, executor.clone(), shared.clone()),
            places: Places::new(store.slots()),
            share_at: None,
            next_timer: None,
            cells: HashMap::new(),
            dirty: BTreeSet::new(),
            dirty_since: None,
            retries: BTreeSet::new(),
            held: Held::default(),
            working: 0,
            workers_begun: 0,
            forget_at: shared.idle_instances() / 4,
            store,
            executor,
            shared,
            outbox,
            inbox,
        };
        // Who cannot read the log takes no work away from those who can.
        runner.executor.log().head().await?;
        runner.share(stop).await?;
        Ok(runner)
    }

    /// Runs until `stop`, then finishes what is under way and stores it. What is ours then is still to be left to others.
    pub(crate) async fn run(
        mut self,
        requests: &mut mpsc::Receiver<Request>,
        stop: &CancellationToken,
    ) -> Result<(), SagaError> {
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
                Some(request) = requests.recv() => self.answer(request, stop).await?,
                () = tokio::time::sleep_until(wake) => self.tick(stop).await?,
                events = log.next(self.places.reading(), BATCH, stop), if !self.places.is_empty() => match events? {
                    // The log has shut down: there will be no more.
                    none if none.is_empty() => break,
                    events => self.react_to(&events, stop).await?,
                },
            }
        }
        self.retire(stop).await?;
        self.drain().await;
        self.flush(stop).await
    }

    /// Reacts to a batch of events and stores it all, then sets to work.
    async fn react_to(
        &mut self,
        events: &[Arc<Envelope>],
        stop: &CancellationToken,
    ) -> Result<(), SagaError> {
        let Some(last) = events.last() else { return Ok(()) };
        let keys = events.iter().filter_map(|event| P::instance(event).map(|key| (key, event)));
        let keys: Vec<(Uuid, &Arc<Envelope>)> =
            keys.filter(|(key, event)| self.places.wants(*key, event.position)).collect();
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
        self.places.advance(Checkpoint {
            log_id: self.executor.log().log_id(),
            position: last.position,
            event_id: Some(last.metadata.event_id),
        });
        if touched.is_empty() && timers.is_empty() {
            // Not worth a write of its own: it goes with the next, or after a while.
            self.dirty_since.get_or_insert_with(tokio::time::Instant::now);
        } else {
            self.save(&touched, timers, stop).await?;
        }
        self.shared.advanced(P::NAME, self.places.reading());
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
                read_back: false,
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
        // One that is further away than any pause was set before somebody put the clock back.
        let longest = self.shared.longest_retry();
        while let Some((at, key)) = self.retries.last().copied().filter(|(at, _)| *at - now > longest) {
            self.retries.remove(&(at, key));
            self.work_on(key);
        }
        self.let_go();
        if self.dirty_since.is_some_and(|since| since.elapsed() >= LAZY_WRITE) {
            // Where work is shared, the checkpoints of slots that nothing happened in wait for the next look at what is ours.
            let dirty: Vec<Uuid> = self.dirty.iter().copied().collect();
            self.save_with(&dirty, Vec::new(), self.share_at.is_none(), stop).await?;
            self.dirty_since = None;
        }
        if self.share_at.is_some_and(|at| at <= tokio::time::Instant::now()) {
            // Nobody is told when it fails: what is ours stays so until somebody else has it, and then no write of ours counts.
            self.share(stop).await?;
        }
        Ok(())
    }

    async fn fire_timers(&mut self, now: Timestamp, stop: &CancellationToken) -> Result<(), SagaError> {
        let due = self.store.due_timers(P::NAME, &self.places.slots(), now, BATCH).await?;
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
        // Two timers of one instance may be due at once.
        touched.sort_unstable();
        touched.dedup();
        self.save(&touched, timers, stop).await?;
        self.next_timer = self.store.next_timer(P::NAME, &self.places.slots()).await?;
        for key in touched {
            self.work_on(key);
        }
        Ok(())
    }

    /// Stores all that is newer in memory.
    async fn flush(&mut self, stop: &CancellationToken) -> Result<(), SagaError> {
        let dirty: Vec<Uuid> = self.dirty.iter().copied().collect();
        self.save_with(&dirty, Vec::new(), true, stop).await
    }

    /// Stores these instances with timers.
    async fn save(
        &mut self,
        keys: &[Uuid],
        timers: Vec<TimerRow>,
        stop: &CancellationToken,
    ) -> Result<(), SagaError> {
        self.save_with(keys, timers, false, stop).await
    }

    /// Stores these instances with timers and the checkpoints of their slots (or of all), in one transaction: an instance is
    /// never stored ahead of its checkpoint, or an event that it ignored would meet a later state after a crash. A store that
    /// does not take it is asked again until it does: nothing goes on before. Instances that only finished a step are not in
    /// a hurry, and are usually stored with the reaction to what the step has led to.
    async fn save_with(
        &mut self,
        keys: &[Uuid],
        timers: Vec<TimerRow>,
        all_slots: bool,
        stop: &CancellationToken,
    ) -> Result<(), SagaError> {
        let saved = |key: &Uuid| self.cells.get(key).map(|cell| cell.to_saved::<P>(*key));
        let instances: Vec<Saved> = keys.iter().filter_map(saved).collect();
        let earliest = timers.iter().filter_map(|timer| timer.due_at).min();
        let of_rows: BTreeSet<u16> = keys
            .iter()
            .chain(timers.iter().map(|timer| &timer.key))
            .map(|key| self.places.slot(*key))
            .collect();
        if of_rows.iter().any(|slot| !self.places.has_slot(*slot)) {
            return Err(StoreError::Fenced.into());
        }
        let (held, checkpoints) = self.places.to_write(|slot| all_slots || of_rows.contains(&slot));
        let changes = Arc::new(Changes { instances, timers, checkpoints, held });
        if !changes.instances.is_empty() || !changes.timers.is_empty() || !changes.checkpoints.is_empty() {
            self.write(&changes, stop).await?;
            self.places.written(&changes.checkpoints);
        }
        if earliest.is_some_and(|due| self.next_timer.is_none_or(|next| due < next)) {
            self.next_timer = earliest;
        }
        for key in keys {
            self.dirty.remove(key);
        }
        if self.dirty.is_empty() && (self.share_at.is_some() || !self.places.are_ahead_of_store()) {
            self.dirty_since = None;
        }
        Ok(())
    }

    async fn write(&self, changes: &Arc<Changes>, stop: &CancellationToken) -> Result<(), SagaError> {
        loop {
            kill_point("work.before_write");
            match self.store.write(P::NAME, changes.clone()).await {
                Ok(()) => {
                    kill_point("work.after_write");
                    break;
                }
                Err(error) if stop.is_cancelled() || error == StoreError::Fenced => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(process = P::NAME, %error, "the work store does not take a write; trying again");
                    self.shared.trouble(P::NAME, Some(error.to_string()));
                    tokio::time::sleep(STORE_RETRY).await;
                }
            }
        }
        self.shared.trouble(P::NAME, None);
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
        let wake = tokio::time::Instant::now() + wait;
        [self.share_at, self.held.ask_at()].into_iter().flatten().min().map_or(wake, |at| at.min(wake))
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
        if self.cells.len() > self.shared.idle_instances() {
            self.cells.retain(|key, cell| dirty.contains(key) || cell.is_busy());
        }
        // Doubling, so that looking through all of them is rare.
        self.forget_at = (self.cells.len() * 2).max(self.shared.idle_instances() / 4);
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
