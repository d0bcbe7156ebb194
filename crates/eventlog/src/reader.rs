//! Reading a log that other processes may be writing to: nothing is written and nothing is migrated.

use std::path::Path;

use domain::{Position, StreamId, Version};
use uuid::Uuid;

use crate::{
    LogError, RawEvent, StoreError,
    postgres::{self, Database, LOG},
    sqlite::{self, Readers},
};

/// A log to be read only, of any adapter. Cheap to clone.
#[derive(Clone)]
pub struct LogReader {
    source: Source,
    log_id: Uuid,
}

#[derive(Clone)]
enum Source {
    Sqlite(Readers),
    // Boxed, for it is much larger than the other.
    Postgres(Box<Database>),
}

impl LogReader {
    /// Opens the log in the SQLite file at `path`, which must exist.
    ///
    /// # Errors
    /// When there is no log, it is damaged, or it was written by a newer release.
    pub async fn open(path: &Path) -> Result<Self, LogError> {
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || Readers::open(&path, 1)).await;
        let readers = opened.map_err(|error| LogError::Unavailable(error.to_string()))??;
        let known =
            u32::try_from(sqlite::rows::MIGRATIONS.len()).expect("nobody writes that many migrations");
        let found: u32 =
            readers.read(|conn| conn.query_row("PRAGMA user_version", [], |row| row.get(0))).await?;
        if found > known {
            return Err(StoreError::NewerSchema { found, known }.into());
        }
        let log_id =
            readers.read(|conn| conn.query_row("SELECT log_id FROM log_meta", [], |row| row.get(0))).await?;
        Ok(Self { source: Source::Sqlite(readers), log_id: Uuid::from_bytes(log_id) })
    }

    /// Opens the log in a PostgreSQL schema, which must have been migrated.
    ///
    /// # Errors
    /// When there is no log in the schema, it is of another release, or the database does not answer.
    pub async fn open_postgres(database: &Database) -> Result<Self, LogError> {
        database.require(LOG).await?;
        let log_id = database.run(|conn| Box::pin(postgres::rows::log_id(conn))).await?;
        Ok(Self { source: Source::Postgres(Box::new(database.clone())), log_id })
    }

    /// Which log this is.
    #[must_use]
    pub fn log_id(&self) -> Uuid {
        self.log_id
    }

    /// The last position, 0 when there is none.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn head(&self) -> Result<Position, LogError> {
        Ok(match &self.source {
            Source::Sqlite(readers) => readers.read(sqlite::rows::head).await?,
            Source::Postgres(database) => database.run(|conn| Box::pin(postgres::rows::head(conn))).await?,
        })
    }

    /// Events with a position above `after`, in order, at most `limit`, not decoded.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RawEvent>, LogError> {
        Ok(match &self.source {
            Source::Sqlite(readers) => {
                readers.read(move |conn| sqlite::rows::read_all(conn, after, limit)).await?
            }
            Source::Postgres(database) => {
                let page = database.run(move |conn| Box::pin(postgres::rows::read_all(conn, after, limit)));
                page.await?
            }
        })
    }

    /// Events of one stream with a version above `after_version`, in order, at most `limit`, not decoded.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn read_stream(
        &self,
        stream: StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<RawEvent>, LogError> {
        Ok(match &self.source {
            Source::Sqlite(readers) => {
                readers.read(move |conn| sqlite::rows::read_stream(conn, stream, after, limit)).await?
            }
            Source::Postgres(database) => {
                let read = database
                    .run(move |conn| Box::pin(postgres::rows::read_stream(conn, stream, after, limit)));
                read.await?
            }
        })
    }
}
