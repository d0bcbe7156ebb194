//! The log in a PostgreSQL schema.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{Position, StreamId, Version};
use sqlx::{ConnectOptions, Connection, Row, postgres::PgConnection};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use super::{
    Database, Part, append,
    listen::{self, Ear},
    rows, turns,
};
use crate::{
    AppendError, Appended, Bug, EncodedCommit, LogError, RawEvent, Store, StoreError, StreamTurn, planted,
};

/// The tables of the log, and the function that appends to it.
pub const LOG: Part = Part { name: "log", migrations: &[include_str!("sql/log_1.sql")] };

/// How long a batch may take before its outcome counts as unknown.
const PATIENCE: Duration = Duration::from_secs(10);
/// When the server itself gives a batch up, so that none is still under way after we stopped waiting.
const SERVER_PATIENCE: &str = "9s";
/// How long a batch waits for its turn among the processes that append.
const TURN: &str = "8s";

/// The log in a PostgreSQL schema. Any number of processes may append to it.
pub struct PostgresStore {
    database: Database,
    log_id: Uuid,
    /// The connection that appends, while it is sound.
    writer: Mutex<Option<PgConnection>>,
    ear: Arc<Ear>,
    /// Bounds the turns at streams.
    turns: Arc<Semaphore>,
    /// The last batch found no room.
    full: AtomicBool,
    stop: CancellationToken,
    _stop_when_dropped: DropGuard,
}

impl PostgresStore {
    /// Opens the log in the database's schema, which must have been migrated. Call it inside a tokio runtime.
    ///
    /// # Errors
    /// When there is no log in the schema, it is of another release, or the database does not answer.
    pub async fn open(database: &Database) -> Result<Self, LogError> {
        database.require(LOG).await?;
        let log_id = database.run(|conn| Box::pin(rows::log_id(conn))).await?;
        let ear = Arc::<Ear>::default();
        let stop = CancellationToken::new();
        let options = database.connect_options().clone();
        tokio::spawn(listen::listen(options, database.schema().to_owned(), ear.clone(), stop.clone()));
        Ok(Self {
            database: database.clone(),
            log_id,
            writer: Mutex::default(),
            ear,
            turns: turns::most(database),
            full: AtomicBool::new(false),
            _stop_when_dropped: stop.clone().drop_guard(),
            stop,
        })
    }

    async fn connect(&self) -> Result<PgConnection, StoreError> {
        let options =
            self.database.connect_options().clone().application_name("orderstream append").options([
                ("statement_timeout", SERVER_PATIENCE),
                ("lock_timeout", TURN),
                // The arrays of a batch are not worth a plan of their own.
                ("plan_cache_mode", "force_generic_plan"),
            ]);
        let mut conn = options.connect().await?;
        // An answered append is on disk, whatever the server does by default; a stronger setting stays.
        let sql = "SELECT pg_backend_pid(), CASE current_setting('synchronous_commit')
                   WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END";
        let process: i32 = sqlx::query(sql).fetch_one(&mut conn).await?.try_get(0)?;
        self.ear.own_process.store(process.unsigned_abs(), Ordering::Relaxed);
        Ok(conn)
    }

    /// On an error the connection is gone: nobody knows what is still on its wire.
    async fn try_append(
        &self,
        writer: &mut Option<PgConnection>,
        commits: &[EncodedCommit],
    ) -> Result<Vec<Result<Appended, AppendError>>, StoreError> {
        let mut conn = match writer.take() {
            Some(conn) => conn,
            None => self.connect().await?,
        };
        let answers = append::append(&mut conn, commits).await?;
        if planted(Bug::PositionGap) && rand::random_ratio(1, 20) {
            let gap = "UPDATE events SET position = position + 1 WHERE position = (SELECT max(position) FROM events)";
            sqlx::query(gap).execute(&mut conn).await?;
        }
        *writer = Some(conn);
        Ok(answers)
    }

    /// Takes pages of the disk and gives them back.
    async fn probe(&self) -> Result<(), StoreError> {
        let probe = self.database.run_once(|conn| {
            Box::pin(async move {
                let mut transaction = conn.begin().await?;
                // A new file, so that no room left over in the old one deceives.
                sqlx::query("TRUNCATE room_probe").execute(&mut *transaction).await?;
                let sql = "INSERT INTO room_probe SELECT decode(repeat('00', 65536), 'hex')";
                sqlx::query(sql).execute(&mut *transaction).await?;
                transaction.rollback().await
            })
        });
        probe.await
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn append_batch(
        &self,
        commits: Arc<Vec<EncodedCommit>>,
    ) -> Result<Vec<Result<Appended, AppendError>>, AppendError> {
        if commits.is_empty() {
            return Ok(Vec::new());
        }
        let mut writer = self.writer.lock().await;
        if self.stop.is_cancelled() {
            return Err(AppendError::ShuttingDown);
        }
        let append = tokio::time::timeout(PATIENCE, self.try_append(&mut writer, &commits)).await;
        let answers = append.unwrap_or_else(|_| {
            let secs = PATIENCE.as_secs();
            Err(StoreError::Unavailable(format!("no answer from {} within {secs} s", self.database.place())))
        });
        self.full.store(matches!(answers, Err(StoreError::Full(_))), Ordering::Relaxed);
        answers.map_err(AppendError::from)
    }

    async fn read_stream(
        &self,
        stream: StreamId,
        after_version: Version,
        limit: usize,
    ) -> Result<Vec<RawEvent>, LogError> {
        let read =
            self.database.run(move |conn| Box::pin(rows::read_stream(conn, stream, after_version, limit)));
        Ok(read.await?)
    }

    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RawEvent>, LogError> {
        Ok(self.database.run(move |conn| Box::pin(rows::read_all(conn, after, limit))).await?)
    }

    async fn head(&self) -> Result<Position, LogError> {
        Ok(self.database.run(|conn| Box::pin(rows::head(conn))).await?)
    }

    async fn log_id(&self) -> Result<Uuid, LogError> {
        Ok(self.log_id)
    }

    fn single_writer(&self) -> bool {
        false
    }

    /// Asks whether the server takes writes; after a full disk, by writing.
    async fn has_room(&self) -> Result<(), LogError> {
        if self.full.load(Ordering::Relaxed) {
            return Ok(self.probe().await?);
        }
        let reads_only = self.database.run_once(|conn| {
            Box::pin(async move {
                let sql = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean";
                sqlx::query(sql).fetch_one(conn).await?.try_get::<bool, _>(0)
            })
        });
        match reads_only.await? {
            false => Ok(()),
            true => Err(LogError::Unavailable(format!("{} takes no writes now", self.database.place()))),
        }
    }

    async fn woken(&self) {
        self.ear.heard.notified().await;
    }

    async fn turn(&self, stream: StreamId) -> Option<StreamTurn> {
        turns::take(&self.database, &self.turns, stream).await
    }

    /// Ends the log's own connections; those that it shares stay.
    async fn close(&self) {
        self.stop.cancel();
        if let Some(conn) = self.writer.lock().await.take() {
            // Everything is answered: how the connection ends does not matter.
            let _ = conn.close().await;
        }
    }
}
