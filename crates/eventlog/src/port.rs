//! The port: what an adapter stores and answers. Everything above it (group commit, tailing, deciding) is the same for
//! every adapter.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Actor, AggregateKind, DecodeError, Envelope, Event, Metadata, Position, StreamId, Timestamp, Version,
};
use uuid::Uuid;

use crate::{AppendError, LogError};

/// An event that is to be appended.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// Its id, unique in the log.
    pub event_id: Uuid,
    /// What happened.
    pub event: Event,
}

/// All events of one decision on one stream: written whole or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// The stream.
    pub stream: StreamId,
    /// The version that the decision was made on; the first event gets the next one.
    pub expected_version: Version,
    /// What happened. Empty: only asserts the version and asks whether the command id is stored.
    pub events: Vec<NewEvent>,
    /// Unique per stream: the same id twice is the same commit and is written once.
    pub command_id: Uuid,
    /// What it all belongs to.
    pub correlation_id: Uuid,
    /// The event that caused it.
    pub causation_id: Option<Uuid>,
    /// Who wanted it.
    pub actor: Actor,
    /// When it was decided. UTC, microseconds.
    pub recorded_at: Timestamp,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// A commit with its payloads as they are stored: encoded once, in the caller's task, so that the one writer does not.
#[derive(Clone, Debug)]
pub struct EncodedCommit {
    /// The commit.
    pub commit: Commit,
    /// The actor as text.
    pub actor: String,
    /// The JSON of each event.
    pub payloads: Vec<Vec<u8>>,
    /// Decided on what earlier commits of the stream in the same batch lead to. When one of those before it on the
    /// stream was not written as it was decided, this one conflicts, even if its version should fit by chance: its
    /// decision was made on a state that never was.
    pub chained: bool,
}

impl EncodedCommit {
    /// Encodes `commit`.
    #[must_use]
    pub fn new(commit: Commit) -> Self {
        let payloads = commit.events.iter().map(|new| new.event.encode()).collect();
        let actor = if commit.events.is_empty() { String::new() } else { commit.actor.to_string() };
        Self { commit, actor, payloads, chained: false }
    }

    /// Whether both would store the same events.
    #[must_use]
    pub fn same_content(&self, other: &Self) -> bool {
        let types = |c: &Self| {
            c.commit.events.iter().map(|e| (e.event.name(), e.event.version())).collect::<Vec<_>>()
        };
        self.payloads == other.payloads && types(self) == types(other)
    }

    /// The envelopes of the commit's events, given where its last event went.
    #[must_use]
    pub fn into_envelopes(self, last: Position) -> Vec<Arc<Envelope>> {
        let Commit {
            stream, expected_version, events, command_id, correlation_id, causation_id, actor, ..
        } = self.commit;
        let first = last + 1 - events.len() as u64;
        let (recorded_at, traceparent) = (self.commit.recorded_at, self.commit.traceparent);
        let envelope = |(ordinal, new): (usize, NewEvent)| {
            let ordinal = ordinal as u64;
            let metadata = Metadata {
                event_id: new.event_id,
                command_id,
                correlation_id,
                causation_id,
                actor: actor.clone(),
                recorded_at,
                traceparent: traceparent.clone(),
            };
            let (position, version) = (first + ordinal, expected_version + 1 + ordinal);
            Arc::new(Envelope { position, stream, version, metadata, event: new.event })
        };
        events.into_iter().enumerate().map(envelope).collect()
    }
}

/// Where a commit went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Version of the commit's last event; of the stream, for an empty commit.
    pub version: Version,
    /// Position of the commit's last event; of the stream's last event (0 if none), for an empty commit.
    pub position: Position,
    /// The command id was stored before: this is the first answer, and nothing was written now.
    pub duplicate: bool,
}

/// An event as an adapter reads it, not decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct RawEvent {
    /// Place in the log.
    pub position: Position,
    /// Stored number of the aggregate's kind.
    pub kind: u8,
    /// The aggregate's id.
    pub stream_id: Uuid,
    /// Place in the stream.
    pub version: Version,
    /// Stored name of the event.
    pub name: String,
    /// Stored version of its shape.
    pub type_version: u32,
    /// See [`Metadata`].
    pub event_id: Uuid,
    /// See [`Metadata`].
    pub command_id: Uuid,
    /// See [`Metadata`].
    pub correlation_id: Uuid,
    /// See [`Metadata`].
    pub causation_id: Option<Uuid>,
    /// The actor as text.
    pub actor: String,
    /// UTC microseconds since 1970.
    pub recorded_at: i64,
    /// See [`Metadata`].
    pub traceparent: Option<String>,
    /// JSON.
    pub payload: Vec<u8>,
}

impl RawEvent {
    /// Reads the event.
    ///
    /// # Errors
    /// [`LogError::Decode`] for an event that this release does not know, [`LogError::Corrupt`] for damaged metadata.
    pub fn decode(self) -> Result<Envelope, LogError> {
        let position = self.position;
        let undecodable = |source| LogError::Decode { position, source };
        let kind = AggregateKind::from_code(self.kind).ok_or_else(|| {
            undecodable(DecodeError::Unknown { name: self.name.clone(), version: self.type_version })
        })?;
        let event = Event::decode(kind, &self.name, self.type_version, &self.payload).map_err(undecodable)?;
        let damaged = |what: String| LogError::Corrupt(format!("at position {position}, {what}"));
        let actor = self.actor.parse::<Actor>().map_err(|error| damaged(error.to_string()))?;
        let recorded_at = Timestamp::from_timestamp_micros(self.recorded_at)
            .ok_or_else(|| damaged(format!("{} is not a time", self.recorded_at)))?;
        let metadata = Metadata {
            event_id: self.event_id,
            command_id: self.command_id,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            actor,
            recorded_at,
            traceparent: self.traceparent,
        };
        let stream = StreamId::new(kind, self.stream_id);
        Ok(Envelope { position, stream, version: self.version, metadata, event })
    }
}

/// A turn at a stream that several processes write to. Dropping it gives the turn to the next one.
pub struct StreamTurn {
    _held: Box<dyn std::any::Any + Send + Sync>,
}

impl StreamTurn {
    /// A turn that lasts as long as `held` does.
    #[must_use]
    pub fn new(held: impl std::any::Any + Send + Sync) -> Self {
        Self { _held: Box::new(held) }
    }
}

/// What an adapter implements. Its conformance is proved by [`conformance`](crate::conformance).
///
/// An adapter's promise to readers: positions are one total order, and once a reader has seen position N, no event at
/// or below N ever appears.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Writes all commits in order, in one transaction with one sync to disk, and answers for each: written,
    /// duplicate, conflict or reused command id. An answer means that the commit is on disk. Shared, since a batch of
    /// unknown outcome is sent again as it is.
    ///
    /// # Errors
    /// For the whole batch: [`AppendError::Unavailable`] (outcome unknown) or [`AppendError::Full`] (nothing written).
    async fn append_batch(
        &self,
        commits: Arc<Vec<EncodedCommit>>,
    ) -> Result<Vec<Result<Appended, AppendError>>, AppendError>;

    /// Events of one stream with a version above `after_version`, in order, at most `limit`.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn read_stream(
        &self,
        stream: StreamId,
        after_version: Version,
        limit: usize,
    ) -> Result<Vec<RawEvent>, LogError>;

    /// Events of all streams with a position above `after`, in order, at most `limit`.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RawEvent>, LogError>;

    /// The last position, 0 when there is none.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn head(&self) -> Result<Position, LogError>;

    /// Which log this is: minted when it was created.
    ///
    /// # Errors
    /// When the store does not answer.
    async fn log_id(&self) -> Result<Uuid, LogError>;

    /// Whether no other process can append meanwhile.
    fn single_writer(&self) -> bool;

    /// Whether there is room for some more events; asked after an append was answered [`AppendError::Full`].
    ///
    /// # Errors
    /// There is none, or the store does not answer.
    async fn has_room(&self) -> Result<(), LogError> {
        Ok(())
    }

    /// Ends when another process may have written something. A hint that spares waiting for the next poll: it may come
    /// without cause, and it may be missed.
    async fn woken(&self) {
        std::future::pending::<()>().await;
    }

    /// Waits for our turn among the processes that write to `stream`. Only a courtesy among those who ask: nothing
    /// keeps others from appending. None when there is no turn to be had, which must not take long to find out.
    async fn turn(&self, _stream: StreamId) -> Option<StreamTurn> {
        None
    }

    /// Closes files and connections once everything is written.
    async fn close(&self) {}
}
