//! Where a world's work stands if not in its folder: in a schema of a scratch PostgreSQL server.

use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    time::Duration,
};

use eventlog::postgres::{
    Database, DatabaseOptions, Holder, LEASES, LOG, LeaseOptions, Leases, Part, SNAPSHOTS,
};
use orderstream_sagas::{WORK, WorkStore};
use uuid::Uuid;

/// A schema of the tests' server, with all our tables.
#[derive(Clone)]
pub struct Schema {
    pub database: Database,
    pub url: String,
}

/// How long the slots of whoever died stay his. Nobody waits for it: [`Schema::expire`].
const TTL: Duration = Duration::from_secs(5);

impl Schema {
    /// A new one for process managers' work; none where there is no PostgreSQL.
    pub async fn new() -> Option<Self> {
        let cluster = scratch_postgres::for_tests()?;
        Some(Self::at(&cluster.url("postgres"), &[WORK, LEASES, SNAPSHOTS]).await)
    }

    /// A new one, for the log too.
    pub async fn with_log() -> Option<Self> {
        let cluster = scratch_postgres::for_tests()?;
        Some(Self::with_log_at(&cluster.url("postgres")).await)
    }

    /// The same in the server at `url`.
    pub async fn with_log_at(url: &str) -> Self {
        Self::at(url, &[LOG, WORK, LEASES, SNAPSHOTS]).await
    }

    async fn at(url: &str, parts: &[Part]) -> Self {
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let schema = format!("world_{}", WORLDS.fetch_add(1, SeqCst));
        let database = connect(url, &schema, 4).await;
        for part in parts {
            database.migrate(*part).await.unwrap();
        }
        Self { database, url: url.to_owned() }
    }

    /// The work store for another life of one process. To be called in its runtime.
    pub async fn work(&self) -> WorkStore {
        let database = connect(&self.url, self.database.schema(), 6).await;
        self.work_of(&database, "it", TTL).await
    }

    /// The work store for a process that others know under this label.
    pub async fn work_of(&self, database: &Database, label: &str, ttl: Duration) -> WorkStore {
        let holder = Holder { id: Uuid::now_v7(), label: label.to_owned() };
        let leases = Leases::new(database.clone(), holder, LeaseOptions { ttl });
        WorkStore::open_postgres(database, leases).await.unwrap()
    }

    /// As if so much time had passed that whoever died is not waited for any more.
    pub async fn expire(&self) {
        self.run("UPDATE leases SET expires_at = now() - interval '1 second'; DELETE FROM members").await;
    }

    /// Loses the work store.
    pub async fn forget(&self) {
        self.run("TRUNCATE instances, timers, checkpoints, wishes").await;
    }

    pub async fn run(&self, sql: &str) {
        use sqlx::Executor;
        self.database.pool().execute(sqlx::raw_sql(sql)).await.unwrap();
    }
}

pub async fn connect(url: &str, schema: &str, connections: u32) -> Database {
    let options = DatabaseOptions { url: url.to_owned(), schema: schema.to_owned(), connections };
    Database::connect(options).await.unwrap()
}

/// Loses the work store in a folder.
pub fn forget_file(work_db: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        // It may not be there.
        let _ = std::fs::remove_file(format!("{}{suffix}", work_db.display()));
    }
    assert!(!work_db.exists());
}
