//! Where rows stand: a table per build of a view, and the registry of builds.
//!
//! All SQL of this crate is in this folder. [`Backend`] is what the runner asks of a store, `table` names tables and
//! writes the statements that all stores share, `registry` says what a build is; `sqlite` is a file that one process
//! holds, `postgres` a database that several processes share.

mod postgres;
mod registry;
mod sqlite;
mod table;

use std::{collections::HashMap, ops::Deref, path::PathBuf, pin::Pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::Position;
use eventlog::{
    Checkpoint, StoreError,
    postgres::{Database, Held, Leases},
};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::{Cursor, ListQuery, RowKey, Value, ViewError, batch::Batch, fold::StoredRow, spec::Spec};

pub use postgres::VIEWS;
pub(crate) use registry::{BuildState, Registered};
pub(crate) use table::Table;

/// Rows of one message of a scan.
const SCAN_ROWS: usize = 1_024;

/// Where the rows of the views stand.
#[derive(Clone)]
pub enum ViewPlace {
    /// A file, held by one process at a time; created if need be.
    Sqlite(PathBuf),
    /// A database that several processes may share. It must have [`VIEWS`] and
    /// [`LEASES`](eventlog::postgres::LEASES).
    Postgres {
        /// The database.
        database: Database,
        /// Who works for which view, in the same database.
        leases: Leases,
    },
}

/// The consumer whose lease allows to write the live build of a view. Releases that differ in the version of its rows
/// follow the log side by side.
pub(crate) fn consumer_of(view: &str, version: u32) -> String {
    format!("view:{view}_v{version}")
}

/// The consumer whose lease allows to build the view anew, or to check it.
pub(crate) fn builder_of(view: &str, version: u32) -> String {
    format!("build:{view}_v{version}")
}

/// A write that has its place in the queue. Dropping it loses the answer, not the place.
pub(crate) type Pending<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// A window of a live build.
pub(crate) struct Window {
    pub(crate) table: Arc<Table>,
    pub(crate) batch: Batch,
    /// Where the store has to be for it.
    pub(crate) from: Checkpoint,
    /// Where the store is then.
    pub(crate) to: Checkpoint,
    /// Our right to write it; a store that one process holds asks for none.
    pub(crate) held: Option<Held>,
}

/// A window of a build that is not live.
pub(crate) struct BuildWindow {
    pub(crate) table: Arc<Table>,
    pub(crate) batch: Batch,
    /// Which of the build's windows, counted from 1.
    pub(crate) number: u64,
}

/// A row as it stands in the table: all values but the document, and that.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScannedRow {
    pub(crate) key: String,
    /// The sort column, then the view's columns.
    pub(crate) columns: Vec<Option<Value>>,
    pub(crate) doc: String,
}

/// Consumers with the label of who works for each.
pub(crate) type Holders = HashMap<String, String>;

/// What the runner asks of a store of views.
#[async_trait]
pub(crate) trait Backend: Send + Sync {
    /// Who works for which view, when several processes may. None: everything is this process's.
    fn leases(&self) -> Option<&Leases> {
        None
    }

    /// Who works for each of these consumers, or did until `grace` ago.
    async fn holders(&self, _consumers: Vec<String>, _grace: Duration) -> Result<Holders, StoreError> {
        Ok(Holders::new())
    }

    /// Renews the leases of these consumers that are ours; returns them.
    async fn renew(&self, _consumers: Vec<String>) -> Result<HashMap<String, Held>, StoreError> {
        Ok(HashMap::new())
    }

    /// Takes the lease of a consumer away from whoever has it: what they write from now on is refused.
    async fn steal(&self, _consumer: String) -> Result<Option<Held>, StoreError> {
        Ok(None)
    }

    /// All builds.
    async fn registered(&self) -> Result<Vec<Registered>, StoreError>;

    /// Creates a build: registry entry and table. A `live` one gets its indexes now and begins at the log's start; it
    /// is given up for the one that is live already, if there is one.
    async fn create_build(
        &self,
        spec: &'static Spec,
        state: BuildState,
        log_id: Uuid,
    ) -> Result<Option<Arc<Table>>, StoreError>;

    /// Creates the indexes of a build.
    async fn create_indexes(&self, table: &Table) -> Result<(), StoreError>;

    /// Makes `new` the live build in place of `old`, if `old` is still live and no further than `checkpoint`
    /// (unless it counted another log, or `force`). Returns whether it did.
    async fn switch(
        &self,
        old: Arc<Table>,
        new: Arc<Table>,
        checkpoint: Checkpoint,
        force: bool,
    ) -> Result<bool, StoreError>;

    /// Retires what is live of versions before this release's: called when this one has caught up.
    async fn retire_older_versions(&self, spec: &'static Spec) -> Result<(), StoreError>;

    /// Drops a build, unless it is live. Live writes go on meanwhile.
    async fn drop_build(&self, view: &str, version: u32, build: u32) -> Result<(), StoreError>;

    /// The rows that exist of `keys`.
    async fn fetch(&self, table: Arc<Table>, keys: Vec<RowKey>) -> Result<Vec<StoredRow>, StoreError>;

    /// The document of one row that lists show.
    async fn get(&self, table: Arc<Table>, key: String) -> Result<Option<String>, StoreError>;

    /// Places and documents of at most `query.limit` rows; the filters name columns that the table has.
    async fn list(&self, table: Arc<Table>, query: ListQuery) -> Result<Vec<(Cursor, String)>, StoreError>;

    /// Sends all rows of a table by key, as they are at this moment. First comes the table's checkpoint position, if it
    /// has one.
    async fn scan(
        &self,
        table: Arc<Table>,
        position: oneshot::Sender<Option<Position>>,
        rows: mpsc::Sender<Vec<ScannedRow>>,
    ) -> Result<(), StoreError>;

    /// Writes a window of the live build and moves its checkpoint, in one transaction. Answers false, with nothing
    /// written, if the build is no longer live, its checkpoint is not at `from`, or the right to write it is gone:
    /// somebody else counts these events.
    fn commit(&self, window: Window) -> Pending<bool>;

    /// Writes windows of builds that are not live, all or none where the store writes one after the other. They have no
    /// checkpoint, since half a build is worth nothing.
    fn write(&self, windows: Vec<BuildWindow>) -> Pending<()>;

    /// Lets others have the store, once all that was to be written is. What reads it may go on; what writes later is
    /// refused where one process holds the store.
    async fn let_go(&self) {}
}

/// The store of all views.
#[derive(Clone)]
pub(crate) struct ViewStore(Arc<dyn Backend>);

impl Deref for ViewStore {
    type Target = dyn Backend;
    fn deref(&self) -> &Self::Target {
        &*self.0
    }
}

impl ViewStore {
    /// Opens the store. `readers` is how many readers a file has.
    pub(crate) async fn open(place: ViewPlace, readers: usize) -> Result<Self, ViewError> {
        match place {
            ViewPlace::Sqlite(path) => {
                let opened =
                    tokio::task::spawn_blocking(move || sqlite::SqliteViews::open(&path, readers)).await;
                Ok(Self(Arc::new(opened.map_err(|_| ViewError::Store(StoreError::Closed))??)))
            }
            ViewPlace::Postgres { database, leases } => {
                Ok(Self(Arc::new(postgres::PostgresViews::open(database, leases).await?)))
            }
        }
    }

    /// Whether other processes may use it at the same time.
    pub(crate) fn is_shared(&self) -> bool {
        self.leases().is_some()
    }
}
