//! Moving a log as text: one JSON line per event, read back into an empty log with the same ids, metadata and positions.
//!
//! A line carries everything that the log stores. The payload is copied byte for byte, so an export of an import is
//! identical to the first export.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use domain::{AggregateKind, DecodeError, Envelope, Metadata, Position, StreamId, Version};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::{AppendError, Commit, EncodedCommit, LogError, NewEvent, RawEvent, Store};

/// Events per transaction of an import: large enough that the sync to disk does not count.
const BATCH_EVENTS: usize = 2_048;
/// Stored events read at once when an import is continued.
const PAGE: usize = 1_000;

/// One event as a line of an export.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventLine {
    /// Place in the log.
    pub position: Position,
    /// `kind/id`.
    pub stream: String,
    /// Place in the stream.
    pub version: Version,
    /// Stored name of the event.
    #[serde(rename = "type")]
    pub name: String,
    /// Stored version of its shape.
    pub type_version: u32,
    /// What stands beside it.
    pub metadata: Metadata,
    /// The payload exactly as it is stored.
    pub payload: Box<RawValue>,
}

impl TryFrom<RawEvent> for EventLine {
    type Error = LogError;
    fn try_from(raw: RawEvent) -> Result<Self, LogError> {
        let position = raw.position;
        let damaged = |what: String| LogError::Corrupt(format!("at position {position}, {what}"));
        let kind = AggregateKind::from_code(raw.kind).ok_or_else(|| LogError::Decode {
            position,
            source: DecodeError::Unknown { name: raw.name.clone(), version: raw.type_version },
        })?;
        let payload = String::from_utf8(raw.payload).map_err(|error| damaged(error.to_string()))?;
        Ok(Self {
            position,
            stream: StreamId::new(kind, raw.stream_id).to_string(),
            version: raw.version,
            name: raw.name,
            type_version: raw.type_version,
            metadata: Metadata {
                event_id: raw.event_id,
                command_id: raw.command_id,
                correlation_id: raw.correlation_id,
                causation_id: raw.causation_id,
                actor: raw
                    .actor
                    .parse()
                    .map_err(|error: domain::metadata::ActorError| damaged(error.to_string()))?,
                recorded_at: domain::Timestamp::from_timestamp_micros(raw.recorded_at)
                    .ok_or_else(|| damaged(format!("{} is not a time", raw.recorded_at)))?,
                traceparent: raw.traceparent,
            },
            payload: RawValue::from_string(payload).map_err(|error| damaged(error.to_string()))?,
        })
    }
}

/// Why an import stopped. Everything before the named line's batch is in the log; calling again continues there.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ImportError {
    /// The line is not an event of an export, or does not follow the line before it.
    #[error("line {line}: {reason}")]
    Line {
        /// Number of the line, 1 for the first.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// The log holds something else already.
    #[error(
        "line {line}: the log already holds another event at position {position}; import into an empty log (or continue the import that filled this one)"
    )]
    NotEmpty {
        /// Number of the line, 1 for the first.
        line: u64,
        /// Where the log differs.
        position: Position,
    },
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log could not be written.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// What an import has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    /// Events appended.
    pub imported: u64,
    /// Events that an earlier, interrupted import had appended.
    pub skipped: u64,
    /// Position of the last event that is in the log.
    pub position: Position,
}

/// The events of one commit, with the line that its first event stands on.
struct Group {
    line: u64,
    commit: EncodedCommit,
}

/// An import that is under way: fed line by line, it writes whole commits in batches.
pub struct Import {
    store: Arc<dyn Store>,
    /// Last position of the log when the import began.
    head: Position,
    lines: u64,
    /// Position of the last line.
    position: Position,
    stored: VecDeque<RawEvent>,
    batch: Vec<Group>,
    batch_events: usize,
    report: ImportReport,
}

impl Import {
    /// Begins an import into `store`, which nobody else may write to meanwhile.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn begin(store: Arc<dyn Store>) -> Result<Self, ImportError> {
        let head = store.head().await?;
        Ok(Self {
            store,
            head,
            lines: 0,
            position: 0,
            stored: VecDeque::new(),
            batch: Vec::new(),
            batch_events: 0,
            report: ImportReport::default(),
        })
    }

    /// What has been done so far.
    #[must_use]
    pub fn report(&self) -> ImportReport {
        self.report
    }

    /// Takes the next line. Blank lines are passed over.
    ///
    /// # Errors
    /// See [`ImportError`]; nothing of the batch that the line belongs to is written.
    pub async fn line(&mut self, text: &str) -> Result<(), ImportError> {
        self.lines += 1;
        if text.trim().is_empty() {
            return Ok(());
        }
        let line: EventLine = serde_json::from_str(text).map_err(|error| self.wrong(error.to_string()))?;
        if line.position != self.position + 1 {
            let reason = match self.position {
                0 => format!("the first event of an export has position 1, not {}", line.position),
                last => {
                    format!("position {} follows position {last}: a line is missing or twice", line.position)
                }
            };
            return Err(self.wrong(reason));
        }
        self.position = line.position;
        if line.position <= self.head {
            return self.skip(&line).await;
        }
        let (envelope, payload, actor) = self.read(line)?;
        if self.continues(&envelope) {
            self.extend(envelope, payload)?;
        } else {
            if self.batch_events >= BATCH_EVENTS {
                self.flush().await?;
            }
            self.open(envelope, payload, actor);
        }
        self.batch_events += 1;
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// See [`ImportError`].
    pub async fn finish(mut self) -> Result<ImportReport, ImportError> {
        self.flush().await?;
        self.report.position = self.store.head().await?;
        Ok(self.report)
    }

    fn wrong(&self, reason: impl Into<String>) -> ImportError {
        ImportError::Line { line: self.lines, reason: reason.into() }
    }

    /// The log has this position already: it must be the same event.
    async fn skip(&mut self, line: &EventLine) -> Result<(), ImportError> {
        if self.stored.is_empty() {
            self.stored = self.store.read_all(line.position - 1, PAGE).await?.into();
        }
        let stored = self.stored.pop_front();
        let same = stored.is_some_and(|stored| {
            stored.position == line.position
                && stored.event_id == line.metadata.event_id
                && stored.payload == line.payload.get().as_bytes()
        });
        if !same {
            return Err(ImportError::NotEmpty { line: self.lines, position: line.position });
        }
        self.report.skipped += 1;
        self.report.position = line.position;
        Ok(())
    }

    /// Checks that this release can read the event.
    fn read(&self, line: EventLine) -> Result<(Envelope, Vec<u8>, String), ImportError> {
        let stream: StreamId =
            line.stream.parse().map_err(|error: domain::ids::IdError| self.wrong(error.to_string()))?;
        let actor = line.metadata.actor.to_string();
        let payload = line.payload.get().as_bytes().to_vec();
        let raw = RawEvent {
            position: line.position,
            kind: stream.kind.code(),
            stream_id: stream.id,
            version: line.version,
            name: line.name,
            type_version: line.type_version,
            event_id: line.metadata.event_id,
            command_id: line.metadata.command_id,
            correlation_id: line.metadata.correlation_id,
            causation_id: line.metadata.causation_id,
            actor: actor.clone(),
            recorded_at: line.metadata.recorded_at.timestamp_micros(),
            traceparent: line.metadata.traceparent,
            payload: payload.clone(),
        };
        let stored_version = raw.type_version;
        let envelope = raw.decode().map_err(|error| self.wrong(error.to_string()))?;
        if envelope.version == 0 {
            return Err(self.wrong("version 0: the first event of a stream has version 1"));
        }
        // An event of an older shape is stored in the shape that it was read into: name, version and payload agree.
        let payload =
            if envelope.event.version() == stored_version { payload } else { envelope.event.encode() };
        Ok((envelope, payload, actor))
    }

    /// Whether the event belongs to the commit of the line before it.
    fn continues(&self, envelope: &Envelope) -> bool {
        self.batch.last().is_some_and(|group| {
            let commit = &group.commit.commit;
            commit.stream == envelope.stream && commit.command_id == envelope.metadata.command_id
        })
    }

    fn extend(&mut self, envelope: Envelope, payload: Vec<u8>) -> Result<(), ImportError> {
        let line = self.lines;
        let wrong = |reason: String| ImportError::Line { line, reason };
        let group = self.batch.last_mut().expect("an event only continues a commit that is there");
        let commit = &mut group.commit.commit;
        let next = commit.expected_version + commit.events.len() as u64 + 1;
        if envelope.version != next {
            return Err(wrong(format!(
                "{} has version {} where {next} follows",
                commit.stream, envelope.version
            )));
        }
        let metadata = &envelope.metadata;
        let agrees = commit.correlation_id == metadata.correlation_id
            && commit.causation_id == metadata.causation_id
            && commit.actor == metadata.actor
            && commit.recorded_at == metadata.recorded_at
            && commit.traceparent == metadata.traceparent;
        if !agrees {
            return Err(wrong(
                "its metadata differ from those of the line before, of the same command".to_owned(),
            ));
        }
        commit.events.push(NewEvent { event_id: metadata.event_id, event: envelope.event });
        group.commit.payloads.push(payload);
        Ok(())
    }

    fn open(&mut self, envelope: Envelope, payload: Vec<u8>, actor: String) {
        let Metadata { event_id, command_id, correlation_id, causation_id, recorded_at, traceparent, .. } =
            envelope.metadata;
        let commit = Commit {
            stream: envelope.stream,
            expected_version: envelope.version - 1,
            events: vec![NewEvent { event_id, event: envelope.event }],
            command_id,
            correlation_id,
            causation_id,
            actor: envelope.metadata.actor,
            recorded_at,
            traceparent,
        };
        let commit = EncodedCommit { commit, actor, payloads: vec![payload], chained: false };
        self.batch.push(Group { line: self.lines, commit });
    }

    /// Writes the batch: asked first whether each commit fits, so that all of it is written or nothing.
    async fn flush(&mut self) -> Result<(), ImportError> {
        let batch = std::mem::take(&mut self.batch);
        self.batch_events = 0;
        if batch.is_empty() {
            return Ok(());
        }
        self.probe(&batch).await?;
        let (lines, commits): (Vec<(u64, u64)>, Vec<EncodedCommit>) = batch
            .into_iter()
            .map(|group| ((group.line, group.commit.payloads.len() as u64), group.commit))
            .unzip();
        let answers = self.store.append_batch(Arc::new(commits)).await?;
        for ((line, count), answer) in lines.into_iter().zip(answers) {
            let appended = answer.map_err(|error| ImportError::Line { line, reason: error.to_string() })?;
            let position = self.report.position + count;
            if appended.position != position {
                // Somebody else writes to the log meanwhile.
                return Err(ImportError::NotEmpty { line, position });
            }
            self.report.position = position;
            self.report.imported += count;
        }
        Ok(())
    }

    async fn probe(&self, batch: &[Group]) -> Result<(), ImportError> {
        // Of each stream: the version it is stored with, and the one the batch has brought it to.
        let mut ends: HashMap<StreamId, (Version, Version)> = HashMap::new();
        let mut commands: HashSet<(StreamId, Uuid)> = HashSet::new();
        let mut probes = Vec::with_capacity(batch.len());
        for Group { line, commit: encoded } in batch {
            let commit = &encoded.commit;
            let (stored, end) =
                *ends.entry(commit.stream).or_insert((commit.expected_version, commit.expected_version));
            if end != commit.expected_version {
                let reason = format!(
                    "{} has version {} where {} follows",
                    commit.stream,
                    commit.expected_version + 1,
                    end + 1
                );
                return Err(ImportError::Line { line: *line, reason });
            }
            if !commands.insert((commit.stream, commit.command_id)) {
                return Err(used_twice(*line, commit));
            }
            ends.insert(commit.stream, (stored, end + commit.events.len() as u64));
            let probe = Commit { events: Vec::new(), expected_version: stored, ..commit.clone() };
            probes.push(EncodedCommit::new(probe));
        }
        let answers = self.store.append_batch(Arc::new(probes)).await?;
        for (Group { line, commit }, answer) in batch.iter().zip(answers) {
            match answer {
                Ok(appended) if appended.duplicate => return Err(used_twice(*line, &commit.commit)),
                Ok(_) => {}
                Err(AppendError::Conflict { stream, expected, actual }) => {
                    let reason =
                        format!("{stream} has version {} where {} follows", expected + 1, actual + 1);
                    return Err(ImportError::Line { line: *line, reason });
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn used_twice(line: u64, commit: &Commit) -> ImportError {
    let reason =
        format!("{} has events of command {} apart from each other", commit.stream, commit.command_id);
    ImportError::Line { line, reason }
}
