//! The views at work: one consumer per view follows the log, queries read the live builds, rebuild and verify fold
//! beside them.

mod consumer;
mod customer;
mod leases;
mod meter;
mod options;
mod pass;
mod queries;
mod rebuild;
mod slot;
mod upkeep;
mod verify;
pub(crate) mod window;

#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::Position;
use eventlog::{Log, LogError};
use tokio::{
    sync::{Mutex as AsyncMutex, Notify, watch},
    task::JoinHandle,
};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use customer::CustomerEntry;
pub use options::ViewOptions;

use self::slot::{Slot, live};
use crate::{
    Progress, RebuildReport, VerifyReport, View, ViewError, ViewPlace, ViewStatus,
    store::{BuildState, Registered, Table, ViewStore},
    views::REGISTRY,
};

/// How long a rebuild or a check may take to end when the views stop.
const PATIENCE: Duration = Duration::from_secs(5);

/// All views over one log. Cheap to clone; the consumers stop when the last clone is dropped.
#[derive(Clone)]
pub struct Views {
    shared: Arc<Shared>,
    _stop_when_dropped: Arc<DropGuard>,
}

/// What queries, consumers and builds share.
struct Shared {
    store: ViewStore,
    log: Log,
    /// The last published position of the log.
    head: watch::Receiver<Position>,
    options: ViewOptions,
    slots: Vec<Arc<Slot>>,
    stop: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    /// One rebuild or check at a time: two would only take each other's processor.
    building: AsyncMutex<()>,
    /// Whether upkeep runs.
    upkeep: AtomicBool,
    /// Asks for the leases of views that nobody works for.
    lease_wanted: Notify,
    /// Asks where views are that run elsewhere.
    look_up_wanted: Notify,
}

impl Views {
    /// Opens the views stored at `place` over `log`. A view without a live build of this release's version gets an empty
    /// one, which its consumer folds from the log's start. Builds that a crash left half done are dropped. A view whose
    /// checkpoint does not match the log is stopped, and says so in its status.
    ///
    /// # Errors
    /// When the store or the log does not answer, a file is held by another process, or a database lacks
    /// [`VIEWS`](crate::VIEWS): nothing is migrated here.
    pub async fn open(place: ViewPlace, log: Log, options: ViewOptions) -> Result<Self, ViewError> {
        let store = ViewStore::open(place, options.readers.max(options::FEWEST_READERS)).await?;
        let registered = with_a_build_of_each(&store, &log).await?;
        let given_up = upkeep::given_up(&store, &registered).await?;
        let overdue = registered.iter().filter(|build| build.is_overdue(options.keep_retired));
        upkeep::drop_builds(&store, overdue.chain(given_up)).await?;
        let mut slots = Vec::with_capacity(REGISTRY.len());
        for spec in &REGISTRY {
            let Some((build, checkpoint)) = live(&registered, spec) else {
                return Err(ViewError::Overtaken { view: spec.name });
            };
            let slot = Slot::new(Arc::new(Table::new(spec, build)), checkpoint, store.is_shared());
            match log.verify_checkpoint(&checkpoint).await {
                Ok(()) => {}
                Err(error @ LogError::WentBack { .. }) => slot.halt(&ViewError::Log(error)),
                Err(other) => return Err(other.into()),
            }
            slots.push(Arc::new(slot));
        }
        let (stop, head) = (CancellationToken::new(), log.subscribe_head());
        let guard = Arc::new(stop.clone().drop_guard());
        let shared = Shared {
            store,
            log,
            head,
            options,
            slots,
            stop,
            tasks: Mutex::default(),
            building: AsyncMutex::default(),
            upkeep: AtomicBool::new(false),
            lease_wanted: Notify::new(),
            look_up_wanted: Notify::new(),
        };
        Ok(Self { shared: Arc::new(shared), _stop_when_dropped: guard })
    }

    /// Runs the consumers of these views in this process. Where several processes may run a view, one of them works and
    /// the others stand by. Views that are not named are only read here: where they are is looked up when somebody waits,
    /// and now and then. Unknown names and views that run already are passed over.
    pub fn start(&self, which: &[&str]) {
        let mut tasks = self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        for slot in &self.shared.slots {
            if which.contains(&slot.name()) && slot.run_here() {
                tasks.push(tokio::spawn(consumer::run(self.shared.clone(), slot.clone())));
            }
        }
        if !self.shared.upkeep.swap(true, Ordering::SeqCst) {
            tasks.push(tokio::spawn(upkeep::run(self.shared.clone())));
            if let Some(leases) = self.shared.store.leases() {
                tasks.push(tokio::spawn(leases::run(self.shared.clone(), leases.clone())));
            }
        }
        self.shared.lease_wanted.notify_one();
    }

    /// Lets every consumer finish and write its window, then stops it, and lets other processes have the work.
    pub async fn stop(&self) {
        self.shared.stop.cancel();
        let tasks = std::mem::take(&mut *self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        for task in tasks {
            // A task that panicked has said so in its view's status.
            let _ = task.await;
        }
        if let Some(leases) = self.shared.store.leases() {
            leases::leave(&self.shared, leases).await;
        }
        // Whoever builds notices soon. The store stays ours while somebody writes to it.
        if tokio::time::timeout(PATIENCE, self.shared.building.lock()).await.is_ok() {
            self.shared.store.let_go().await;
        }
    }

    /// The last event that the view counts; 0 for an unknown view.
    #[must_use]
    pub fn position(&self, view: &str) -> Position {
        self.shared.slot(view).map_or(0, |slot| *slot.position().borrow())
    }

    /// The last event that the view counts, and news of it. An unknown view stays at 0.
    #[must_use]
    pub fn subscribe(&self, view: &str) -> watch::Receiver<Position> {
        let Ok(slot) = self.shared.slot(view) else { return watch::channel(0).1 };
        let news = slot.position();
        if slot.is_shared() && !slot.works_here() {
            self.shared.look_up_wanted.notify_one();
        }
        news
    }

    /// Waits until the view counts the event at `position`, at most `within`. Returns whether it does.
    pub async fn wait_for(&self, view: &str, position: Position, within: Duration) -> bool {
        let mut news = self.subscribe(view);
        let reached = tokio::time::timeout(within, news.wait_for(|at| *at >= position)).await;
        matches!(reached, Ok(Ok(_)))
    }

    /// How every view is doing.
    #[must_use]
    pub fn status(&self) -> Vec<ViewStatus> {
        let head = *self.shared.head.borrow();
        self.shared.slots.iter().map(|slot| slot.status(head, self.shared.options.live_window)).collect()
    }

    /// Folds the view anew from the log, beside the live build, and makes the new build the live one once it has
    /// caught up. Goes on when the caller is dropped.
    ///
    /// # Errors
    /// An unknown view, or a store or log that fails: the old build stays live then.
    pub async fn rebuild(
        &self,
        name: &str,
        progress: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Result<RebuildReport, ViewError> {
        let slots = vec![self.shared.slot(name)?.clone()];
        let mut reports = rebuild::start(&self.shared, slots, Box::new(progress)).await?;
        reports.pop().ok_or(ViewError::ShuttingDown)
    }

    /// The same for all views, in one pass over the log: each event is read and decoded once.
    ///
    /// # Errors
    /// A store or log that fails: views that were not switched yet keep their old builds.
    pub async fn rebuild_all(
        &self,
        progress: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Result<Vec<RebuildReport>, ViewError> {
        rebuild::start(&self.shared, self.shared.slots.clone(), Box::new(progress)).await
    }

    /// Folds the view anew up to where the live build is and compares row by row, while the live build goes on.
    ///
    /// # Errors
    /// An unknown view, or a store or log that fails.
    pub async fn verify(
        &self,
        name: &str,
        progress: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Result<VerifyReport, ViewError> {
        let slots = vec![self.shared.slot(name)?.clone()];
        let mut reports = verify::start(&self.shared, slots, Box::new(progress)).await?;
        reports.pop().ok_or(ViewError::ShuttingDown)
    }

    /// The same for all views, in one pass over the log.
    ///
    /// # Errors
    /// A store or log that fails.
    pub async fn verify_all(
        &self,
        progress: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Result<Vec<VerifyReport>, ViewError> {
        verify::start(&self.shared, self.shared.slots.clone(), Box::new(progress)).await
    }
}

/// The registry, once every view has a live build of this release's version.
async fn with_a_build_of_each(store: &ViewStore, log: &Log) -> Result<Vec<Registered>, ViewError> {
    let registered = store.registered().await?;
    let missing = || REGISTRY.iter().filter(|spec| live(&registered, spec).is_none());
    for spec in missing() {
        store.create_build(spec, BuildState::Live, log.log_id()).await?;
    }
    Ok(if missing().next().is_some() { store.registered().await? } else { registered })
}

impl Shared {
    fn slot(&self, name: &str) -> Result<&Arc<Slot>, ViewError> {
        let found = self.slots.iter().find(|slot| slot.name() == name);
        found.ok_or_else(|| ViewError::UnknownView { name: name.to_owned() })
    }

    fn slot_of<V: View>(&self) -> Result<&Arc<Slot>, ViewError> {
        self.slot(V::NAME)
    }
}
