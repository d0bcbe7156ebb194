//! The log in memory: it answers to a batch of commits as the real ones do, the audit reads along, and what it has answered
//! is remembered, since an answer is a promise.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AggregateKind, AnyCommand, Envelope, Event, Metadata, StreamId, Version, audit::Audit,
    payment::PaymentEvent,
};
use eventlog::{AppendError, Appended, Commit};
use rand::{Rng, rngs::StdRng};
use uuid::Uuid;

use crate::{aggregates::State, bug::Bug};

/// A commit as a node sends it.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) commit: Commit,
    /// Decided on what an earlier commit of the same batch leads to: where that one was not written as it was decided, this
    /// one conflicts.
    pub(crate) chained: bool,
}

/// A stream as it is stored.
#[derive(Debug)]
struct Stream {
    /// Indexes of its events.
    events: Vec<usize>,
    state: State,
    /// The first version of every commit, by its command.
    commands: BTreeMap<Uuid, Version>,
}

/// What was answered: this stream was at this version, there.
#[derive(Clone, Copy, Debug)]
struct Promise {
    stream: StreamId,
    command_id: Uuid,
    last: Appended,
    /// Whether the command itself is to be found there.
    wrote: bool,
}

pub(crate) struct Log {
    pub(crate) events: Vec<Envelope>,
    streams: BTreeMap<StreamId, Stream>,
    pub(crate) audit: Audit,
    promises: Vec<Promise>,
    kept: usize,
    gap: u64,
    bug: Option<Bug>,
    /// Draws when a planted mistake is made.
    rng: StdRng,
}

/// How often a planted mistake of the log is made.
const MISTAKE: f64 = 0.01;

impl Log {
    pub(crate) fn new(bug: Option<Bug>, rng: StdRng) -> Self {
        Self {
            events: Vec::new(),
            streams: BTreeMap::new(),
            audit: Audit::new(),
            promises: Vec::new(),
            kept: 0,
            gap: 0,
            bug,
            rng,
        }
    }

    /// How many events there are.
    pub(crate) fn len(&self) -> u64 {
        self.events.len() as u64
    }

    fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    fn errs(&mut self, bug: Bug) -> bool {
        self.has(bug) && self.rng.random_bool(MISTAKE)
    }

    /// Where a stream stands, if there is one.
    pub(crate) fn state(&self, kind: AggregateKind, id: Uuid) -> Option<&State> {
        self.streams.get(&StreamId::new(kind, id)).map(|stream| &stream.state)
    }

    /// A stream folded, with its version.
    pub(crate) fn load(&self, stream: StreamId) -> (Version, State) {
        match self.streams.get(&stream) {
            Some(stored) => (stored.events.len() as u64, stored.state.clone()),
            None => (0, State::absent(stream.kind)),
        }
    }

    /// Appends a batch; every commit is answered by itself.
    pub(crate) fn append(&mut self, batch: &[Sent]) -> Vec<Result<Appended, AppendError>> {
        let mut broken: BTreeSet<StreamId> = BTreeSet::new();
        let mut answers = Vec::with_capacity(batch.len());
        for sent in batch {
            let commit = &sent.commit;
            let answer = self.answer(commit, sent.chained && broken.contains(&commit.stream));
            if !matches!(&answer, Ok(appended) if !appended.duplicate || commit.events.is_empty()) {
                broken.insert(commit.stream);
            }
            answers.push(answer);
        }
        answers
    }

    fn answer(&mut self, commit: &Commit, chain_broken: bool) -> Result<Appended, AppendError> {
        let (stream, command_id) = (commit.stream, commit.command_id);
        let end = self.end(stream);
        if !self.has(Bug::CommandIdNotDeduplicated)
            && let Some(last) = self.commit_of(stream, command_id)
        {
            let last = Appended { duplicate: true, ..last };
            let same = commit.events.is_empty() || self.is_same(commit);
            return if same {
                Ok(last)
            } else {
                Err(AppendError::CommandIdReused { stream, command_id, version: last.version })
            };
        }
        let expected = commit.expected_version;
        if (expected != end.version || chain_broken) && !self.has(Bug::VersionNotChecked) {
            return Err(AppendError::Conflict { stream, expected, actual: end.version });
        }
        if commit.events.is_empty() {
            return Ok(end);
        }
        if self.errs(Bug::LostAppend) {
            let (version, position) = (end.version + commit.events.len() as u64, self.len() + 1);
            return Ok(Appended { version, position, duplicate: false });
        }
        self.write(commit);
        Ok(self.end(stream))
    }

    fn write(&mut self, commit: &Commit) {
        if self.errs(Bug::PositionGap) {
            self.gap += 1;
        }
        let new = || Stream {
            events: Vec::new(),
            state: State::absent(commit.stream.kind),
            commands: BTreeMap::new(),
        };
        let stream = self.streams.entry(commit.stream).or_insert_with(new);
        stream.commands.entry(commit.command_id).or_insert(stream.events.len() as u64 + 1);
        for new in &commit.events {
            stream.state.evolve(&new.event);
            stream.events.push(self.events.len());
            let metadata = Metadata {
                event_id: new.event_id,
                command_id: commit.command_id,
                correlation_id: commit.correlation_id,
                causation_id: commit.causation_id,
                actor: commit.actor.clone(),
                recorded_at: commit.recorded_at,
                traceparent: commit.traceparent.clone(),
            };
            let (position, version) = (self.events.len() as u64 + 1 + self.gap, stream.events.len() as u64);
            let event = new.event.clone();
            let envelope = Envelope { position, stream: commit.stream, version, metadata, event };
            self.audit.observe(&envelope);
            self.events.push(envelope);
        }
    }

    /// Where a stream ends.
    fn end(&self, stream: StreamId) -> Appended {
        let events = self.streams.get(&stream).map_or(&[][..], |stored| &stored.events);
        let position = events.last().map_or(0, |last| self.events[*last].position);
        Appended { version: events.len() as u64, position, duplicate: false }
    }

    /// The events of the commit under this id, if there is one.
    fn events_of(&self, stream: StreamId, command_id: Uuid) -> Vec<&Envelope> {
        let Some(stored) = self.streams.get(&stream) else { return Vec::new() };
        let Some(first) = stored.commands.get(&command_id) else { return Vec::new() };
        let from = usize::try_from(*first).unwrap_or(1) - 1;
        let events = stored.events[from..].iter().map(|index| &self.events[*index]);
        events.take_while(|event| event.metadata.command_id == command_id).collect()
    }

    fn commit_of(&self, stream: StreamId, command_id: Uuid) -> Option<Appended> {
        let events = self.events_of(stream, command_id);
        let last = events.last()?;
        Some(Appended { version: last.version, position: last.position, duplicate: false })
    }

    fn is_same(&self, commit: &Commit) -> bool {
        let stored = self.events_of(commit.stream, commit.command_id);
        stored.len() == commit.events.len()
            && stored.iter().zip(&commit.events).all(|(stored, new)| stored.event == new.event)
    }

    /// Whether the command, decided on what the stream held before the commit of this id, leads to that commit's events.
    pub(crate) fn leads_to_what_is_stored(&self, command: &AnyCommand, command_id: Uuid) -> bool {
        let stream = command.stream();
        let stored: Vec<&Event> =
            self.events_of(stream, command_id).iter().map(|event| &event.event).collect();
        let Some(from) = self.streams.get(&stream) else { return false };
        let mut state = State::absent(stream.kind);
        let before = from.events.iter().map(|index| &self.events[*index]);
        before
            .take_while(|event| event.metadata.command_id != command_id)
            .for_each(|event| state.evolve(&event.event));
        matches!(state.decide(command), Ok(events) if events.iter().eq(stored))
    }

    /// Remembers what a caller was answered.
    pub(crate) fn promise(&mut self, stream: StreamId, command_id: Uuid, last: Appended, wrote: bool) {
        self.promises.push(Promise { stream, command_id, last, wrote });
    }

    /// Whether everything that was answered since the last time is on the log.
    pub(crate) fn keeps_new_promises(&mut self) -> Result<(), String> {
        let new = self.kept..self.promises.len();
        self.kept = new.end;
        self.promises[new].iter().try_for_each(|promise| self.keeps(promise))
    }

    /// Whether everything that was ever answered is on the log.
    pub(crate) fn keeps_promises(&self) -> Result<(), String> {
        self.promises.iter().try_for_each(|promise| self.keeps(promise))
    }

    fn keeps(&self, promise: &Promise) -> Result<(), String> {
        let Promise { stream, command_id, last: Appended { version, position, .. }, wrote } = promise;
        let events = self.streams.get(stream).map_or(&[][..], |stored| &stored.events);
        let at = usize::try_from(*version).unwrap_or(0).checked_sub(1);
        let event = at.and_then(|at| events.get(at)).map(|index| &self.events[*index]);
        let kept = match event {
            None => *version == 0 && !wrote,
            Some(event) => {
                event.position == *position && (!wrote || event.metadata.command_id == *command_id)
            }
        };
        if kept {
            return Ok(());
        }
        Err(format!(
            "command {command_id} was answered with version {version} of {stream} at {position}, which is not on the log"
        ))
    }

    /// What each payment has captured and refunded.
    pub(crate) fn money(&self) -> BTreeMap<String, (i64, i64)> {
        let mut money: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for event in &self.events {
            let Event::Payment(payment) = &event.event else { continue };
            let (captured, refunded) = match payment {
                PaymentEvent::PaymentCaptured(e) => (e.amount.amount_minor, 0),
                PaymentEvent::LateCaptureFound(e) => (e.amount.amount_minor, 0),
                PaymentEvent::PaymentRefunded(e) => (0, e.amount.amount_minor),
                _ => continue,
            };
            let sum = money.entry(event.stream.id.to_string()).or_default();
            *sum = (sum.0 + captured, sum.1 + refunded);
        }
        money.retain(|_, sum| *sum != (0, 0));
        money
    }

    /// Where every stream ends: its version, and the name of its last event.
    pub(crate) fn ends(&self) -> BTreeMap<StreamId, (Version, &'static str)> {
        let end = |(id, stream): (&StreamId, &Stream)| {
            let last = stream.events.last()?;
            Some((*id, (stream.events.len() as u64, self.events[*last].event.name())))
        };
        self.streams.iter().filter_map(end).collect()
    }
}
