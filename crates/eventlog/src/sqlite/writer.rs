//! The writer: a thread that owns the only write connection of a file and gathers the jobs that wait into one
//! transaction.

use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    task::{Context, Poll},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{
    Durability, StoreError,
    connection::{WriterConfig, migrate},
};

/// Most jobs in one transaction: bounds how long the first waits for the last.
const MAX_JOBS: usize = 512;
/// A checkpoint is made after so many commits, or after [`Durability::rows_per_checkpoint`].
pub const COMMITS_PER_CHECKPOINT: u32 = 512;
/// A WAL of so many frames (256 MiB) that a passive checkpoint left behind waits for the readers to let go.
const LONG_WAL_FRAMES: i64 = 65_536;

/// Writes to one database. Cheap to clone; the thread ends when the last clone is dropped or after [`Writer::close`].
#[derive(Clone)]
pub struct Writer {
    jobs: mpsc::Sender<Message>,
    max_pages: Arc<AtomicU32>,
}

enum Message {
    Job(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

/// A job, its answer not sent yet.
trait Job: Send {
    /// Runs the job, once. Its result is kept until the transaction is committed.
    fn run(&mut self, conn: &Connection) -> Result<(), StoreError>;
    /// Sends the result, or `failure` when the transaction was not committed.
    fn answer(self: Box<Self>, failure: Option<&StoreError>);
}

struct TypedJob<T, F> {
    job: Option<F>,
    result: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for TypedJob<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send,
{
    fn run(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let job = self.job.take().expect("a job is run once");
        let result = match catch_unwind(AssertUnwindSafe(|| job(conn))) {
            Ok(result) => result.map_err(StoreError::from),
            Err(panic) => Err(StoreError::Panicked(panic_text(panic.as_ref()))),
        };
        let outcome = result.as_ref().map(|_| ()).map_err(Clone::clone);
        self.result = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, failure: Option<&StoreError>) {
        let result = match (self.result, failure) {
            (Some(Err(own)), _) => Err(own),
            (_, Some(failure)) => Err(failure.clone()),
            (Some(result), None) => result,
            (None, None) => Err(StoreError::Closed),
        };
        // Nobody may be waiting any more: the write stands all the same.
        let _ = self.reply.send(result);
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}

/// A write that has its place in the queue. Dropping it loses the answer, not the write.
#[derive(Debug)]
#[must_use = "the answer says whether it was written"]
pub struct PendingWrite<T>(oneshot::Receiver<Result<T, StoreError>>);

impl<T> Future for PendingWrite<T> {
    type Output = Result<T, StoreError>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(StoreError::Closed)))
    }
}

impl Writer {
    /// Opens the database at `path`, creating it if need be, and applies the `migrations` it does not have yet.
    /// Blocks; a file's writer is opened once, at start.
    ///
    /// # Errors
    /// When it cannot be opened, is damaged, or was written by a newer release.
    pub fn open(
        path: &Path,
        durability: Durability,
        migrations: &'static [&'static str],
    ) -> Result<Self, StoreError> {
        let max_pages = Arc::new(AtomicU32::new(0));
        let config = WriterConfig { path: path.to_owned(), durability, max_pages: max_pages.clone() };
        let mut conn = config.open()?;
        migrate(&mut conn, migrations)?;
        let (jobs, queue) = mpsc::channel();
        let name = path.file_name().map_or_else(|| "db".into(), |name| name.to_string_lossy());
        let worker =
            Worker { config, conn: Some(conn), bound: 0, rows_checkpointed: 0, commits_since_checkpoint: 0 };
        std::thread::Builder::new()
            .name(format!("write-{name}"))
            .spawn(move || worker.run(&queue))
            .map_err(|error| StoreError::Unavailable(format!("no thread for the writer: {error}")))?;
        Ok(Self { jobs, max_pages })
    }

    /// Runs `job` in a transaction and answers once that is committed. Jobs run in the order of the calls, not of the
    /// first polls. An error of the job undoes this job only.
    pub fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> PendingWrite<T> {
        self.queue(job)
    }

    /// The same as [`Writer::write`], for callers who want to say that they await later.
    pub fn queue<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> PendingWrite<T> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(TypedJob { job: Some(job), result: None, reply });
        if let Err(mpsc::SendError(Message::Job(job))) = self.jobs.send(Message::Job(job)) {
            job.answer(Some(&StoreError::Closed));
        }
        PendingWrite(answer)
    }

    /// Bounds the file to `pages` of 4 KiB from the next job on (0: no bound), so that it cannot fill the disk that it
    /// shares. A write beyond the bound is answered [`StoreError::Full`].
    pub fn limit_pages(&self, pages: u32) {
        self.max_pages.store(pages, Ordering::SeqCst);
    }

    /// Writes what waits, then closes the file. Later jobs are answered [`StoreError::Closed`].
    pub async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        if self.jobs.send(Message::Close(reply)).is_ok() {
            // An error means that the thread is gone already.
            let _ = closed.await;
        }
    }
}

/// The thread's own state.
struct Worker {
    config: WriterConfig,
    /// None after an error that a new connection must mend.
    conn: Option<Connection>,
    /// The bound in pages that the connection has.
    bound: u32,
    rows_checkpointed: i64,
    commits_since_checkpoint: u32,
}

impl Worker {
    fn run(mut self, queue: &mpsc::Receiver<Message>) {
        let mut batch = Vec::new();
        while let Ok(first) = queue.recv() {
            let mut close = None;
            let mut next = Some(first);
            while let Some(message) = next {
                match message {
                    Message::Job(job) => batch.push(job),
                    Message::Close(reply) => {
                        close = Some(reply);
                        break;
                    }
                }
                next = if batch.len() < MAX_JOBS { queue.try_recv().ok() } else { None };
            }
            if !batch.is_empty() {
                self.write(&mut batch);
            }
            if let Some(reply) = close {
                self.fold_wal();
                drop(self.conn.take());
                let _ = reply.send(());
                return;
            }
        }
    }

    /// Runs the batch in one transaction, answers all, and tends to the WAL.
    fn write(&mut self, batch: &mut Vec<Box<dyn Job>>) {
        let failure = self.transaction(batch).err();
        if failure.as_ref().is_some_and(StoreError::breaks_connection) {
            self.conn = None;
        }
        for job in batch.drain(..) {
            job.answer(failure.as_ref());
        }
        if failure.is_none() {
            self.checkpoint_if_long();
        }
    }

    /// An error means that nothing of the batch was written (or, for `Unavailable`, that it is not known).
    fn transaction(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        let conn = match &mut self.conn {
            Some(conn) => conn,
            None => {
                self.bound = self.config.max_pages.load(Ordering::SeqCst);
                self.conn.insert(self.config.open()?)
            }
        };
        let bound = self.config.max_pages.load(Ordering::SeqCst);
        if bound != self.bound {
            self.config.apply_bound(conn)?;
            self.bound = bound;
        }
        let outcome = run_in_transaction(conn, batch);
        if outcome.is_err() && !conn.is_autocommit() && conn.execute_batch("ROLLBACK").is_err() {
            self.conn = None;
        }
        outcome
    }

    /// Leaves one file behind that holds everything, so that a copy of it is a backup.
    fn fold_wal(&self) {
        let Some(conn) = &self.conn else { return };
        if let Err(error) = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            // Nothing is lost: the next start finds the WAL beside the file.
            tracing::warn!(path = %self.config.path.display(), %error, "the WAL was not folded into the file");
        }
    }

    fn checkpoint_if_long(&mut self) {
        self.commits_since_checkpoint += 1;
        let Some(conn) = &self.conn else { return };
        let rows = total_changes(conn);
        if self.commits_since_checkpoint < COMMITS_PER_CHECKPOINT
            && rows - self.rows_checkpointed < i64::from(self.config.durability.rows_per_checkpoint())
        {
            return;
        }
        self.commits_since_checkpoint = 0;
        self.rows_checkpointed = rows;
        let checkpoint = |mode: &str| {
            conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get::<_, i64>(1))
        };
        let done = checkpoint("PASSIVE").and_then(|frames| {
            if frames > LONG_WAL_FRAMES { checkpoint("RESTART").map(drop) } else { Ok(()) }
        });
        if let Err(error) = done {
            // Nothing is lost: the WAL stays as long as it is, and the next checkpoint tries again.
            tracing::warn!(path = %self.config.path.display(), %error, "checkpoint failed");
        }
    }
}

fn total_changes(conn: &Connection) -> i64 {
    conn.prepare_cached("SELECT total_changes()")
        .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
        .unwrap_or(i64::MAX)
}

fn run_in_transaction(conn: &Connection, batch: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
    let execute = |sql: &str| -> Result<(), StoreError> {
        conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    };
    execute("BEGIN IMMEDIATE")?;
    if let [only] = batch {
        // The transaction is savepoint enough.
        only.run(conn)?;
        return execute("COMMIT");
    }
    for job in batch.iter_mut() {
        execute("SAVEPOINT job")?;
        let ran = job.run(conn);
        // SQLite gives up the whole transaction on some errors (full disk, input and output): then so do we.
        if conn.is_autocommit() {
            return Err(ran
                .err()
                .unwrap_or_else(|| StoreError::Sql("a job ended its transaction".to_owned())));
        }
        match ran {
            Ok(()) => execute("RELEASE job")?,
            Err(error) if error.breaks_connection() => return Err(error),
            Err(_) => {
                execute("ROLLBACK TO job")?;
                execute("RELEASE job")?;
            }
        }
    }
    execute("COMMIT")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[&str] = &["CREATE TABLE t (x INTEGER PRIMARY KEY, payload BLOB) STRICT"];

    fn insert(x: i64) -> impl FnOnce(&Connection) -> Result<i64, rusqlite::Error> {
        move |conn| {
            conn.execute("INSERT INTO t (x) VALUES (?1)", [x])?;
            Ok(x)
        }
    }

    async fn all(writer: &Writer) -> Vec<i64> {
        let rows = writer
            .write(|conn| conn.prepare("SELECT x FROM t ORDER BY x")?.query_map([], |r| r.get(0))?.collect());
        rows.await.unwrap()
    }

    /// Keeps the thread busy, so that what is queued meanwhile is one batch.
    fn hold(writer: &Writer) -> mpsc::Sender<()> {
        let (release, held) = mpsc::channel::<()>();
        drop(writer.queue(move |_| {
            let _ = held.recv();
            Ok(())
        }));
        release
    }

    #[tokio::test]
    async fn a_failing_or_panicking_job_undoes_only_itself() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(&folder.path().join("a.db"), Durability::Normal, TABLE).unwrap();
        let release = hold(&writer);
        let first = writer.queue(insert(1));
        let twice = writer.queue(|conn| {
            conn.execute("INSERT INTO t (x) VALUES (2)", [])?;
            conn.execute("INSERT INTO t (x) VALUES (1)", [])
        });
        let panics = writer.queue(|conn| -> Result<(), rusqlite::Error> {
            conn.execute("INSERT INTO t (x) VALUES (3)", [])?;
            panic!("on purpose")
        });
        let last = writer.queue(insert(4));
        drop(release);
        assert_eq!(first.await, Ok(1));
        assert!(matches!(twice.await, Err(StoreError::Constraint(_))));
        assert_eq!(panics.await, Err(StoreError::Panicked("on purpose".to_owned())));
        assert_eq!(last.await, Ok(4));
        assert_eq!(all(&writer).await, [1, 4]);
    }

    #[tokio::test]
    async fn jobs_run_in_the_order_of_the_calls_and_survive_a_dropped_caller() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(&folder.path().join("a.db"), Durability::Full, TABLE).unwrap();
        let release = hold(&writer);
        drop(writer.write(insert(7)));
        let seen =
            writer.write(|conn| conn.query_row("SELECT max(x) FROM t", [], |row| row.get::<_, i64>(0)));
        drop(release);
        assert_eq!(seen.await, Ok(7));
    }

    #[tokio::test]
    async fn a_full_file_says_so_keeps_what_it_has_and_goes_on_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::open(&folder.path().join("a.db"), Durability::Full, TABLE).unwrap();
        writer.write(insert(1)).await.unwrap();
        writer.limit_pages(5);
        let big =
            |x: i64| move |conn: &Connection| conn.execute("INSERT INTO t VALUES (?1, zeroblob(60000))", [x]);
        assert!(matches!(writer.write(big(2)).await, Err(StoreError::Full(_))));
        let release = hold(&writer);
        let (small, large) = (writer.queue(insert(3)), writer.queue(big(4)));
        drop(release);
        let (small, large) = (small.await, large.await);
        assert!(matches!(large, Err(StoreError::Full(_))), "{large:?}");
        writer.limit_pages(0);
        assert_eq!(writer.write(big(5)).await, Ok(1));
        let kept = all(&writer).await;
        assert_eq!(kept.contains(&3), small.is_ok(), "an answer and the file differ: {small:?}, {kept:?}");
        assert!(kept.starts_with(&[1]) && kept.ends_with(&[5]) && !kept.contains(&4), "{kept:?}");
    }

    #[tokio::test]
    async fn a_closed_writer_has_written_what_waited_and_takes_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let writer = Writer::open(&path, Durability::Normal, TABLE).unwrap();
        let pending = writer.queue(insert(1));
        writer.close().await;
        assert_eq!(pending.await, Ok(1));
        assert_eq!(writer.write(insert(2)).await, Err(StoreError::Closed));
        writer.close().await;
        assert_eq!(all(&Writer::open(&path, Durability::Normal, TABLE).unwrap()).await, [1]);
    }
}
