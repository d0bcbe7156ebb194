//! Puts the parts of the platform together, and takes them apart again in the right order.

mod error;
mod migrate;
mod open;
mod stores;

use std::time::Duration;

use eventlog::postgres::Leases;
use gateway::Sandbox;
use sagas::WorkStore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use self::stores::Databases;
pub use self::{error::StartError, migrate::Migrated};
use self::{open::Opened, stores::Stores};
use crate::{app::App, data_dir::DataDir, routes, sample_shops::ShopsFile, settings::Settings};

/// How long an idempotency key is kept. *Source*: what clients commonly expect of such keys.
const KEEP_KEYS: chrono::Duration = chrono::Duration::hours(24);
/// How often old keys are looked for.
const FORGET_EVERY: Duration = Duration::from_secs(600);

/// Under what name processes are known that work on the log in any way.
const PROCESS: &str = "process";

/// The running platform, without its door; see [`crate::serve`].
pub struct Platform {
    app: App,
    work: WorkStore,
    databases: Databases,
    sandbox: Option<Sandbox>,
    leases: Option<Leases>,
    background: TaskTracker,
    data: DataDir,
}

impl Platform {
    /// Takes the data folder and starts everything in it.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let data = DataDir::open(&settings)?;
        Self::start_in(data, settings).await
    }

    /// Starts everything in a folder that is held already.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start_in(data: DataDir, settings: Settings) -> Result<Self, StartError> {
        let shops = ShopsFile::load(&settings.shops)?;
        let platform = Self::open(data, settings, true).await?;
        // Whoever takes orders sees to it that there are shops.
        if platform.app.settings.runs_api() {
            shops.import(&platform.app.executor, platform.app.now()).await?;
        }
        platform.start_consumers();
        Ok(platform)
    }

    /// Opens everything but starts no consumer and loads no shops: for commands that work on the stores directly.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn open_idle(settings: Settings) -> Result<Self, StartError> {
        let data = DataDir::open(&settings)?;
        Self::open(data, settings, false).await
    }

    async fn open(data: DataDir, settings: Settings, working: bool) -> Result<Self, StartError> {
        let stores = Stores::open(data.path(), &settings).await?;
        let Opened { app, work, databases, sandbox, leases } =
            open::open(data.path(), settings, stores, working).await?;
        Ok(Self { app, work, databases, sandbox, leases, background: TaskTracker::new(), data })
    }

    fn start_consumers(&self) {
        let app = &self.app;
        let views = projections::view_names().iter().copied().filter(|name| app.settings.runs_view(name));
        let processes = sagas::process_names().iter().copied().filter(|name| app.settings.runs_process(name));
        if let Some(running) = &app.views {
            running.start(&views.collect::<Vec<_>>());
        }
        app.sagas.start(&processes.collect::<Vec<_>>());
        if let Some(leases) = self.leases.clone() {
            self.background.spawn(stay_known(leases, app.stopping.clone()));
        }
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
    ///
    /// # Panics
    /// When it is not in this process: see [`Settings::runs_sandbox`].
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        self.sandbox.as_ref().expect("the sandbox is in this process, as the settings say")
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
        if let Some(views) = &app.views {
            views.stop().await;
        }
        app.log().shutdown().await;
        self.background.wait().await;
        self.work.close().await;
        if let Some(sandbox) = &self.sandbox {
            sandbox.close().await;
        }
        app.accounts.close().await;
        self.databases.close().await;
        drop(self.data);
    }
}

/// Has the process be known in the database while it runs, whatever it does: what needs the log for itself asks for that.
async fn stay_known(leases: Leases, stopping: CancellationToken) {
    loop {
        if let Err(error) = leases.balance(PROCESS, 0).await {
            tracing::debug!(%error, "the process is not known in the database for now");
        }
        if stopping.run_until_cancelled(tokio::time::sleep(leases.options().renew_every())).await.is_none() {
            break;
        }
    }
    if let Err(error) = leases.leave(PROCESS).await {
        tracing::debug!(%error, "the process is taken to run for some more seconds");
    }
}
