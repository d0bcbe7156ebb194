//! Opens what is kept: files in the data folder, or tables in a database.

use std::{path::Path, sync::Arc};

use eventlog::{
    Clock, Log, LogOptions, StoreError, SystemClock,
    postgres::{Database, DatabaseOptions, Holder, LEASES, LOG, Leases, Part, PostgresStore, SNAPSHOTS},
};
use projections::{VIEWS, ViewPlace};
use sagas::{WORK, WorkStore};

use super::StartError;
use crate::{
    accounts::{ACCOUNTS, Accounts},
    settings::{Settings, StorePlace},
};

/// What the log's database holds, and what that of the views holds.
pub(super) const PARTS: (&[Part], &[Part]) = (&[LOG, ACCOUNTS, WORK, SNAPSHOTS, LEASES], &[VIEWS, LEASES]);

/// The databases that are used, each with one set of connections.
#[derive(Clone, Default)]
pub(crate) struct Databases {
    open: Vec<(DatabaseOptions, Database)>,
}

impl Databases {
    /// The database, connected once however many ask for it.
    pub(crate) async fn connect(&mut self, options: &DatabaseOptions) -> Result<Database, StartError> {
        if let Some((_, database)) = self.open.iter().find(|(known, _)| known == options) {
            return Ok(database.clone());
        }
        let database =
            Database::connect(options.clone()).await.map_err(|source| StartError::Database { source })?;
        self.open.push((options.clone(), database.clone()));
        Ok(database)
    }

    pub(super) async fn close(&self) {
        for (_, database) in &self.open {
            database.close().await;
        }
    }
}

/// Everything that is kept, but the views, which follow an open log.
pub(super) struct Stores {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) log: Log,
    pub(super) accounts: Accounts,
    pub(super) work: WorkStore,
    pub(super) views: ViewPlace,
    pub(super) databases: Databases,
    /// Where processes of the log's database are known; none for a file.
    pub(super) leases: Option<Leases>,
}

impl Stores {
    pub(super) async fn open(data: &Path, settings: &Settings) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let mut databases = Databases::default();
        let holder = Holder::this_process();
        let leases = |database: &Database| Leases::new(database.clone(), holder.clone(), settings.leases());
        let mut of_the_log = None;
        let (log, accounts, work) = match settings.log_place()? {
            StorePlace::Sqlite(path) => embedded(data, &path, settings, &clock).await?,
            StorePlace::Postgres(options) => {
                let database = databases.connect(&options).await?;
                let failed = |source| StartError::Database { source };
                let store = PostgresStore::open(&database).await?;
                let log = Log::start(Arc::new(store), LogOptions::default()).await?;
                let accounts = Accounts::open_postgres(&database, clock.clone()).await.map_err(failed)?;
                let work = WorkStore::open_postgres(&database, leases(&database)).await.map_err(failed)?;
                of_the_log = Some(leases(&database));
                (log, accounts, work)
            }
        };
        let views = match settings.views_place()? {
            StorePlace::Sqlite(path) => ViewPlace::Sqlite(path),
            StorePlace::Postgres(options) => {
                let database = databases.connect(&options).await?;
                ViewPlace::Postgres { leases: leases(&database), database }
            }
        };
        Ok(Self { clock, log, accounts, work, views, databases, leases: of_the_log })
    }
}

/// Log, accounts and work, each in a file.
async fn embedded(
    data: &Path,
    log: &Path,
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> Result<(Log, Accounts, WorkStore), StartError> {
    let options = LogOptions { max_file_mib: settings.log_max_mib, ..LogOptions::default() };
    let log = Log::open_sqlite(log, options).await?;
    let of = |name: &str| {
        let path = data.join(name);
        (path.clone(), move |source: StoreError| StartError::Store { path, source })
    };
    let (path, failed) = of("accounts.db");
    let accounts = Accounts::open(&path, clock.clone()).await.map_err(failed)?;
    let (path, failed) = of("work.db");
    let work = WorkStore::open(&path).map_err(failed)?;
    Ok((log, accounts, work))
}
