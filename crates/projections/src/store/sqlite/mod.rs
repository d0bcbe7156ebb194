//! The views in a file, `views.db`, which one process holds: one thread writes, readers read beside it.

mod builds;
mod lock;
mod read;
mod statements;
mod write;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use domain::Position;
use eventlog::{
    Bug, Checkpoint, StoreError, planted,
    sqlite::{Durability, Readers, Writer},
};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use self::lock::FileLock;
pub(super) use self::statements::Statements;
use super::{Backend, BuildState, BuildWindow, Pending, Registered, ScannedRow, Table, Window};
use crate::{Cursor, ListQuery, RowKey, ViewError, fold::StoredRow, spec::Spec};

/// The registry of builds, and how far each has come. Rows stand in tables of their own.
const MIGRATIONS: &[&str] = &["
CREATE TABLE builds (
    view TEXT NOT NULL,
    version INTEGER NOT NULL,
    build INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('building', 'live', 'retired')),
    created_at INTEGER NOT NULL, -- UTC, microseconds
    retired_at INTEGER,          -- UTC, microseconds
    PRIMARY KEY (view, version, build)
) STRICT;
CREATE UNIQUE INDEX one_live_build ON builds (view, version) WHERE state = 'live';
CREATE TABLE checkpoints (
    view TEXT NOT NULL,
    version INTEGER NOT NULL,
    build INTEGER NOT NULL,
    log_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    event_id TEXT,
    PRIMARY KEY (view, version, build)
) STRICT;
"];

/// The views in a file.
pub(super) struct SqliteViews {
    writer: Writer,
    readers: Readers,
    lock: FileLock,
}

impl SqliteViews {
    /// Opens the file, creating it if need be, and holds it. Blocks.
    pub(super) fn open(path: &Path, readers: usize) -> Result<Self, ViewError> {
        let lock = FileLock::take(path)?;
        let writer = Writer::open(path, Durability::Normal, MIGRATIONS)?;
        Ok(Self { writer, readers: Readers::open(path, readers)?, lock })
    }
}

#[async_trait]
impl Backend for SqliteViews {
    async fn registered(&self) -> Result<Vec<Registered>, StoreError> {
        self.readers.read(builds::registered).await
    }

    async fn create_build(
        &self,
        spec: &'static Spec,
        state: BuildState,
        log_id: Uuid,
    ) -> Result<Option<Arc<Table>>, StoreError> {
        self.writer.write(move |conn| builds::create(conn, spec, state, log_id)).await
    }

    async fn create_indexes(&self, table: &Table) -> Result<(), StoreError> {
        // Each in a transaction of its own, so that live writes get their turn.
        for index in statements::create_indexes(table) {
            let sql = index.clone();
            let sorted = self.writer.write(move |conn| builds::create_index(conn, &sql)).await;
            if let Err(error) = sorted {
                tracing::warn!(table = table.name, %error, "not sorted in temporary files: sorting in memory");
                self.writer.write(move |conn| conn.execute_batch(&index)).await?;
            }
        }
        Ok(())
    }

    async fn switch(
        &self,
        old: Arc<Table>,
        new: Arc<Table>,
        checkpoint: Checkpoint,
        force: bool,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |conn| builds::switch(conn, &old, &new, &checkpoint, force)).await
    }

    async fn retire_older_versions(&self, spec: &'static Spec) -> Result<(), StoreError> {
        self.writer.write(|conn| builds::retire_older_versions(conn, spec)).await
    }

    async fn drop_build(&self, view: &str, version: u32, build: u32) -> Result<(), StoreError> {
        builds::drop_build(&self.writer, view, version, build).await
    }

    async fn fetch(&self, table: Arc<Table>, keys: Vec<RowKey>) -> Result<Vec<StoredRow>, StoreError> {
        self.readers.read(move |conn| read::fetch(conn, &table, keys)).await
    }

    async fn get(&self, table: Arc<Table>, key: String) -> Result<Option<String>, StoreError> {
        self.readers.read(move |conn| read::get(conn, &table, &key)).await
    }

    async fn list(&self, table: Arc<Table>, query: ListQuery) -> Result<Vec<(Cursor, String)>, StoreError> {
        self.readers.read(move |conn| read::list(conn, &table, &query)).await
    }

    async fn scan(
        &self,
        table: Arc<Table>,
        position: oneshot::Sender<Option<Position>>,
        rows: mpsc::Sender<Vec<ScannedRow>>,
    ) -> Result<(), StoreError> {
        self.readers.read(move |conn| read::scan(conn, &table, position, &rows)).await
    }

    fn commit(&self, window: Window) -> Pending<bool> {
        if planted(Bug::CheckpointAhead) {
            return Box::pin(write::checkpoint_first(self.writer.clone(), window));
        }
        Box::pin(self.writer.queue(move |conn| write::commit(conn, &window)))
    }

    fn write(&self, windows: Vec<BuildWindow>) -> Pending<()> {
        // One job: each job of several in a transaction has a savepoint of its own, and SQLite copies the pages it touches.
        Box::pin(self.writer.queue(move |conn| {
            windows.iter().try_for_each(|window| write::rows(conn, &window.table, &window.batch))
        }))
    }

    async fn let_go(&self) {
        // The writer first: its WAL is folded into the file, which would hold up whoever opens that next.
        self.writer.close().await;
        self.lock.let_go();
    }
}
