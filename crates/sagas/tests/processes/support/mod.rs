//! A world in a folder: log, work store, provider, customers' tokens and mailbox, and process managers that can be
//! killed and born again.

mod check;
mod ends;
mod fakes;
mod gate;
mod goods;
mod ground;
mod guests;
mod people;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use eventlog::{
    Clock, Executor, ExecutorOptions, IdGen, Log, LogOptions, SqliteStore, Store, postgres::PostgresStore,
};
use orderstream_sagas::{
    Effects, InstanceFilter, InstanceState, InstanceSummary, SagaOptions, Sagas, WorkStore, process_names,
};
use tempfile::TempDir;
use tokio::{
    runtime::Runtime,
    time::{Instant, timeout},
};

pub(crate) use self::check::story;
pub use self::{
    check::{again, killed, plain},
    fakes::{ALWAYS, Mailbox, MovingClock, Provider, Purse},
    gate::Gate,
    goods::{loyal, returnable, without},
    ground::{Schema, connect},
    guests::Trip,
    people::{Wish, at_order, deferred, won},
};

/// Process managers that do not waste a test's time, and that forget what they have no use for at once.
pub const IMPATIENT: SagaOptions = SagaOptions {
    first_retry: Duration::from_millis(2),
    longest_retry: Duration::from_millis(20),
    idle_instances: 8,
};
/// How long a test waits for quiet before it gives up.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub struct World {
    life: Mutex<Option<Life>>,
    pub store: Arc<Gate>,
    pub log: Log,
    pub executor: Executor,
    pub provider: Arc<Provider>,
    pub purse: Arc<Purse>,
    pub mailbox: Arc<Mailbox>,
    pub clock: Arc<MovingClock>,
    pub ids: IdGen,
    pub shelf: people::Shelf,
    /// Where process managers' work stands, if not in the folder.
    pub schema: Option<Schema>,
    folder: TempDir,
}

/// Process managers that run, in a runtime of their own so that they can be killed.
struct Life {
    body: Body,
    sagas: Sagas,
    work: WorkStore,
    which: Vec<&'static str>,
    /// They run in other processes.
    elsewhere: bool,
}

/// A runtime that may be dropped anywhere.
pub struct Body(Option<Runtime>);

impl Body {
    /// With one thread, so that it can be paused.
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        Self(Some(runtime.unwrap()))
    }

    pub async fn run<T: Send + 'static>(&self, what: impl Future<Output = T> + Send + 'static) -> T {
        self.0.as_ref().unwrap().spawn(what).await.unwrap()
    }

    /// Nothing goes on in it until the answer is dropped, as in a process that is stopped by a signal.
    pub fn pause(&self) -> std::sync::mpsc::Sender<()> {
        let (resume, resumed) = std::sync::mpsc::channel();
        self.0.as_ref().unwrap().spawn(async move { resumed.recv() });
        resume
    }

    /// Ends at once, in the middle of whatever goes on.
    pub async fn die(&mut self) {
        let runtime = self.0.take().unwrap();
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(PATIENCE)).await.unwrap();
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl World {
    /// A world with two products on the shelf, a resort, and all process managers running.
    pub async fn new() -> Self {
        Self::with(process_names()).await
    }

    /// The same with some process managers.
    pub async fn with(which: &[&'static str]) -> Self {
        // Without PostgreSQL it is told again in a folder.
        let schema = if crate::ON_POSTGRES { Schema::new().await } else { None };
        let world = Self::on(schema, false).await;
        world.start(which).await;
        world
    }

    /// A world in which nothing runs: with its work in `schema` if there is one, and its log, too, if so wanted.
    pub async fn on(schema: Option<Schema>, log_too: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = match schema.as_ref().filter(|_| log_too) {
            Some(schema) => Arc::new(PostgresStore::open(&schema.database).await.unwrap()),
            None => Arc::new(SqliteStore::open(&folder.path().join("log.db"), 2).await.unwrap()),
        };
        let store = Gate::before(store).await;
        // One commit in a batch: so a test can stop the world behind each.
        let options = LogOptions { max_batch_commits: 1, ..LogOptions::default() };
        let log = Log::start(store.clone(), options).await.unwrap();
        let clock = Arc::new(MovingClock::default());
        let mut world = Self {
            life: Mutex::default(),
            executor: Executor::new(log.clone(), None, ExecutorOptions::default()),
            provider: Arc::new(Provider::open(&folder.path().join("sandbox.db"))),
            purse: Arc::default(),
            mailbox: Arc::default(),
            ids: IdGen::new(clock.clone()),
            shelf: people::Shelf::default(),
            store,
            log,
            clock,
            schema,
            folder,
        };
        world.stock_up().await;
        world
    }

    /// Gives birth to process managers over the work store as it is.
    pub async fn start(&self, which: &[&'static str]) {
        self.live(which, false).await;
    }

    /// Looks after process managers that others run.
    pub async fn watch(&self) {
        self.live(process_names(), true).await;
    }

    async fn live(&self, which: &[&'static str], elsewhere: bool) {
        let (path, schema) = (self.work_db(), self.schema.clone());
        let body = Body::new();
        let effects = self.effects();
        let clock: Arc<dyn Clock> = self.clock.clone();
        let (executor, names) = (self.executor.clone(), which.to_vec());
        let born = body.run(async move {
            let work = match schema {
                Some(schema) => schema.work().await,
                None => tokio::task::spawn_blocking(move || WorkStore::open(&path)).await.unwrap().unwrap(),
            };
            let sagas = Sagas::open(work.clone(), executor, effects, clock, IMPATIENT).await.unwrap();
            if !elsewhere {
                sagas.start(&names);
            }
            (sagas, work)
        });
        let (sagas, work) = born.await;
        let life = Life { body, sagas, work, which: which.to_vec(), elsewhere };
        assert!(self.life.lock().unwrap().replace(life).is_none(), "the old life must be ended before");
    }

    /// Ends all process managers at once, in the middle of whatever they are doing. Tells which ran.
    pub async fn kill(&self) -> Vec<&'static str> {
        let mut life = self.life.lock().unwrap().take().expect("nothing lives");
        life.body.die().await;
        life.work.close().await;
        if let Some(schema) = &self.schema {
            schema.expire().await;
        }
        std::mem::take(&mut life.which)
    }

    /// Ends all process managers in good order. Tells which ran.
    pub async fn stop(&self) -> Vec<&'static str> {
        self.sagas().stop().await;
        self.kill().await
    }

    /// Kills the process managers and starts them again.
    pub async fn rebirth(&self) {
        let which = self.kill().await;
        self.start(&which).await;
    }

    /// Kills the process managers, forgets all that they knew, and starts them again: they read the log from the start.
    pub async fn rebirth_from_nothing(&self) {
        let which = self.kill().await;
        self.forget().await;
        self.start(&which).await;
    }

    /// Loses the work store; nothing may live.
    pub async fn forget(&self) {
        match &self.schema {
            Some(schema) => schema.forget().await,
            None => ground::forget_file(&self.work_db()),
        }
    }

    /// Ends some process managers and lets only these live on.
    pub async fn only(&self, which: &[&'static str]) {
        self.stop().await;
        self.start(which).await;
    }

    /// Starts these after nothing ran.
    pub async fn start_instead(&self, which: &[&'static str]) {
        self.kill().await;
        self.start(which).await;
    }

    pub fn sagas(&self) -> Sagas {
        self.living().expect("nothing lives").0
    }

    pub fn work_db(&self) -> PathBuf {
        self.folder.path().join("work.db")
    }

    pub fn effects(&self) -> Effects {
        Effects { gateway: self.provider.clone(), tokens: self.purse.clone(), channel: self.mailbox.clone() }
    }

    fn living(&self) -> Option<(Sagas, Vec<&'static str>, bool)> {
        let life = self.life.lock().unwrap();
        life.as_ref().map(|life| (life.sagas.clone(), life.which.clone(), life.elsewhere))
    }

    /// Waits until the process managers that run have read everything and have nothing to do.
    pub async fn settle(&self) {
        self.settle_within(PATIENCE).await;
    }

    pub async fn settle_within(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while !timeout(PATIENCE, self.is_quiet()).await.expect("nobody says whether it is quiet") {
            if Instant::now() > deadline {
                panic!("no quiet: {:#?}\n{:#?}", self.sagas().status().await, self.open().await);
            }
            tokio::time::sleep(Duration::from_millis(if self.schema.is_some() { 10 } else { 2 })).await;
        }
    }

    async fn is_quiet(&self) -> bool {
        let Some((sagas, which, elsewhere)) = self.living() else { return false };
        let head = self.log.head().await.unwrap();
        if self.log.stats().queue_depth > 0 {
            return false;
        }
        let everything = InstanceFilter { limit: 10_000, ..InstanceFilter::default() };
        if self.schema.is_some() {
            // Brings the store up to date, which is where the status comes from when others may be there.
            let _ = sagas.list(everything.clone()).await;
        }
        let Ok(status) = sagas.status().await else { return false };
        let mut running = status.iter().filter(|process| which.contains(&process.name.as_str()));
        if running.any(|process| !(process.running || elsewhere) || process.position != head) {
            return false;
        }
        let Ok(open) = sagas.list(everything).await else { return false };
        let now = self.clock.now();
        let mut open = open.instances.iter().filter(|instance| which.contains(&instance.process.as_str()));
        let at_rest = open.all(|instance| match instance.state {
            InstanceState::Waiting => instance.deadline.is_none_or(|deadline| deadline > now),
            InstanceState::Stuck | InstanceState::Ended => true,
            InstanceState::Running | InstanceState::Retrying => false,
        });
        // Nothing was appended meanwhile, so whoever was at rest still is.
        at_rest && self.log.head().await.unwrap() == head
    }

    /// All instances that are not over.
    pub async fn open(&self) -> Vec<InstanceSummary> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let all = InstanceFilter { limit: 10_000, ..InstanceFilter::default() };
            // In the middle of a death nobody answers.
            if let Some((sagas, ..)) = self.living()
                && let Ok(open) = sagas.list(all).await
            {
                return open.instances;
            }
            assert!(Instant::now() < deadline, "nobody answers");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until a commit is held back by the gate.
    pub async fn held(&self) {
        timeout(PATIENCE, self.store.held()).await.expect("nothing is held back");
    }

    /// Waits until something is so.
    pub async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so().await {
            assert!(Instant::now() < deadline, "it did not come to this: {what}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Puts the clock forward and lets everybody notice.
    pub async fn later(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
        // Asking a process manager anything makes it look at the clock.
        let _ = self.open().await;
    }
}
