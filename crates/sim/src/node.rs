//! A node: its clock, its cache of folded aggregates (possibly stale), and the commits that wait to be sent to the log.
//!
//! A command goes through it as through the real executor: decided on the newest state this node knows, flushed or not;
//! queued with the version it was decided on; sent in a batch; answered, or decided again when another node was faster.

use std::collections::BTreeMap;

use chrono::Duration;
use domain::{AggregateId, AnyCommand, Envelope, StreamId, Timestamp, Version};
use eventlog::{AppendError, Appended, Commit, NewEvent, event_id};
use uuid::Uuid;

use crate::{
    aggregates::{Refusal, State},
    log::{Log, Sent},
    worker::Worker,
};

/// An id minted so recently belongs to a stream that can hardly exist. *Source*: the executor's default, in simulated time.
const NEW_WITHIN_SECS: i64 = 10;

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The client's call of this number.
    Client(usize),
    /// The node's worker of this number.
    Worker(u64),
}

/// A command on its way.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) command: AnyCommand,
    pub(crate) command_id: Uuid,
    pub(crate) correlation_id: Uuid,
    pub(crate) causation_id: Option<Uuid>,
    pub(crate) actor: domain::Actor,
    pub(crate) at: Timestamp,
    pub(crate) caller: Caller,
}

/// What a caller is told.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// It took effect, now or before.
    Done,
    /// It is refused.
    Refused(Refusal),
    /// Its id was used for something else.
    Reused,
}

/// What a decision came to.
#[derive(Clone, Debug)]
enum Verdict {
    Events,
    Already,
    Refused(Refusal),
}

#[derive(Clone, Debug)]
struct Queued {
    request: Request,
    sent: Sent,
    verdict: Verdict,
    /// Its stream was taken to be new.
    assumed: bool,
}

/// What came of a batch.
#[derive(Debug, Default)]
pub(crate) struct Flushed {
    pub(crate) answers: Vec<(Caller, Answer)>,
    /// Commits that were recognised by their command's id.
    pub(crate) repeated: usize,
    /// Commits that lost against another node.
    pub(crate) conflicts: usize,
}

/// How much of a batch the log says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Answers,
    /// It is not known whether the batch was written; it was not.
    SilentNotWritten,
    /// It is not known whether the batch was written; it was.
    SilentWritten,
}

pub(crate) struct Node {
    pub(crate) offset: Duration,
    /// The latest time that its process has seen: within a process time does not go back.
    latest: Timestamp,
    /// Until which step it stands still.
    pub(crate) paused_until: u64,
    cache: BTreeMap<StreamId, (Version, State)>,
    /// How many events its tailer has read.
    tail: u64,
    queue: Vec<Queued>,
    /// A batch whose outcome is not known.
    unanswered: Vec<Queued>,
    pub(crate) workers: BTreeMap<u64, Worker>,
}

impl Node {
    pub(crate) fn new() -> Self {
        Self {
            offset: Duration::zero(),
            latest: Timestamp::UNIX_EPOCH,
            paused_until: 0,
            cache: BTreeMap::new(),
            tail: 0,
            queue: Vec::new(),
            unanswered: Vec::new(),
            workers: BTreeMap::new(),
        }
    }

    /// The time by its clock.
    pub(crate) fn now(&mut self, truth: Timestamp) -> Timestamp {
        self.latest = self.latest.max(truth + self.offset);
        self.latest
    }

    /// Dies, with everything that is not stored. Its machine keeps its clock.
    pub(crate) fn crash(&mut self, head: u64) {
        *self = Self { offset: self.offset, tail: head, ..Self::new() };
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.queue.is_empty() || !self.unanswered.is_empty()
    }

    /// Takes in what other nodes have written.
    pub(crate) fn tail(&mut self, log: &Log, events: usize) {
        let from = usize::try_from(self.tail).unwrap_or(0);
        for event in log.events.iter().skip(from).take(events) {
            self.tail += 1;
            self.observe(event);
        }
    }

    fn observe(&mut self, event: &Envelope) {
        let Some((version, state)) = self.cache.get_mut(&event.stream) else { return };
        if event.version <= *version {
            return;
        }
        let is_queued =
            self.queue.iter().chain(&self.unanswered).any(|q| q.sent.commit.stream == event.stream);
        if event.version == *version + 1 && !is_queued {
            state.evolve(&event.event);
            *version = event.version;
        } else {
            self.cache.remove(&event.stream);
        }
    }

    /// Where a stream stands, as far as this node knows.
    pub(crate) fn inspect(&mut self, stream: StreamId, log: &Log) -> &State {
        &self.cache.entry(stream).or_insert_with(|| log.load(stream)).1
    }

    /// Decides a command, and queues what it came to.
    pub(crate) fn submit(&mut self, request: Request, log: &Log, first: bool) {
        let stream = request.command.stream();
        let mut assumed = false;
        let (version, state) = self.cache.entry(stream).or_insert_with(|| {
            assumed = first && is_probably_new(stream.id, request.at);
            if assumed { (0, State::absent(stream.kind)) } else { log.load(stream) }
        });
        let expected_version = *version;
        let (events, verdict) = match state.decide(&request.command) {
            Ok(events) if events.is_empty() => (Vec::new(), Verdict::Already),
            Ok(events) => (events, Verdict::Events),
            Err(refusal) => (Vec::new(), Verdict::Refused(refusal)),
        };
        events.iter().for_each(|event| state.evolve(event));
        *version += events.len() as u64;
        let new = |(ordinal, event)| {
            let event_id = event_id(request.command_id, stream, ordinal, request.at);
            NewEvent { event_id, event }
        };
        let commit = Commit {
            stream,
            expected_version,
            events: (0..).zip(events).map(new).collect(),
            command_id: request.command_id,
            correlation_id: request.correlation_id,
            causation_id: request.causation_id,
            actor: request.actor.clone(),
            recorded_at: request.at,
            traceparent: None,
        };
        let chained = self.queue.iter().any(|queued| queued.sent.commit.stream == stream);
        self.queue.push(Queued { request, sent: Sent { commit, chained }, verdict, assumed });
    }

    /// Sends a batch: the one whose outcome is not known, if there is one, before anything else.
    pub(crate) fn flush(&mut self, log: &mut Log, reply: Reply) -> Flushed {
        let batch = if self.unanswered.is_empty() {
            std::mem::take(&mut self.queue)
        } else {
            std::mem::take(&mut self.unanswered)
        };
        let sent: Vec<Sent> = batch.iter().map(|queued| queued.sent.clone()).collect();
        let answers = match reply {
            Reply::Answers => log.append(&sent),
            Reply::SilentNotWritten => Vec::new(),
            Reply::SilentWritten => {
                drop(log.append(&sent));
                Vec::new()
            }
        };
        if reply != Reply::Answers {
            self.unanswered = batch;
            return Flushed::default();
        }
        let mut flushed = Flushed::default();
        let mut again = Vec::new();
        for (queued, answer) in batch.into_iter().zip(answers) {
            let applied =
                matches!(&answer, Ok(now) if !now.duplicate || queued.sent.commit.events.is_empty());
            if !applied {
                again.extend(self.break_chain(queued.sent.commit.stream));
            }
            match self.answer(&queued, answer, log, &mut flushed) {
                Some(said) => flushed.answers.push((queued.request.caller, said)),
                None => again.push(queued.request),
            }
        }
        again.into_iter().for_each(|request| self.submit(request, log, false));
        flushed
    }

    /// What is cached of a stream, and what was decided on it, goes back to a state that never was.
    fn break_chain(&mut self, stream: StreamId) -> Vec<Request> {
        self.cache.remove(&stream);
        let (broken, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.queue).into_iter().partition(|q| q.sent.commit.stream == stream);
        self.queue = kept;
        broken.into_iter().map(|queued| queued.request).collect()
    }

    /// What the caller is told; none: decide again.
    fn answer(
        &self,
        queued: &Queued,
        answer: Result<Appended, AppendError>,
        log: &mut Log,
        flushed: &mut Flushed,
    ) -> Option<Answer> {
        let (stream, command_id) = (queued.sent.commit.stream, queued.sent.commit.command_id);
        let before = queued.sent.commit.expected_version;
        match answer {
            Ok(last) if last.duplicate => {
                flushed.repeated += 1;
                log.promise(stream, command_id, last, true);
                Some(Answer::Done)
            }
            Ok(last) => match &queued.verdict {
                Verdict::Refused(refusal) => Some(Answer::Refused(refusal.clone())),
                verdict => {
                    log.promise(stream, command_id, last, matches!(verdict, Verdict::Events));
                    Some(Answer::Done)
                }
            },
            Err(AppendError::Conflict { .. }) => {
                flushed.conflicts += usize::from(!queued.assumed);
                None
            }
            // Decided on a state older than the command itself.
            Err(AppendError::CommandIdReused { version, .. }) if version > before => None,
            // Decided on a later state than the first time, so with other events; right behind itself only if it leads to
            // that where it was decided first.
            Err(AppendError::CommandIdReused { version, .. })
                if version < before || log.leads_to_what_is_stored(&queued.request.command, command_id) =>
            {
                let asking = Commit { events: Vec::new(), ..queued.sent.commit.clone() };
                match log.append(&[Sent { commit: asking, chained: false }]).pop() {
                    Some(Ok(last)) if last.duplicate => {
                        flushed.repeated += 1;
                        log.promise(stream, command_id, last, true);
                        Some(Answer::Done)
                    }
                    _ => None,
                }
            }
            Err(_) => {
                flushed.repeated += 1;
                Some(Answer::Reused)
            }
        }
    }
}

/// Whether the id was minted so recently that its stream can hardly exist.
fn is_probably_new(id: Uuid, at: Timestamp) -> bool {
    let minted_millis = i64::try_from(id.as_u128() >> 80).unwrap_or(0);
    at.timestamp_millis().abs_diff(minted_millis) < NEW_WITHIN_SECS.unsigned_abs() * 1_000
}

/// The id of a stream that a caller names by its own type.
pub(crate) fn stream_of(kind: domain::AggregateKind, id: &impl AggregateId) -> StreamId {
    StreamId::new(kind, id.uuid())
}
