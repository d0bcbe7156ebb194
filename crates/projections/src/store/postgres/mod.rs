//! The views in PostgreSQL, which several processes share: whoever works for a view holds its lease, and the lease is
//! checked in the transaction that writes.

mod builds;
mod holders;
mod read;
mod statements;
mod write;

use std::{collections::HashMap, io, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::Position;
use eventlog::{
    Checkpoint, StoreError,
    postgres::{Database, Held, LEASES, Leases, Part},
};
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, oneshot};
use uuid::Uuid;

pub(super) use self::statements::Statements;
use super::{Backend, BuildState, BuildWindow, Holders, Pending, Registered, ScannedRow, Table, Window};
use crate::{Cursor, ListQuery, RowKey, ViewError, fold::StoredRow, spec::Spec};

/// The registry of builds, and how far each has come. Rows stand in tables of their own, made with each build.
pub const VIEWS: Part = Part {
    name: "views",
    migrations: &["
    CREATE TABLE view_builds (
        view       text    NOT NULL,
        version    integer NOT NULL,
        build      integer NOT NULL,
        state      text    NOT NULL CHECK (state IN ('building', 'live', 'retired')),
        created_at timestamptz NOT NULL DEFAULT now(),
        retired_at timestamptz,
        windows    bigint  NOT NULL DEFAULT 0,
        log_id     uuid,
        position   bigint,
        event_id   uuid,
        PRIMARY KEY (view, version, build)
    ) WITH (fillfactor = 50);
    CREATE UNIQUE INDEX view_builds_live ON view_builds (view, version) WHERE state = 'live';
    CREATE TABLE view_counters (
        view       text    NOT NULL,
        version    integer NOT NULL,
        last_build integer NOT NULL,
        PRIMARY KEY (view, version)
    );
"],
};

/// How long a reader waits for an answer.
const PATIENCE: Duration = Duration::from_millis(2_500);

/// The views in a database.
pub(super) struct PostgresViews {
    database: Database,
    leases: Leases,
    gates: Arc<Gates>,
}

/// How much of the connections consumers and builds may use, so that readers find one.
struct Gates {
    following: Semaphore,
    building: Semaphore,
}

impl Gates {
    fn of(database: &Database) -> Self {
        let connections = database.pool().options().get_max_connections() as usize;
        let share = |part: usize| Semaphore::new((connections / part).clamp(1, 4));
        Self { following: share(2), building: share(4) }
    }
}

async fn pass(gate: &Semaphore) -> SemaphorePermit<'_> {
    gate.acquire().await.expect("nobody closes the gates")
}

impl PostgresViews {
    /// Takes the tables as they are: who may create them is not our business.
    pub(super) async fn open(database: Database, leases: Leases) -> Result<Self, ViewError> {
        database.require(LEASES).await?;
        database.require(VIEWS).await?;
        let gates = Arc::new(Gates::of(&database));
        Ok(Self { database, leases, gates })
    }
}

#[async_trait]
impl Backend for PostgresViews {
    fn leases(&self) -> Option<&Leases> {
        Some(&self.leases)
    }

    async fn holders(&self, consumers: Vec<String>, grace: Duration) -> Result<Holders, StoreError> {
        holders::holders(&self.database, consumers, grace).await
    }

    async fn renew(&self, consumers: Vec<String>) -> Result<HashMap<String, Held>, StoreError> {
        holders::renew(&self.database, &self.leases, consumers).await
    }

    async fn steal(&self, consumer: String) -> Result<Option<Held>, StoreError> {
        holders::steal(&self.database, &self.leases, consumer).await.map(Some)
    }

    async fn registered(&self) -> Result<Vec<Registered>, StoreError> {
        builds::registered(&self.database).await
    }

    async fn create_build(
        &self,
        spec: &'static Spec,
        state: BuildState,
        log_id: Uuid,
    ) -> Result<Option<Arc<Table>>, StoreError> {
        builds::create(&self.database, spec, state, log_id).await
    }

    async fn create_indexes(&self, table: &Table) -> Result<(), StoreError> {
        let _pass = pass(&self.gates.building).await;
        builds::create_indexes(&self.database, table).await.map_err(StoreError::from)
    }

    async fn switch(
        &self,
        old: Arc<Table>,
        new: Arc<Table>,
        checkpoint: Checkpoint,
        force: bool,
    ) -> Result<bool, StoreError> {
        builds::switch(&self.database, old, new, checkpoint, force).await
    }

    async fn retire_older_versions(&self, spec: &'static Spec) -> Result<(), StoreError> {
        builds::retire_older_versions(&self.database, spec).await
    }

    async fn drop_build(&self, view: &str, version: u32, build: u32) -> Result<(), StoreError> {
        builds::drop_build(&self.database, view, version, build).await
    }

    async fn fetch(&self, table: Arc<Table>, keys: Vec<RowKey>) -> Result<Vec<StoredRow>, StoreError> {
        let _pass = pass(&self.gates.following).await;
        read::fetch(&self.database, table, keys).await
    }

    async fn get(&self, table: Arc<Table>, key: String) -> Result<Option<String>, StoreError> {
        read::get(&self.database, table, key).await
    }

    async fn list(&self, table: Arc<Table>, query: ListQuery) -> Result<Vec<(Cursor, String)>, StoreError> {
        read::list(&self.database, table, query).await
    }

    async fn scan(
        &self,
        table: Arc<Table>,
        position: oneshot::Sender<Option<Position>>,
        rows: mpsc::Sender<Vec<ScannedRow>>,
    ) -> Result<(), StoreError> {
        read::scan(&self.database, &table, position, rows).await.map_err(StoreError::from)
    }

    fn commit(&self, window: Window) -> Pending<bool> {
        let (database, leases, gates) = (self.database.clone(), self.leases.clone(), self.gates.clone());
        Box::pin(async move {
            let _pass = pass(&gates.following).await;
            write::commit(&database, leases, window).await
        })
    }

    fn write(&self, windows: Vec<BuildWindow>) -> Pending<()> {
        // Each in a task of its own, so that they are under way while the next windows are folded.
        let writing: Vec<_> = windows
            .into_iter()
            .map(|BuildWindow { table, batch, number }| {
                let (database, gates) = (self.database.clone(), self.gates.clone());
                tokio::spawn(async move {
                    let _pass = pass(&gates.building).await;
                    write::write(&database, table, batch, number).await
                })
            })
            .collect();
        Box::pin(async move {
            for written in writing {
                written.await.unwrap_or(Err(StoreError::Closed))?;
            }
            Ok(())
        })
    }
}

/// For readers, who would rather hear that the database is away than wait for it.
async fn in_time<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let answer = tokio::time::timeout(PATIENCE, work).await;
    let late = || io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {PATIENCE:?}"));
    answer.unwrap_or_else(|_| Err(sqlx::Error::Io(late())))
}
