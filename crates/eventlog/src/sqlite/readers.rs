//! A bounded pool of read-only connections.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{StoreError, connection::open_reader};

/// Reads a database beside its writer. Each job sees one consistent state of the database.
#[derive(Clone)]
pub struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// A pool of at most `size` connections to the database at `path`, which its writer has created.
    ///
    /// # Errors
    /// When the first connection cannot be opened.
    pub fn open(path: &Path, size: usize) -> Result<Self, StoreError> {
        let first = open_reader(path)?;
        let shared = Shared {
            path: path.to_owned(),
            permits: Arc::new(Semaphore::new(size.max(1))),
            idle: Mutex::new(vec![first]),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Runs `job` on a connection, on a thread that may block.
    ///
    /// # Errors
    /// What the job or SQLite says; [`StoreError::Panicked`] when the job panics.
    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let permit = self.shared.permits.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let shared = self.shared.clone();
        let read = tokio::task::spawn_blocking(move || {
            let result = shared.run(job);
            drop(permit);
            result
        });
        match read.await {
            Ok(result) => result,
            Err(error) if error.is_panic() => Err(StoreError::Panicked("a reading job".to_owned())),
            Err(_) => Err(StoreError::Closed),
        }
    }
}

impl Shared {
    fn run<T>(&self, job: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let conn = match idle {
            Some(conn) => conn,
            None => open_reader(&self.path)?,
        };
        let result = in_transaction(&conn, job).map_err(StoreError::from);
        // A connection that had an input or output error is closed, and so is one that is stuck in a transaction.
        let good = conn.is_autocommit() && !matches!(&result, Err(error) if error.breaks_connection());
        if good {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(conn);
        }
        result
    }
}

fn in_transaction<T>(
    conn: &Connection,
    job: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
) -> Result<T, rusqlite::Error> {
    conn.prepare_cached("BEGIN")?.execute([])?;
    let result = job(conn);
    conn.prepare_cached("ROLLBACK")?.execute([])?;
    result
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::sqlite::{Durability, Writer};

    const TABLE: &[&str] = &["CREATE TABLE t (x INTEGER PRIMARY KEY) STRICT"];

    fn count(conn: &Connection) -> rusqlite::Result<i64> {
        conn.query_row("SELECT count(*) FROM t", [], |row| row.get(0))
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_job_sees_one_state_from_its_beginning_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let writer = Writer::open(&path, Durability::Normal, TABLE).unwrap();
        let readers = Readers::open(&path, 2).unwrap();
        let (begun, is_begun) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let looking = tokio::spawn({
            let readers = readers.clone();
            async move {
                let look_twice = move |conn: &Connection| {
                    let first = count(conn)?;
                    begun.send(()).unwrap();
                    may_go_on.recv().unwrap();
                    Ok((first, count(conn)?))
                };
                readers.read(look_twice).await
            }
        });
        tokio::task::spawn_blocking(move || is_begun.recv()).await.unwrap().unwrap();
        writer.write(|conn| conn.execute("INSERT INTO t VALUES (1)", [])).await.unwrap();
        assert_eq!(readers.read(count).await, Ok(1), "another job sees what is written by now");
        go_on.send(()).unwrap();
        assert_eq!(looking.await.unwrap(), Ok((0, 0)));
    }

    #[tokio::test]
    async fn a_reader_cannot_write_and_survives_a_panic() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let writer = Writer::open(&path, Durability::Normal, TABLE).unwrap();
        let readers = Readers::open(&path, 1).unwrap();
        assert!(readers.read(|conn| conn.execute("INSERT INTO t VALUES (1)", [])).await.is_err());
        let panics = readers.read(|_| -> rusqlite::Result<()> { panic!("on purpose") }).await;
        assert!(matches!(panics, Err(StoreError::Panicked(_))), "{panics:?}");
        assert_eq!(readers.read(count).await, Ok(0));
        drop(writer);
    }
}
