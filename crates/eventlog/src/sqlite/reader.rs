//! Reading a log that another process may be writing to: no write connection is opened and nothing is migrated.

use std::path::Path;

use domain::{Position, StreamId, Version};
use uuid::Uuid;

use super::{Readers, StoreError, rows};
use crate::{LogError, RawEvent};

/// The log in one SQLite file, to be read only. Cheap to clone.
#[derive(Clone)]
pub struct LogReader {
    readers: Readers,
    log_id: Uuid,
}

impl LogReader {
    /// Opens the log at `path`, which must exist.
    ///
    /// # Errors
    /// When there is no log, it is damaged, or it was written by a newer release.
    pub async fn open(path: &Path) -> Result<Self, LogError> {
        let path = path.to_owned();
        let opened = tokio::task::spawn_blocking(move || Readers::open(&path, 1)).await;
        let readers = opened.map_err(|error| LogError::Unavailable(error.to_string()))??;
        let known = u32::try_from(rows::MIGRATIONS.len()).expect("nobody writes that many migrations");
        let found: u32 =
            readers.read(|conn| conn.query_row("PRAGMA user_version", [], |row| row.get(0))).await?;
        if found > known {
            return Err(StoreError::NewerSchema { found, known }.into());
        }
        let log_id =
            readers.read(|conn| conn.query_row("SELECT log_id FROM log_meta", [], |row| row.get(0))).await?;
        Ok(Self { readers, log_id: Uuid::from_bytes(log_id) })
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
        Ok(self.readers.read(rows::head).await?)
    }

    /// Events with a position above `after`, in order, at most `limit`, not decoded.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RawEvent>, LogError> {
        Ok(self.readers.read(move |conn| rows::read_all(conn, after, limit)).await?)
    }

    /// Events of one stream with a version above `after_version`, in order, at most `limit`, not decoded.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn read_stream(
        &self,
        stream: StreamId,
        after_version: Version,
        limit: usize,
    ) -> Result<Vec<RawEvent>, LogError> {
        Ok(self.readers.read(move |conn| rows::read_stream(conn, stream, after_version, limit)).await?)
    }
}
