//! Puts services over what is kept.

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use eventlog::{Executor, ExecutorOptions, IdGen, postgres::Leases};
use gateway::{Sandbox, SandboxOptions};
use projections::{ViewOptions, Views};
use sagas::{Effects, PaymentGateway, SagaOptions, Sagas, WorkStore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    StartError,
    stores::{Databases, Stores},
};
use crate::{
    app::{App, Services},
    auth::Keys,
    channels,
    jobs::Jobs,
    routes,
    settings::{Settings, SettingsError},
    web::{Admission, Meters},
};

/// Everything but its consumers.
pub(super) struct Opened {
    pub(super) app: App,
    pub(super) work: WorkStore,
    pub(super) databases: Databases,
    pub(super) sandbox: Option<Sandbox>,
    pub(super) leases: Option<Leases>,
}

/// Opens it all. What only a process that works needs stays away when it is `working` on nothing: a command that looks at
/// instances calls no provider.
pub(super) async fn open(
    data: &Path,
    settings: Settings,
    stores: Stores,
    working: bool,
) -> Result<Opened, StartError> {
    let Stores { clock, log, accounts, work, views, databases, leases } = stores;
    let keys = Keys::open_or_create(data)?;
    let executor = Executor::new(log.clone(), Some(work.snapshots()), ExecutorOptions::default());
    let sandbox =
        if working && settings.runs_sandbox() { Some(open_sandbox(data, &settings)?) } else { None };
    let gateway: Arc<dyn PaymentGateway> = match &sandbox {
        Some(sandbox) => Arc::new(sandbox.clone()),
        None if settings.gateway.in_process() => Arc::new(gateway::Elsewhere),
        None => gateway::connect(&settings.gateway)?,
    };
    let effects = Effects {
        gateway: gateway.clone(),
        tokens: Arc::new(accounts.clone()),
        channel: channels::chosen(&settings.notifications, Arc::new(accounts.clone()), clock.clone())
            .map_err(SettingsError::from)?,
    };
    let options = SagaOptions::default();
    let sagas = Sagas::open(work.clone(), executor.clone(), effects, clock.clone(), options).await?;
    let views = if !working || settings.needs_views() {
        Some(Views::open(views, log, ViewOptions::default()).await?)
    } else {
        None
    };
    let services = Services {
        ids: IdGen::new(clock.clone()),
        admission: Admission::new(&settings),
        meters: Meters::default(),
        asked: routes::Asked::default(),
        settings,
        clock,
        keys,
        executor,
        views,
        gateway,
        sagas,
        accounts,
        jobs: Jobs::default(),
        stopping: CancellationToken::new(),
        tasks: TaskTracker::new(),
        log_trouble: Mutex::new(None),
    };
    Ok(Opened { app: Arc::new(services), work, databases, sandbox, leases })
}

fn open_sandbox(data: &Path, settings: &Settings) -> Result<Sandbox, StartError> {
    let options = SandboxOptions {
        latency_ms: settings.sandbox_latency_min_ms..=settings.sandbox_latency_max_ms,
        ..SandboxOptions::default()
    };
    let path = data.join("sandbox.db");
    Sandbox::open(&path, options).map_err(|source| StartError::Store { path, source })
}
