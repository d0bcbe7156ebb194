//! Several processes over one log and one work store, as far as they can see: each with a runtime, connections, a log, an
//! executor and leases of its own.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{OrderId, ProductId};
use eventlog::{Clock, Executor, ExecutorOptions, Log, LogOptions, postgres::PostgresStore};
use futures::StreamExt;
use orderstream_sagas::{Effects, SagaError, Sagas, process_names};
use tokio::time::Instant;
use uuid::Uuid;

use crate::support::{Body, IMPATIENT, Schema, Wish, World, connect};

/// How long a lease lasts in a test that waits until one has run out.
pub const SHORT: Duration = Duration::from_secs(1);
/// How long a lease lasts in a test that must not need that.
pub const LONG: Duration = Duration::from_secs(5);
/// The machine may have much else to do.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One process.
pub struct Member {
    pub label: String,
    pub sagas: Sagas,
    body: Body,
    log: Log,
}

impl Member {
    /// In good order.
    pub async fn leave(self) {
        let Self { sagas, mut body, log, .. } = self;
        let ended = async move {
            sagas.stop().await;
            log.shutdown().await;
        };
        body.run(ended).await;
        body.die().await;
    }

    /// In the middle of whatever it does.
    pub async fn die(mut self) {
        self.body.die().await;
    }

    /// Stands still until the answer is dropped.
    pub fn pause(&self) -> std::sync::mpsc::Sender<()> {
        self.body.pause()
    }
}

/// A world in which nothing runs but what members run, and what its orders look like when all went well.
pub struct Crew {
    pub world: World,
    pub schema: Schema,
    pub pizza: ProductId,
    pub orders: Vec<OrderId>,
    ttl: Duration,
}

impl Crew {
    /// None where there is no PostgreSQL.
    pub async fn new(ttl: Duration) -> Option<Self> {
        Some(Self::on(Schema::with_log().await?, ttl).await)
    }

    pub async fn on(schema: Schema, ttl: Duration) -> Self {
        let world = World::on(Some(schema.clone()), true).await;
        world.watch().await;
        let pizza = world.list(700, Some(1_000_000)).await;
        Self { world, schema, pizza, orders: Vec::new(), ttl }
    }

    pub async fn join(&self, label: &str) -> Member {
        self.join_to_run(label, process_names()).await
    }

    /// Another process that runs these process managers.
    pub async fn join_to_run(&self, label: &str, which: &[&'static str]) -> Member {
        self.try_to_join(label, which).await.unwrap()
    }

    pub async fn try_to_join(&self, label: &str, which: &[&'static str]) -> Result<Member, SagaError> {
        self.join_over(&self.schema.url, label, which).await
    }

    /// Another process that reaches the server by another way.
    pub async fn join_over(
        &self,
        url: &str,
        label: &str,
        which: &[&'static str],
    ) -> Result<Member, SagaError> {
        self.join_with(url, label, which, self.world.effects()).await
    }

    /// Another process that reaches the world outside by another way.
    pub async fn join_with(
        &self,
        url: &str,
        label: &str,
        which: &[&'static str],
        effects: Effects,
    ) -> Result<Member, SagaError> {
        let (schema, ttl, url) = (self.schema.clone(), self.ttl, url.to_owned());
        let clock: Arc<dyn Clock> = self.world.clock.clone();
        let (names, its_label, body) = (which.to_vec(), label.to_owned(), Body::new());
        let born = body.run(async move {
            let database = connect(&url, schema.database.schema(), 10).await;
            let store = Arc::new(PostgresStore::open(&database).await.unwrap());
            let log = Log::start(store, LogOptions::default()).await.unwrap();
            let executor = Executor::new(log.clone(), None, ExecutorOptions::default());
            let work = schema.work_of(&database, &its_label, ttl).await;
            let sagas = Sagas::open(work, executor, effects, clock, IMPATIENT).await?;
            sagas.start(&names);
            Ok::<_, SagaError>((sagas, log))
        });
        let (sagas, log) = born.await?;
        Ok(Member { label: label.to_owned(), sagas, body, log })
    }

    /// Places orders, some at a time, and waits for nothing.
    pub async fn place(&mut self, orders: usize) {
        let wish = || Wish::of(&self.world).lines(&[(self.pizza, 1, 700)]);
        let wishes = futures::stream::iter((0..orders).map(|_| self.world.place(wish())));
        let placed: Vec<OrderId> = wishes.buffer_unordered(16).collect().await;
        self.orders.extend(placed);
    }

    /// How many slots of a process manager each process has.
    pub async fn holders(&self, process: &str) -> BTreeMap<String, u64> {
        let status = self.world.sagas().status().await.unwrap();
        let process = status.into_iter().find(|status| status.name == process).unwrap();
        process.holders.into_iter().collect()
    }

    /// Waits until these processes share all slots of every process manager, fairly. Tells how long it took.
    pub async fn shared_by(&self, labels: &[&str]) -> Duration {
        let begun = Instant::now();
        let fair = 64_u64.div_ceil(labels.len() as u64);
        loop {
            let status = self.world.sagas().status().await.unwrap();
            let is_fair = |holders: &[(String, u64)]| {
                holders.iter().map(|(_, slots)| slots).sum::<u64>() == 64
                    && holders.iter().all(|(label, slots)| labels.contains(&label.as_str()) && *slots <= fair)
            };
            if status.iter().all(|process| is_fair(&process.holders)) {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < PATIENCE, "it is not shared by {labels:?}: {status:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until everything is done and stored.
    pub async fn settle(&self) {
        self.world.settle_within(PATIENCE).await;
    }

    /// Every order is a deal, and each of its steps took effect once: on the log, in the provider's books, on the shelf.
    pub async fn all_confirmed_once(&self) {
        let deal = [
            "delivery.requested",
            "order.confirmed",
            "order.placed",
            "payment.capture_started",
            "payment.captured",
            "payment.requested",
            "product.stock_reserved",
        ];
        let mut seen = self.events_by_subject().await;
        for (number, order) in self.orders.iter().enumerate() {
            let events = seen.remove(&order.uuid()).unwrap_or_default();
            assert_eq!(events, deal, "order {number} of {}", self.orders.len());
        }
        let (orders, charges) = (self.orders.len(), self.world.provider.books().await.len());
        assert_eq!(charges, orders, "each is charged once");
        assert_eq!(self.world.stock_of(self.pizza).await, (1_000_000 - orders as u64, orders as u64));
    }

    /// As if somebody else had taken all slots of a process manager for `time`, and nobody knew it yet.
    pub async fn steal(&self, process: &str, time: Duration) {
        let (thief, secs) = (Uuid::now_v7(), time.as_secs_f64());
        let sql = format!(
            "UPDATE leases SET holder = '{thief}', epoch = epoch + 1, expires_at = now() + interval '{secs} seconds'
             WHERE consumer = 'process:{process}'"
        );
        self.schema.run(&sql).await;
    }

    /// The names of the events about each order, sorted.
    pub async fn events_by_subject(&self) -> BTreeMap<Uuid, Vec<&'static str>> {
        let mut seen: BTreeMap<_, Vec<_>> = self.orders.iter().map(|id| (id.uuid(), Vec::new())).collect();
        for event in self.world.log.read_all(0, 1_000_000).await.unwrap() {
            if let Some(events) = seen.get_mut(&event.metadata.correlation_id) {
                events.push(event.event.name());
            }
        }
        seen.values_mut().for_each(|events| events.sort_unstable());
        seen
    }
}
