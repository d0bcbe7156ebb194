//! A program that takes payments: it can be killed at any moment, and born again over its files.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::{ContactId, Timestamp};
use eventlog::{Clock, Executor, ExecutorOptions, Log, LogOptions, SqliteStore, Store, SystemClock};
use gateway::{Behaviour, BreakerOptions, Guarded, RetryOptions, Sandbox, SandboxOptions};
use orderstream_sagas::{
    Effects, InstanceFilter, LogChannel, PortError, SagaOptions, Sagas, Tokens, WorkStore,
};
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
    time::{Instant, sleep},
};

use crate::network::{DEADLINE, Network};

/// How long a test waits for anything.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The machine's clock, as somebody sets it.
#[derive(Default)]
pub struct SetClock {
    machine: SystemClock,
    by_micros: AtomicI64,
}

impl SetClock {
    pub fn jump(&self, millis: i64) {
        self.by_micros.fetch_add(millis * 1000, SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        self.machine.now() + chrono::Duration::microseconds(self.by_micros.load(SeqCst))
    }
}

/// Payment tokens. Who is not in it has had his erased.
#[derive(Default)]
pub struct Purse(Mutex<HashMap<ContactId, &'static str>>);

impl Purse {
    pub fn keep(&self, contact: ContactId, token: &'static str) {
        self.0.lock().unwrap().insert(contact, token);
    }
}

#[async_trait]
impl Tokens for Purse {
    async fn payment_token(&self, contact: ContactId) -> Result<Option<String>, PortError> {
        Ok(self.0.lock().unwrap().get(&contact).map(|token| (*token).to_owned()))
    }
}

/// One life of the program.
struct Life {
    body: Body,
    store: Arc<dyn Store>,
    work: WorkStore,
    parts: Parts,
}

/// A runtime that may be dropped anywhere.
struct Body(Option<Runtime>);

impl Body {
    fn new() -> Self {
        Self(Some(Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()))
    }

    fn spawn<T: Send + 'static>(&self, what: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.0.as_ref().unwrap().spawn(what)
    }

    async fn die(mut self) {
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

/// What a life is asked through.
#[derive(Clone)]
pub struct Parts {
    pub log: Log,
    pub executor: Executor,
    pub sagas: Sagas,
    pub gateway: Arc<Guarded<Network>>,
}

/// How the program behaves.
#[derive(Clone, Copy)]
pub struct Settings {
    pub breaker: BreakerOptions,
    pub retries: RetryOptions,
    pub sagas: SagaOptions,
    /// How long a call may take.
    pub deadline: Duration,
}

impl Default for Settings {
    /// Nothing wastes a test's time, and the breaker opens now and then.
    fn default() -> Self {
        Self {
            breaker: BreakerOptions {
                window: 20,
                open_ms: 20,
                slow_call_ms: 60_000,
                ..BreakerOptions::default()
            },
            retries: RetryOptions { ratio: 0.2, per_second: 500 },
            sagas: SagaOptions {
                first_retry: Duration::from_millis(4),
                longest_retry: Duration::from_millis(40),
                ..SagaOptions::default()
            },
            deadline: DEADLINE,
        }
    }
}

pub struct World {
    pub clock: Arc<SetClock>,
    pub purse: Arc<Purse>,
    pub network: Network,
    pub kills: u64,
    /// Breakers that opened, retries that were put off, in lives that are over.
    past: (u64, u64),
    settings: Settings,
    life: Option<Life>,
    folder: TempDir,
}

impl World {
    pub async fn new(settings: Settings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::open(&folder.path().join("sandbox.db"), SandboxOptions::default()).unwrap();
        let (clock, purse) = (Arc::default(), Arc::default());
        let network = Network::new(sandbox, settings.deadline);
        let mut world = Self { clock, purse, network, kills: 0, past: (0, 0), settings, life: None, folder };
        world.bear().await;
        world
    }

    pub fn behave(&self, behaviour: Behaviour) {
        self.network.sandbox.behave(behaviour).unwrap();
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn bear(&mut self) {
        let body = Body::new();
        let (log_db, work_db) = (self.file("log.db"), self.file("work.db"));
        let clock: Arc<dyn Clock> = self.clock.clone();
        let Settings { breaker, retries, sagas: options, .. } = self.settings;
        let gateway = Arc::new(Guarded::new(self.network.clone(), breaker).with_retries(retries));
        let effects =
            Effects { gateway: gateway.clone(), tokens: self.purse.clone(), channel: Arc::new(LogChannel) };
        let born = body.spawn(async move {
            let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&log_db, 1).await.unwrap());
            let log = Log::start(store.clone(), LogOptions::default()).await.unwrap();
            let executor = Executor::new(log.clone(), None, ExecutorOptions::default());
            let work = tokio::task::spawn_blocking(move || WorkStore::open(&work_db)).await.unwrap().unwrap();
            let sagas = Sagas::open(work.clone(), executor.clone(), effects, clock, options).await.unwrap();
            sagas.start(&["payments"]);
            (store, work, Parts { log, executor, sagas, gateway })
        });
        let (store, work, parts) = born.await.unwrap();
        self.life = Some(Life { body, store, work, parts });
    }

    /// Ends the program in the middle of whatever it does, and starts it again.
    pub async fn kill(&mut self) {
        self.end().await;
        self.kills += 1;
        self.bear().await;
    }

    /// The same, and the work store is lost: everything is read from the log again.
    pub async fn kill_and_forget(&mut self) {
        self.end().await;
        self.kills += 1;
        for name in ["work.db", "work.db-wal", "work.db-shm"] {
            let _ = std::fs::remove_file(self.file(name));
        }
        self.bear().await;
    }

    async fn end(&mut self) {
        let Life { body, store, work, parts } = self.life.take().unwrap();
        let figures = parts.gateway.figures();
        self.past = (self.past.0 + figures.opened, self.past.1 + figures.retries_put_off);
        body.die().await;
        // What the disk was told stays told; nobody has heard of it.
        drop(parts);
        work.close().await;
        store.close().await;
    }

    pub fn parts(&self) -> Parts {
        self.life.as_ref().unwrap().parts.clone()
    }

    /// How often a breaker opened, and how often a retry was put off.
    pub fn guarded(&self) -> (u64, u64) {
        let figures = self.parts().gateway.figures();
        (self.past.0 + figures.opened, self.past.1 + figures.retries_put_off)
    }

    /// Does something in the program: it dies with it.
    pub async fn within<T: Send + 'static>(
        &self,
        what: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        self.life.as_ref().unwrap().body.spawn(what).await.ok()
    }

    pub async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Result<Duration, String> {
        let since = Instant::now();
        while !is_so().await {
            if since.elapsed() > PATIENCE {
                return Err(format!("it did not come to this: {what}"));
            }
            sleep(Duration::from_millis(2)).await;
        }
        Ok(since.elapsed())
    }

    /// Waits until no payment is open any more; how long it took.
    pub async fn ended(&self) -> Result<Duration, String> {
        let Parts { log, sagas, .. } = self.parts();
        let over = async || {
            let head = log.head().await.unwrap();
            let status = sagas.status().await.unwrap();
            let payments = status.iter().find(|process| process.name == "payments").unwrap();
            payments.position == head && sagas.list(InstanceFilter::default()).await.unwrap().instances.is_empty()
                // Nothing was appended meanwhile.
                && log.head().await.unwrap() == head
        };
        let waited = self.until("every payment has ended", over).await;
        match waited {
            Ok(waited) => Ok(waited),
            Err(error) => {
                Err(format!("{error}: {:#?}", sagas.list(InstanceFilter::default()).await.unwrap().instances))
            }
        }
    }
}
