//! Snapshots: the folded state of an aggregate at a version, so that a long stream loads in milliseconds. Only ever a
//! cache: any of them may be missing.

use async_trait::async_trait;
use domain::{StreamId, Version};
use rusqlite::{OptionalExtension, params};

use crate::sqlite::{Readers, StoreError, Writer};

/// An aggregate's state at a version, flushed state only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The version of the last event in it.
    pub version: Version,
    /// Which fold made it; a state of another fold is not used.
    pub fold_version: u32,
    /// The state as JSON.
    pub state: Vec<u8>,
}

/// Where snapshots are kept.
#[async_trait]
pub trait SnapshotStore: Send + Sync + 'static {
    /// The newest snapshot of the stream, if there is one.
    ///
    /// # Errors
    /// When the store does not answer; the stream is then folded from its start.
    async fn load(&self, stream: StreamId) -> Result<Option<Snapshot>, StoreError>;

    /// Keeps a snapshot, some time soon; an older one never replaces a newer one of the same fold.
    fn store(&self, stream: StreamId, snapshot: Snapshot);
}

/// Snapshots in a table of a SQLite database (`work.db`).
#[derive(Clone)]
pub struct SqliteSnapshots {
    writer: Writer,
    readers: Readers,
}

impl SqliteSnapshots {
    /// Over a database that has [`SqliteSnapshots::schema`] among its migrations.
    #[must_use]
    pub fn new(writer: Writer, readers: Readers) -> Self {
        Self { writer, readers }
    }

    /// The migration that creates the table, for the migrations of the database that holds it.
    #[must_use]
    pub const fn schema() -> &'static str {
        "CREATE TABLE snapshots (
            kind         INTEGER NOT NULL,
            stream_id    BLOB    NOT NULL,
            version      INTEGER NOT NULL,
            fold_version INTEGER NOT NULL,
            state        BLOB    NOT NULL,
            PRIMARY KEY (kind, stream_id)
        ) STRICT;"
    }
}

#[async_trait]
impl SnapshotStore for SqliteSnapshots {
    async fn load(&self, stream: StreamId) -> Result<Option<Snapshot>, StoreError> {
        let load = move |conn: &rusqlite::Connection| {
            conn.prepare_cached(
                "SELECT version, fold_version, state FROM snapshots WHERE kind = ?1 AND stream_id = ?2",
            )?
            .query_row(params![stream.kind.code(), stream.id.as_bytes()], |row| {
                let version = row.get::<_, i64>(0)?.cast_unsigned();
                Ok(Snapshot { version, fold_version: row.get(1)?, state: row.get(2)? })
            })
            .optional()
        };
        self.readers.read(load).await
    }

    fn store(&self, stream: StreamId, snapshot: Snapshot) {
        let store = move |conn: &rusqlite::Connection| {
            conn.prepare_cached(
                "INSERT INTO snapshots (kind, stream_id, version, fold_version, state) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET version = excluded.version, fold_version = excluded.fold_version,
                     state = excluded.state
                 WHERE excluded.version > version OR excluded.fold_version <> fold_version",
            )?
            .execute(params![
                stream.kind.code(),
                stream.id.as_bytes(),
                snapshot.version.cast_signed(),
                snapshot.fold_version,
                snapshot.state
            ])
            .inspect_err(|error| tracing::warn!(%stream, %error, "a snapshot was not stored"))
        };
        // Nobody waits: a snapshot that is lost costs a longer load.
        drop(self.writer.queue(store));
    }
}
