//! Appending one batch inside the writer's transaction: each commit is answered by itself, the rows of all accepted ones
//! are inserted together.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
};

use domain::{Position, StreamId, Version};
use lru::LruCache;
use rusqlite::{CachedStatement, Connection, ErrorCode, OptionalExtension, params};
use uuid::Uuid;

use super::rows::{self, COLUMN_COUNT, COLUMNS};
use crate::{AppendError, Appended, Bug, EncodedCommit, planted};

/// Streams whose version the writer remembers: about 6 MiB.
const REMEMBERED_STREAMS: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");
/// Rows per INSERT statement, largest first: a statement for each row spends its time on stepping.
const ROWS_PER_STATEMENT: [usize; 4] = [64, 16, 4, 1];

type Answer = Result<Appended, AppendError>;

/// Where a stream ends.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    version: Version,
    position: Position,
}

/// What the writer knows without asking the database. Valid as long as nobody else has written to the file.
pub(super) struct Known {
    head: Position,
    ends: LruCache<StreamId, End>,
    /// `PRAGMA data_version`: changes when another connection commits.
    data_version: i64,
}

fn data_version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
}

impl Known {
    fn load(conn: &Connection, data_version: i64) -> rusqlite::Result<Self> {
        Ok(Self { head: rows::head(conn)?, ends: LruCache::new(REMEMBERED_STREAMS), data_version })
    }

    fn end_of(&mut self, conn: &Connection, stream: StreamId) -> rusqlite::Result<End> {
        if let Some(end) = self.ends.get(&stream) {
            return Ok(*end);
        }
        let end = conn
            .prepare_cached(
                "SELECT version, position FROM events WHERE kind = ?1 AND stream_id = ?2
                 ORDER BY version DESC LIMIT 1",
            )?
            .query_row(params![stream.kind.code(), stream.id.as_bytes()], |row| {
                Ok(End {
                    version: row.get::<_, i64>(0)?.cast_unsigned(),
                    position: row.get::<_, i64>(1)?.cast_unsigned(),
                })
            })
            .optional()?
            .unwrap_or_default();
        self.ends.put(stream, end);
        Ok(end)
    }
}

/// A row that will be inserted: event number `event` of commit number `commit`.
struct NewRow {
    commit: usize,
    event: usize,
    position: Position,
}

/// A commit of this batch that is written, and where its last event goes.
struct Written {
    commit: usize,
    end: End,
}

/// Appends `commits`; returns the answers and what is known now. On an error nothing may be kept of either.
pub(super) fn append(
    conn: &Connection,
    commits: &[EncodedCommit],
    known: Option<Known>,
) -> rusqlite::Result<(Vec<Answer>, Known)> {
    let data_version = data_version(conn)?;
    let known = match known {
        Some(known) if known.data_version == data_version => known,
        _ => Known::load(conn, data_version)?,
    };
    let head = known.head;
    // A command that took effect before usually finds its stream further than it expects. Where it does not, the index
    // over command ids refuses its rows, and the batch is looked at again with care.
    match try_append(conn, commits, known, Probe::WhereItMatters) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
            conn.execute("DELETE FROM events WHERE position > ?1", [head.cast_signed()])?;
            try_append(conn, commits, Known::load(conn, data_version)?, Probe::Each)
        }
        outcome => outcome,
    }
}

/// Which commits are looked up by their command id before they are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Probe {
    /// Those that the index would not refuse: they write nothing, or are not where they expect to be.
    WhereItMatters,
    Each,
}

fn try_append(
    conn: &Connection,
    commits: &[EncodedCommit],
    mut known: Known,
    probe: Probe,
) -> rusqlite::Result<(Vec<Answer>, Known)> {
    let mut answers = Vec::with_capacity(commits.len());
    let mut new_rows = Vec::with_capacity(commits.iter().map(|c| c.payloads.len()).sum());
    let mut written: HashMap<(StreamId, Uuid), Written> = HashMap::with_capacity(commits.len());
    // Streams of which a commit in this batch was not written as it was decided.
    let mut broken: HashSet<StreamId> = HashSet::new();
    for (index, encoded) in commits.iter().enumerate() {
        let commit = &encoded.commit;
        let end = known.end_of(conn, commit.stream)?;
        let conflict =
            commit.expected_version != end.version || (encoded.chained && broken.contains(&commit.stream));
        let matters = probe == Probe::Each || conflict || encoded.payloads.is_empty();
        let repeated = match written.get(&(commit.stream, commit.command_id)) {
            Some(first) => {
                Some(answer_repeat(encoded, first.end, |c| c.same_content(&commits[first.commit])))
            }
            // A stream without events holds no command id.
            None if end.version == 0 || !matters => None,
            None => stored(conn, encoded)?,
        };
        let answer = if let Some(repeated) = repeated {
            repeated
        } else if conflict {
            let (stream, expected) = (commit.stream, commit.expected_version);
            Err(AppendError::Conflict { stream, expected, actual: end.version })
        } else {
            let count = encoded.payloads.len();
            if planted(Bug::PositionGap) && count > 0 && rand::random_ratio(1, 20) {
                known.head += 1;
            }
            for event in 0..count {
                known.head += 1;
                new_rows.push(NewRow { commit: index, event, position: known.head });
            }
            let end = if count == 0 {
                end
            } else {
                End { version: end.version + count as u64, position: known.head }
            };
            if count > 0 {
                known.ends.put(commit.stream, end);
                written.insert((commit.stream, commit.command_id), Written { commit: index, end });
            }
            Ok(Appended { version: end.version, position: end.position, duplicate: false })
        };
        let applied = matches!(answer, Ok(appended) if !appended.duplicate || encoded.payloads.is_empty());
        if !applied {
            broken.insert(commit.stream);
        }
        answers.push(answer);
    }
    insert(conn, commits, &new_rows)?;
    Ok((answers, known))
}

/// The answer to a commit whose id was used before, by a commit that ended at `end`.
fn answer_repeat(commit: &EncodedCommit, end: End, same: impl FnOnce(&EncodedCommit) -> bool) -> Answer {
    if commit.payloads.is_empty() || same(commit) {
        return Ok(Appended { version: end.version, position: end.position, duplicate: true });
    }
    let (stream, command_id) = (commit.commit.stream, commit.commit.command_id);
    Err(AppendError::CommandIdReused { stream, command_id, version: end.version })
}

/// Whether the command id is stored on the stream, and if so, the answer.
fn stored(conn: &Connection, encoded: &EncodedCommit) -> rusqlite::Result<Option<Answer>> {
    let commit = &encoded.commit;
    let (kind, id, command_id) =
        (commit.stream.kind.code(), commit.stream.id.as_bytes(), commit.command_id.as_bytes());
    let first: Option<i64> = conn
        .prepare_cached(
            "SELECT version FROM events WHERE kind = ?1 AND stream_id = ?2 AND command_id = ?3 AND first = 1",
        )?
        .query_row(params![kind, id, command_id], |row| row.get(0))
        .optional()?;
    let Some(first) = first else { return Ok(None) };
    let mut statement = conn.prepare_cached(
        "SELECT command_id, version, position, type, type_version, payload FROM events
         WHERE kind = ?1 AND stream_id = ?2 AND version >= ?3 ORDER BY version",
    )?;
    let mut found = statement.query(params![kind, id, first])?;
    let mut end = End::default();
    let mut count = 0;
    let mut same = true;
    while let Some(row) = found.next()? {
        if row.get_ref(0)?.as_blob()? != command_id {
            break;
        }
        end.version = row.get::<_, i64>(1)?.cast_unsigned();
        end.position = row.get::<_, i64>(2)?.cast_unsigned();
        same = same
            && match (commit.events.get(count), encoded.payloads.get(count)) {
                (Some(new), Some(payload)) => {
                    row.get_ref(3)?.as_str()? == new.event.name()
                        && row.get::<_, u32>(4)? == new.event.version()
                        && row.get_ref(5)?.as_blob()? == payload.as_slice()
                }
                _ => false,
            };
        count += 1;
    }
    let same = same && count == encoded.payloads.len();
    Ok(Some(answer_repeat(encoded, end, |_| same)))
}

fn insert(conn: &Connection, commits: &[EncodedCommit], mut new_rows: &[NewRow]) -> rusqlite::Result<()> {
    for size in ROWS_PER_STATEMENT {
        if new_rows.len() < size {
            continue;
        }
        let mut statement = conn.prepare_cached(insert_sql(size))?;
        while new_rows.len() >= size {
            let (now, later) = new_rows.split_at(size);
            for (slot, row) in now.iter().enumerate() {
                bind(&mut statement, slot * COLUMN_COUNT, &commits[row.commit], row)?;
            }
            statement.raw_execute()?;
            new_rows = later;
        }
    }
    Ok(())
}

/// The statement that inserts `rows` rows; built once, since building 64 rows of placeholders for each batch shows.
///
/// `OR FAIL`: on an error the rows before it stay, which the transaction's rollback takes back. Without it, SQLite would
/// copy every page that a statement of several rows touches, to be able to take back the statement alone.
fn insert_sql(rows: usize) -> &'static str {
    use std::sync::OnceLock;
    static SQL: OnceLock<Vec<(usize, String)>> = OnceLock::new();
    let build = |rows: usize| {
        let row = format!("({})", vec!["?"; COLUMN_COUNT].join(","));
        (rows, format!("INSERT OR FAIL INTO events ({COLUMNS}) VALUES {}", vec![row; rows].join(",")))
    };
    let all = SQL.get_or_init(|| ROWS_PER_STATEMENT.into_iter().map(build).collect());
    let (_, sql) = all.iter().find(|(size, _)| *size == rows).expect("every size has its statement");
    sql
}

fn bind(
    statement: &mut CachedStatement<'_>,
    base: usize,
    encoded: &EncodedCommit,
    row: &NewRow,
) -> rusqlite::Result<()> {
    let commit = &encoded.commit;
    let new = &commit.events[row.event];
    let version = commit.expected_version + 1 + row.event as u64;
    let mut column = base;
    let mut next = || {
        column += 1;
        column
    };
    statement.raw_bind_parameter(next(), row.position.cast_signed())?;
    statement.raw_bind_parameter(next(), commit.stream.kind.code())?;
    statement.raw_bind_parameter(next(), commit.stream.id.as_bytes())?;
    statement.raw_bind_parameter(next(), version.cast_signed())?;
    statement.raw_bind_parameter(next(), new.event.name())?;
    statement.raw_bind_parameter(next(), new.event.version())?;
    statement.raw_bind_parameter(next(), row.event == 0)?;
    statement.raw_bind_parameter(next(), new.event_id.as_bytes())?;
    statement.raw_bind_parameter(next(), commit.command_id.as_bytes())?;
    statement.raw_bind_parameter(next(), commit.correlation_id.as_bytes())?;
    statement.raw_bind_parameter(next(), commit.causation_id.as_ref().map(Uuid::as_bytes))?;
    statement.raw_bind_parameter(next(), encoded.actor.as_str())?;
    statement.raw_bind_parameter(next(), commit.recorded_at.timestamp_micros())?;
    statement.raw_bind_parameter(next(), commit.traceparent.as_deref())?;
    statement.raw_bind_parameter(next(), encoded.payloads[row.event].as_slice())
}
