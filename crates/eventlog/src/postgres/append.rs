//! Appending one batch: what the server-side function is told, and what it answers.

use std::collections::HashMap;

use domain::{Position, StreamId, Version};
use sqlx::{Row, postgres::PgConnection};
use uuid::Uuid;

use crate::{AppendError, Appended, EncodedCommit, StoreError};

const APPEND: &str = "SELECT head, outcomes, versions, positions FROM append_events(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";

/// Outcomes of single commits, as the function numbers them.
const NEW: i16 = 0;
const DUPLICATE: i16 = 1;
const CONFLICT: i16 = 2;

type Answer = Result<Appended, AppendError>;

/// The streams of a batch, in the order in which they first come in it.
#[derive(Default)]
struct Streams {
    index: HashMap<StreamId, usize>,
    kind: Vec<i16>,
    id: Vec<Uuid>,
    /// What the first commit on each expects.
    expected: Vec<i32>,
    /// Where each is after the commits so far, if they all are written.
    reached: Vec<Version>,
}

impl Streams {
    fn index_of(&mut self, stream: StreamId, expected: Version) -> usize {
        *self.index.entry(stream).or_insert_with(|| {
            self.kind.push(i16::from(stream.kind.code()));
            self.id.push(stream.id);
            self.expected.push(version(expected));
            self.reached.push(expected);
            self.kind.len() - 1
        })
    }
}

/// A batch in columns. Numbers of commits and streams count from 1, as the server's arrays do.
#[derive(Default)]
struct Columns<'b> {
    smooth: bool,
    streams: Streams,
    stream: Vec<i32>,
    expected: Vec<i32>,
    events: Vec<i32>,
    before: Vec<i32>,
    chained: Vec<bool>,
    key: Vec<i32>,
    content: Vec<i32>,
    command: Vec<Uuid>,
    correlation: Vec<Uuid>,
    causation: Vec<Option<Uuid>>,
    actor: Vec<&'b str>,
    recorded_at: Vec<i64>,
    traceparent: Vec<Option<&'b str>>,
    event_commit: Vec<i32>,
    event_type: Vec<&'b str>,
    event_type_version: Vec<i16>,
    event_id: Vec<Uuid>,
    event_payload: Vec<&'b [u8]>,
}

/// As the table has it. A version that does not fit is none that a stream can have, so it conflicts as it is.
fn version(version: Version) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}

/// The place of something in a batch, which fits into memory many times.
fn number(index: usize) -> i32 {
    i32::try_from(index).expect("a batch has some thousand commits and events")
}

impl<'b> Columns<'b> {
    fn new(commits: &'b [EncodedCommit]) -> Self {
        let mut columns = Self { smooth: true, ..Self::default() };
        let mut keys: HashMap<(usize, Uuid), Vec<usize>> = HashMap::with_capacity(commits.len());
        for (index, encoded) in commits.iter().enumerate() {
            let commit = &encoded.commit;
            let stream = columns.streams.index_of(commit.stream, commit.expected_version);
            let same_command = keys.entry((stream, commit.command_id)).or_default();
            let key = same_command.first().copied().unwrap_or(index);
            let same = same_command.iter().copied().find(|earlier| commits[*earlier].same_content(encoded));
            let reached = &mut columns.streams.reached[stream];
            columns.smooth &= same_command.is_empty() && *reached == commit.expected_version;
            same_command.push(index);
            *reached += encoded.payloads.len() as u64;
            columns.stream.push(number(stream + 1));
            columns.key.push(number(key + 1));
            columns.content.push(number(same.unwrap_or(index) + 1));
            columns.push(index, encoded);
        }
        columns
    }

    fn push(&mut self, index: usize, encoded: &'b EncodedCommit) {
        let commit = &encoded.commit;
        self.expected.push(version(commit.expected_version));
        self.events.push(number(encoded.payloads.len()));
        self.before.push(number(self.event_commit.len()));
        self.chained.push(encoded.chained);
        self.command.push(commit.command_id);
        self.correlation.push(commit.correlation_id);
        self.causation.push(commit.causation_id);
        self.actor.push(&encoded.actor);
        self.recorded_at.push(commit.recorded_at.timestamp_micros());
        self.traceparent.push(commit.traceparent.as_deref());
        for (new, payload) in commit.events.iter().zip(&encoded.payloads) {
            self.event_commit.push(number(index + 1));
            self.event_type.push(new.event.name());
            let type_version = i16::try_from(new.event.version());
            self.event_type_version.push(type_version.expect("nobody changes an event so many times"));
            self.event_id.push(new.event_id);
            self.event_payload.push(payload);
        }
    }
}

/// What the function answers.
struct Outcome {
    head: Position,
    /// None: all are new.
    outcomes: Option<Vec<i16>>,
    versions: Option<Vec<i32>>,
    positions: Vec<i64>,
}

/// Appends `commits`, of which there is at least one.
pub(super) async fn append(
    conn: &mut PgConnection,
    commits: &[EncodedCommit],
) -> Result<Vec<Answer>, StoreError> {
    let columns = Columns::new(commits);
    let row = sqlx::query(APPEND)
        .bind(columns.smooth)
        .bind(&columns.streams.kind)
        .bind(&columns.streams.id)
        .bind(&columns.streams.expected)
        .bind(&columns.stream)
        .bind(&columns.expected)
        .bind(&columns.events)
        .bind(&columns.before)
        .bind(&columns.chained)
        .bind(&columns.key)
        .bind(&columns.content)
        .bind(&columns.command)
        .bind(&columns.correlation)
        .bind(&columns.causation)
        .bind(&columns.actor)
        .bind(&columns.recorded_at)
        .bind(&columns.traceparent)
        .bind(&columns.event_commit)
        .bind(&columns.event_type)
        .bind(&columns.event_type_version)
        .bind(&columns.event_id)
        .bind(&columns.event_payload)
        .fetch_one(conn)
        .await?;
    let outcome = Outcome {
        head: row.try_get::<i64, _>(0)?.cast_unsigned(),
        outcomes: row.try_get(1)?,
        versions: row.try_get(2)?,
        positions: row.try_get(3)?,
    };
    Ok(answers(commits, &columns, &outcome))
}

fn answers(commits: &[EncodedCommit], columns: &Columns<'_>, outcome: &Outcome) -> Vec<Answer> {
    match (&outcome.outcomes, &outcome.versions) {
        (Some(outcomes), Some(versions)) => {
            let each = commits.iter().zip(outcomes).zip(versions).zip(&outcome.positions);
            each.map(|(((commit, kind), version), position)| {
                answer(commit, *kind, u64::from(version.cast_unsigned()), position.cast_unsigned())
            })
            .collect()
        }
        _ => all_new(commits, columns, outcome),
    }
}

fn answer(encoded: &EncodedCommit, kind: i16, version: Version, position: Position) -> Answer {
    let commit = &encoded.commit;
    let (stream, command_id, expected) = (commit.stream, commit.command_id, commit.expected_version);
    match kind {
        NEW => Ok(Appended { version, position, duplicate: false }),
        DUPLICATE => Ok(Appended { version, position, duplicate: true }),
        CONFLICT => Err(AppendError::Conflict { stream, expected, actual: version }),
        _ => Err(AppendError::CommandIdReused { stream, command_id, version }),
    }
}

/// Each commit where the one before it ends.
fn all_new(commits: &[EncodedCommit], columns: &Columns<'_>, outcome: &Outcome) -> Vec<Answer> {
    let mut ends: Vec<Position> = outcome.positions.iter().map(|end| end.cast_unsigned()).collect();
    let mut head = outcome.head;
    let each = commits.iter().zip(&columns.stream).map(|(encoded, stream)| {
        let count = encoded.payloads.len() as u64;
        head += count;
        let end = &mut ends[stream.unsigned_abs() as usize - 1];
        if count > 0 {
            *end = head;
        }
        let version = encoded.commit.expected_version + count;
        Ok(Appended { version, position: *end, duplicate: false })
    });
    each.collect()
}
