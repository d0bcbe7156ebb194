//! The handle on a database that all stores in it share.

use std::{
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{
    Postgres,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions},
};

use super::connect::{DatabaseOptions, OF_THE_LOG, try_out};
use crate::StoreError;

/// How long a job waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(2);
/// How long a job whose connection broke is tried again on other ones.
const TRY_AGAIN_FOR: Duration = Duration::from_secs(2);
/// Pause before the next try.
const PAUSE: Duration = Duration::from_millis(20);
/// How long one try may take: a server that vanished without closing its connections must not hang us.
const LONGEST: Duration = Duration::from_secs(20);

/// What a job on a connection gives.
pub type Job<'c, T> = Pin<Box<dyn Future<Output = Result<T, sqlx::Error>> + Send + 'c>>;

/// A database and our schema in it. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pool: PgPool,
    options: Arc<DatabaseOptions>,
    parsed: Arc<PgConnectOptions>,
}

impl Database {
    /// Connects.
    ///
    /// # Errors
    /// In words that say what to do: wrong address, user, password or database, too few connections, no answer.
    pub async fn connect(options: DatabaseOptions) -> Result<Self, StoreError> {
        let parsed = options.parsed()?;
        try_out(&parsed).await?;
        let pool = PgPoolOptions::new()
            .max_connections(options.connections - OF_THE_LOG)
            .acquire_timeout(ACQUIRE)
            // A connection that broke shows when it is used, and costs one more try.
            .test_before_acquire(false)
            .idle_timeout(Duration::from_secs(120))
            .max_lifetime(None)
            .after_connect(|conn, _| {
                // What is answered must be on disk, also where the server is set up to be quicker than that. Whoever can do
                // without says so for its own transaction.
                let sql = "SELECT set_config('synchronous_commit', 'on', false)
                           WHERE current_setting('synchronous_commit') = 'off'";
                Box::pin(async move { sqlx::query(sql).execute(conn).await.map(drop) })
            })
            .connect_lazy_with(parsed.clone());
        Ok(Self { pool, options: Arc::new(options), parsed: Arc::new(parsed) })
    }

    /// The schema that holds our tables.
    #[must_use]
    pub fn schema(&self) -> &str {
        &self.options.schema
    }

    /// Where it is, without user and password.
    #[must_use]
    pub fn place(&self) -> String {
        self.options.place()
    }

    /// The connections.
    #[must_use]
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How a connection outside of the pool is opened.
    pub(super) fn connect_options(&self) -> &PgConnectOptions {
        &self.parsed
    }

    /// Runs `job` on a connection. When that breaks, the job is run again on another one for up to two seconds, so it must
    /// do no harm twice. A job that needs a transaction begins one.
    ///
    /// # Errors
    /// What the job or the server says; [`StoreError::Unavailable`] when no connection lives long enough.
    pub async fn run<T: Send>(
        &self,
        job: impl for<'c> Fn(&'c mut PgConnection) -> Job<'c, T> + Send + Sync,
    ) -> Result<T, StoreError> {
        let begun = Instant::now();
        loop {
            let failure = match self.run_once(&job).await {
                Err(error @ (StoreError::Unavailable(_) | StoreError::Busy(_))) => error,
                result => return result,
            };
            if begun.elapsed() >= TRY_AGAIN_FOR {
                return Err(failure);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The same, but the job is run once only.
    ///
    /// # Errors
    /// The same; after [`StoreError::Unavailable`] it is not known whether it took effect.
    pub async fn run_once<T: Send>(
        &self,
        job: impl for<'c> Fn(&'c mut PgConnection) -> Job<'c, T> + Send + Sync,
    ) -> Result<T, StoreError> {
        let mut lent = Lent(Some(self.pool.acquire().await?));
        let connection = lent.0.as_mut().expect("it is given back below");
        let answer = match tokio::time::timeout(LONGEST, job(connection)).await {
            Ok(answer) => answer.map_err(StoreError::from),
            Err(_) => Err(StoreError::Unavailable(format!("no answer within {} s", LONGEST.as_secs()))),
        };
        if !matches!(answer, Err(StoreError::Unavailable(_))) {
            drop(lent.0.take());
        }
        answer
    }

    /// Closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection that is lent to a job. It goes back to the others only from a job that has ended and left it sound.
/// Otherwise, also when the caller has hung up, it is closed: nobody knows what is still on its wire, and the library does
/// not roll a transaction back that it was just beginning. Whoever had the connection next would write into that.
struct Lent(Option<PoolConnection<Postgres>>);

impl Drop for Lent {
    fn drop(&mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}
