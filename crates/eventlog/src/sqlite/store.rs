//! The log in one SQLite file.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use domain::{Position, StreamId, Version};
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{
    Durability, Readers, StoreError, Writer,
    append::{self, Known},
    rows,
};
use crate::{AppendError, Appended, Bug, EncodedCommit, LogError, RawEvent, Store, planted};

/// The log in one SQLite file: the embedded adapter.
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    log_id: Uuid,
    known: Arc<Mutex<Memory>>,
}

/// What the appending job left for the next one. A job takes it; it is put back only by the job that took it last, and
/// only once its transaction is committed. Whoever finds nothing reads it from the database.
#[derive(Default)]
struct Memory {
    job: u64,
    known: Option<Known>,
}

fn lock(memory: &Mutex<Memory>) -> std::sync::MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SqliteStore {
    /// Opens the log at `path`, creating it if need be, with `readers` connections to read it.
    ///
    /// # Errors
    /// When it cannot be opened, is damaged, or was written by a newer release.
    pub async fn open(path: &Path, readers: usize) -> Result<Self, LogError> {
        let path = path.to_owned();
        let open = move || -> Result<(Writer, Readers), StoreError> {
            let durability =
                if planted(Bug::SynchronousNormal) { Durability::Normal } else { Durability::Full };
            let writer = Writer::open(&path, durability, rows::MIGRATIONS)?;
            Ok((writer, Readers::open(&path, readers)?))
        };
        let opened = tokio::task::spawn_blocking(open).await;
        let (writer, readers) = opened.map_err(|error| LogError::Unavailable(error.to_string()))??;
        // The id is minted here rather than in the migration: SQL has no UUIDv7.
        let log_id = writer.write(mint_log_id).await?;
        Ok(Self { writer, readers, log_id, known: Arc::default() })
    }

    /// See [`Writer::limit_pages`].
    pub fn limit_pages(&self, pages: u32) {
        self.writer.limit_pages(pages);
    }
}

fn mint_log_id(conn: &Connection) -> rusqlite::Result<Uuid> {
    let now = chrono::Utc::now().timestamp_micros();
    conn.execute(
        "INSERT INTO log_meta (one, log_id, created_at) VALUES (1, ?1, ?2) ON CONFLICT DO NOTHING",
        params![Uuid::now_v7().as_bytes(), now],
    )?;
    conn.query_row("SELECT log_id FROM log_meta", [], |row| row.get(0)).map(Uuid::from_bytes)
}

#[async_trait]
impl Store for SqliteStore {
    async fn append_batch(
        &self,
        commits: Arc<Vec<EncodedCommit>>,
    ) -> Result<Vec<Result<Appended, AppendError>>, AppendError> {
        let memory = self.known.clone();
        let write = self.writer.queue(move |conn| {
            let (job, known) = {
                let mut memory = lock(&memory);
                memory.job += 1;
                (memory.job, memory.known.take())
            };
            let (answers, known) = append::append(conn, &commits, known)?;
            // Before the answer, so that the caller owns its commits alone again.
            drop(commits);
            Ok((answers, job, known))
        });
        match write.await {
            Ok((answers, job, known)) => {
                let mut memory = lock(&self.known);
                if memory.job == job {
                    memory.known = Some(known);
                }
                Ok(answers)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn read_stream(
        &self,
        stream: StreamId,
        after_version: Version,
        limit: usize,
    ) -> Result<Vec<RawEvent>, LogError> {
        Ok(self.readers.read(move |conn| rows::read_stream(conn, stream, after_version, limit)).await?)
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RawEvent>, LogError> {
        Ok(self.readers.read(move |conn| rows::read_all(conn, after, limit)).await?)
    }

    async fn head(&self) -> Result<Position, LogError> {
        Ok(self.readers.read(rows::head).await?)
    }

    async fn log_id(&self) -> Result<Uuid, LogError> {
        Ok(self.log_id)
    }

    fn single_writer(&self) -> bool {
        true
    }

    async fn has_room(&self) -> Result<(), LogError> {
        // Taken back at once: it only asks for pages. Whether the disk has them shows at a commit.
        let probe = "SAVEPOINT probe; CREATE TABLE probe (bytes); INSERT INTO probe VALUES (zeroblob(65536));
                     ROLLBACK TO probe; RELEASE probe";
        Ok(self.writer.queue(move |conn| conn.execute_batch(probe)).await?)
    }

    async fn close(&self) {
        self.writer.close().await;
    }
}
