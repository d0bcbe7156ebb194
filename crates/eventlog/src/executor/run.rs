//! One command, tried until it is decided or the deadline is over.

use std::time::Duration;

use domain::{Aggregate, AggregateId, Outcome, StreamId, Timestamp, Version};
use rand::Rng;
use tokio::time::Instant;
use uuid::Uuid;

use super::{
    CommandContext, Effect, ExecuteError, Executed, Executor,
    cache::{Cell, Slot},
    load::due_snapshot,
    turns::Turns,
};
use crate::{AppendError, Commit, NewEvent, PendingAppend, event_id, queue::Link};

/// Conflicts after which a command pauses before it tries again.
const TRIES_WITHOUT_PAUSE: u32 = 3;
/// Longest pause: some batches.
const LONGEST_PAUSE_MILLIS: u64 = 32;

/// A command that was not, and the aggregate's status if it was the aggregate that refused.
pub(super) struct Failed<E> {
    pub(super) error: ExecuteError<E>,
    pub(super) state: &'static str,
}

impl<E> From<ExecuteError<E>> for Failed<E> {
    fn from(error: ExecuteError<E>) -> Self {
        Self { error, state: "" }
    }
}

/// The end of a try; `None`: decide again.
type Tried<A> = Option<Result<Executed, Failed<<A as Aggregate>::Error>>>;

/// The command and where it goes.
struct Order<'a, A: Aggregate> {
    stream: StreamId,
    expected: Option<Version>,
    command: &'a <A as Aggregate>::Command,
    ctx: &'a CommandContext,
}

impl Executor {
    pub(super) async fn run<A: Aggregate>(
        &self,
        id: &A::Id,
        expected: Option<Version>,
        command: &<A as Aggregate>::Command,
        ctx: &CommandContext,
    ) -> Result<Executed, Failed<<A as Aggregate>::Error>> {
        let stream = StreamId::new(A::KIND, id.uuid());
        let slot = self.caches.of::<A>().slot(stream.id);
        let order = Order::<A> { stream, expected, command, ctx };
        let deadline = Instant::now() + self.options.deadline;
        let mut tries = 0;
        loop {
            if let Some(result) = self.try_once(&slot, &order, tries == 0).await {
                return result;
            }
            tries += 1;
            // The first may have been lost because the stream was taken to be new.
            if tries > 1 && !self.log.store().single_writer() {
                slot.turns.get_or_init(Turns::default).begin();
            }
            if Instant::now() >= deadline {
                return Err(ExecuteError::Contended { stream }.into());
            }
            if tries >= TRIES_WITHOUT_PAUSE {
                let most = (1 << (tries - TRIES_WITHOUT_PAUSE).min(5)).min(LONGEST_PAUSE_MILLIS);
                let millis = rand::rng().random_range(0.0..most as f64);
                tokio::time::sleep(Duration::from_secs_f64(millis / 1000.0)).await;
            }
        }
    }

    async fn try_once<A: Aggregate>(&self, slot: &Slot<A>, order: &Order<'_, A>, first: bool) -> Tried<A> {
        let _turn = self.turn(slot, order.stream).await;
        let permit = slot.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        let mut cell = slot.cell.lock().await;
        if !slot.is_fresh(&cell) {
            if first && order.expected.is_none() && self.is_probably_new(order.stream.id, order.ctx.at) {
                let generation = slot.next_generation(&cell);
                *cell = Cell { generation, assumed: true, version: 0, state: A::default() };
            } else if let Err(error) = self.refresh(slot, &mut cell, order.stream).await {
                return Some(Err(ExecuteError::Load(error).into()));
            }
        }
        let version = cell.version;
        let (chain, generation) = (slot.chain.clone(), cell.generation);
        let mut link = Link { chain, generation, on_applied: None, _permit: permit };
        let verdict = match order.expected {
            Some(expected) if expected != version => {
                Err(ExecuteError::VersionMismatch { expected, actual: version }.into())
            }
            _ => match cell.state.decide(order.command) {
                Ok(Outcome::Executed(events)) if !events.is_empty() => {
                    let events = self.evolve(&mut cell, order, events, &mut link);
                    let pending = self.log.enqueue_linked(commit(order, version, events), link);
                    let now = cell.version;
                    drop(cell);
                    return self.applied(order, version, now, pending).await;
                }
                Ok(_) => Ok(()),
                Err(refusal) => {
                    Err(Failed { error: ExecuteError::Refused(refusal), state: cell.state.status() })
                }
            },
        };
        let pending = self.log.enqueue_linked(commit(order, version, Vec::new()), link);
        drop(cell);
        // The verdict stands if the version is still the one it was reached on, and the command is not our own earlier
        // success.
        let answer = match pending.await {
            Ok(first) if first.duplicate => Ok(duplicate(first)),
            Ok(now) => verdict.map(|()| Executed {
                version: now.version,
                position: now.position,
                effect: Effect::AlreadyApplied,
            }),
            Err(AppendError::Conflict { .. }) => return None,
            Err(error) => Err(ExecuteError::Log(error).into()),
        };
        Some(answer)
    }

    /// Moves the cached state on and makes events to store of what was decided.
    fn evolve<A: Aggregate>(
        &self,
        cell: &mut Cell<A>,
        order: &Order<'_, A>,
        events: Vec<<A as Aggregate>::Event>,
        link: &mut Link,
    ) -> Vec<NewEvent> {
        let before = cell.version;
        let (stream, ctx) = (order.stream, order.ctx);
        let mut new = Vec::with_capacity(events.len());
        for event in events {
            cell.state.evolve(&event);
            cell.version += 1;
            let ordinal = cell.version - before - 1;
            let event_id = event_id(ctx.command_id, stream, ordinal, ctx.at);
            new.push(NewEvent { event_id, event: event.into() });
        }
        if let Some(snapshots) = &self.snapshots
            && let Some(snapshot) =
                due_snapshot(before, cell.version, self.options.snapshot_every, &cell.state)
        {
            let snapshots = snapshots.clone();
            link.on_applied = Some(Box::new(move || snapshots.store(stream, snapshot)));
        }
        new
    }

    /// Waits for the answer to new events that were decided on version `before`.
    async fn applied<A: Aggregate>(
        &self,
        order: &Order<'_, A>,
        before: Version,
        version: Version,
        pending: PendingAppend,
    ) -> Tried<A> {
        Some(match pending.await {
            Ok(first) if first.duplicate => Ok(duplicate(first)),
            Ok(now) => Ok(Executed { version, position: now.position, effect: Effect::Applied }),
            Err(AppendError::Conflict { .. }) => return None,
            // Decided on a later state than the first time, so with other events: still the same command.
            Err(AppendError::CommandIdReused { version: stored, .. }) if stored < before => {
                return self.first_time(order, before).await;
            }
            // Decided on a state older than the command itself, such as that of a stream that was taken to be new.
            Err(AppendError::CommandIdReused { version: stored, .. }) if stored > before => return None,
            // Decided right behind what is stored: the same command if it leads to that where that was decided.
            Err(AppendError::CommandIdReused { stream, command_id, version }) => {
                match self.leads_to_what_is_stored::<A>(stream, order.command, command_id).await {
                    Ok(true) => return self.first_time(order, before).await,
                    Ok(false) => Err(ExecuteError::CommandIdReused { stream, command_id, version }.into()),
                    Err(error) => Err(ExecuteError::Load(error).into()),
                }
            }
            Err(error) => Err(ExecuteError::Log(error).into()),
        })
    }

    /// The answer to a command that took effect before the state of version `before`.
    async fn first_time<A: Aggregate>(&self, order: &Order<'_, A>, before: Version) -> Tried<A> {
        match self.log.append(commit(order, before, Vec::new())).await {
            Ok(first) => Some(Ok(duplicate(first))),
            Err(AppendError::Conflict { .. }) => None,
            Err(error) => Some(Err(ExecuteError::Log(error).into())),
        }
    }

    /// Whether the id was minted so recently that the stream can hardly exist.
    fn is_probably_new(&self, id: Uuid, at: Timestamp) -> bool {
        let minted_millis = i64::try_from(id.as_u128() >> 80).unwrap_or(0);
        let age = at.timestamp_millis().abs_diff(minted_millis);
        u128::from(age) < self.options.assume_new_within.as_millis()
    }
}

fn duplicate(first: crate::Appended) -> Executed {
    Executed { version: first.version, position: first.position, effect: Effect::Duplicate }
}

fn commit<A: Aggregate>(order: &Order<'_, A>, expected_version: Version, events: Vec<NewEvent>) -> Commit {
    let ctx = order.ctx;
    Commit {
        stream: order.stream,
        expected_version,
        events,
        command_id: ctx.command_id,
        correlation_id: ctx.correlation_id,
        causation_id: ctx.causation_id,
        actor: ctx.actor.clone(),
        recorded_at: ctx.at,
        traceparent: ctx.traceparent.clone(),
    }
}
