//! Puts the parts of the platform together, and takes them apart again in the right order.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use eventlog::{Clock, Executor, ExecutorOptions, IdGen, Log, LogError, LogOptions, StoreError, SystemClock};
use gateway::{Sandbox, SandboxOptions};
use projections::{ViewError, ViewOptions, Views};
use sagas::{Effects, SagaError, SagaOptions, Sagas, WorkStore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    accounts::Accounts,
    app::{App, Services},
    auth::{KeyError, Keys},
    channels,
    data_dir::{DataDir, DataDirError},
    jobs::Jobs,
    routes,
    sample_shops::{ShopsError, ShopsFile},
    settings::{Settings, SettingsError},
};

/// How long an idempotency key is kept. *Source*: what clients commonly expect of such keys.
const KEEP_KEYS: chrono::Duration = chrono::Duration::hours(24);
/// How often old keys are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Why the platform did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The data folder, for example because somebody else uses it.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The signing key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The event log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Another database.
    #[error("{}: {source}", .path.display())]
    Store {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// The views.
    #[error(transparent)]
    Views(#[from] ViewError),
    /// The process managers.
    #[error(transparent)]
    Sagas(#[from] SagaError),
    /// The sample shops.
    #[error(transparent)]
    Shops(#[from] ShopsError),
    /// The address.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: String,
        /// Why.
        source: std::io::Error,
    },
}

/// The running platform, without its door; see [`crate::serve`].
pub struct Platform {
    app: App,
    work: WorkStore,
    sandbox: Sandbox,
    background: TaskTracker,
    data: DataDir,
}

impl Platform {
    /// Takes the data folder and starts everything in it.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let data = DataDir::hold(&settings.data)?;
        Self::start_in(data, settings).await
    }

    /// Starts everything in a folder that is held already.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_in(data: DataDir, settings: Settings) -> Result<Self, StartError> {
        let shops = ShopsFile::load(&settings.shops)?;
        let (app, work, sandbox) = open(data.path(), settings).await?;
        shops.import(&app.executor, app.now()).await?;
        let platform = Self { app, work, sandbox, background: TaskTracker::new(), data };
        platform.start_consumers();
        Ok(platform)
    }

    /// Opens everything but starts no consumer and loads no shops: for commands that work on a folder directly.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn open_idle(settings: Settings) -> Result<Self, StartError> {
        let data = DataDir::hold(&settings.data)?;
        let (app, work, sandbox) = open(data.path(), settings).await?;
        Ok(Self { app, work, sandbox, background: TaskTracker::new(), data })
    }

    fn start_consumers(&self) {
        let app = &self.app;
        let chosen = |names: &'static [&'static str]| -> Vec<&'static str> {
            names.iter().copied().filter(|name| app.settings.runs(name)).collect()
        };
        app.views.start(&chosen(projections::view_names()));
        app.sagas.start(&chosen(sagas::process_names()));
        let (accounts, clock, stopping) = (app.accounts.clone(), app.clock.clone(), app.stopping.clone());
        self.background.spawn(async move {
            while stopping.run_until_cancelled(tokio::time::sleep(FORGET_EVERY)).await.is_some() {
                if let Err(error) = accounts.forget_keys(clock.now() - KEEP_KEYS).await {
                    tracing::warn!(%error, "old idempotency keys were not forgotten");
                }
            }
        });
    }

    /// What requests can reach.
    #[must_use]
    pub fn app(&self) -> &App {
        &self.app
    }

    /// All routes.
    pub fn router(&self) -> axum::Router {
        routes::router(&self.app)
    }

    /// The payment provider of the sandbox, with its books.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &DataDir {
        &self.data
    }

    /// Ends what is under way (bounded), stops process managers and views, flushes the log, lets go of the folder.
    pub async fn shutdown(self) {
        let app = self.app;
        app.stopping.cancel();
        app.tasks.close();
        self.background.close();
        if tokio::time::timeout(app.settings.shutdown_wait(), app.tasks.wait()).await.is_err() {
            tracing::warn!(
                left = app.tasks.len(),
                "some requests did not end in time: they go on after the next start"
            );
        }
        app.sagas.stop().await;
        app.views.stop().await;
        app.log().shutdown().await;
        self.background.wait().await;
        self.work.close().await;
        self.sandbox.close().await;
        app.accounts.close().await;
        drop(self.data);
    }
}

async fn open(data: &Path, settings: Settings) -> Result<(App, WorkStore, Sandbox), StartError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let keys = Keys::open_or_create(data)?;
    let options = LogOptions { max_file_mib: settings.log_max_mib, ..LogOptions::default() };
    let log = Log::open_sqlite(&settings.log_path()?, options).await?;
    let accounts_path = data.join("accounts.db");
    let accounts = Accounts::open(&accounts_path, clock.clone()).await;
    let accounts = accounts.map_err(|source| StartError::Store { path: accounts_path, source })?;
    let work_path = data.join("work.db");
    let work = WorkStore::open(&work_path).map_err(|source| StartError::Store { path: work_path, source })?;
    let executor = Executor::new(log.clone(), Some(work.snapshots()), ExecutorOptions::default());
    let sandbox = SandboxOptions {
        latency_ms: settings.sandbox_latency_min_ms..=settings.sandbox_latency_max_ms,
        ..SandboxOptions::default()
    };
    let sandbox_path = data.join("sandbox.db");
    let sandbox = Sandbox::open(&sandbox_path, sandbox)
        .map_err(|source| StartError::Store { path: sandbox_path, source })?;
    let effects = Effects {
        gateway: Arc::new(sandbox.clone()),
        tokens: Arc::new(accounts.clone()),
        channel: channels::chosen(&settings.notifications, Arc::new(accounts.clone()), clock.clone())
            .map_err(SettingsError::from)?,
    };
    let sagas =
        Sagas::open(work.clone(), executor.clone(), effects, clock.clone(), SagaOptions::default()).await?;
    let views = Views::open(&settings.views_path()?, log, ViewOptions::default()).await?;
    let services = Services {
        ids: IdGen::new(clock.clone()),
        settings,
        clock,
        keys,
        executor,
        views,
        sagas,
        accounts,
        jobs: Jobs::default(),
        stopping: CancellationToken::new(),
        tasks: TaskTracker::new(),
        log_trouble: Mutex::new(None),
    };
    Ok((Arc::new(services), work, sandbox))
}
