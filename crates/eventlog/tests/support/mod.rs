//! Shared by the tests: products to work on, and a store whose faults are at hand.
#![allow(dead_code, unreachable_pub)]

use std::{
    path::Path,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use domain::{
    Actor, AggregateId, Currency, Money, OrderId, Partition, Position, ProductId, ShopId, StreamId,
    Timestamp, Version,
    ids::new_uuid,
    product::{Product, ProductCommand},
};
use orderstream_eventlog::{
    AppendError, Appended, CommandContext, Commit, EncodedCommit, Executor, ExecutorOptions, Log, LogError,
    LogOptions, RawEvent, SqliteStore, Store,
};
use uuid::Uuid;

pub fn time(secs: i64) -> Timestamp {
    Timestamp::from_timestamp_micros((1_750_000_000 + secs) * 1_000_000).unwrap()
}

/// A new id; no two are the same, in other processes of a test neither.
pub fn id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = (u64::from(std::process::id()) << 24) + NEXT.fetch_add(1, Ordering::Relaxed);
    new_uuid(time(0), number, Partition::of(Uuid::nil()))
}

pub fn product_id() -> ProductId {
    ProductId::from_uuid(id())
}

pub fn order_id() -> OrderId {
    OrderId::from_uuid(id())
}

pub fn ctx() -> CommandContext {
    ctx_of(id())
}

pub fn ctx_of(command_id: Uuid) -> CommandContext {
    let at = time(0);
    CommandContext {
        command_id,
        correlation_id: id(),
        causation_id: None,
        actor: Actor::System,
        at,
        traceparent: None,
    }
}

pub fn list(product_id: ProductId, stock: u64) -> ProductCommand {
    ProductCommand::ListProduct {
        product_id,
        shop_id: "phone".parse::<ShopId>().unwrap(),
        name: "a phone".to_owned(),
        price: Money::new(500, Currency::KRW).unwrap(),
        stock: Some(stock),
    }
}

pub fn restock(quantity: u64) -> ProductCommand {
    ProductCommand::Restock { quantity }
}

pub fn reserve(order_id: OrderId) -> ProductCommand {
    ProductCommand::ReserveStock { order_id, quantity: 1 }
}

pub fn available(product: &Product) -> u64 {
    product.details().unwrap().stock.as_ref().unwrap().available
}

pub fn stream_of(id: ProductId) -> StreamId {
    StreamId::new(domain::AggregateKind::Product, AggregateId::uuid(&id))
}

pub async fn open(folder: &Path) -> Log {
    Log::open_sqlite(&folder.join("log.db"), LogOptions::default()).await.unwrap()
}

pub fn executor(log: &Log) -> Executor {
    Executor::new(log.clone(), None, ExecutorOptions::default())
}

/// An empty commit of another process's making has no events of ours; this one has a restock.
pub fn foreign(id: ProductId, expected_version: Version, quantity: u64) -> Commit {
    use domain::product::{ProductEvent, ProductRestocked};
    let event = ProductEvent::from(ProductRestocked { quantity }).into();
    Commit {
        stream: stream_of(id),
        expected_version,
        events: vec![orderstream_eventlog::NewEvent { event_id: self::id(), event }],
        command_id: self::id(),
        correlation_id: self::id(),
        causation_id: None,
        actor: Actor::System,
        recorded_at: time(0),
        traceparent: None,
    }
}

/// A real SQLite log whose answers can get lost.
pub struct Faulty {
    pub inner: SqliteStore,
    /// So many batches fail before they are written.
    pub fail_before: AtomicUsize,
    /// So many batches are written, and then the answer is lost.
    pub fail_after: AtomicUsize,
    /// Whether other processes may write, too.
    pub shared: bool,
    /// Held by a test to hold back all batches.
    pub gate: tokio::sync::Mutex<()>,
    /// The position up to which events are published: given by a test that wants to know it for each batch.
    pub published: OnceLock<tokio::sync::watch::Receiver<Position>>,
    /// What it was when each batch came.
    pub published_before: Mutex<Vec<Position>>,
}

impl Faulty {
    pub async fn open(folder: &Path, shared: bool) -> Arc<Self> {
        let inner = SqliteStore::open(&folder.join("log.db"), 2).await.unwrap();
        Arc::new(Self {
            inner,
            fail_before: AtomicUsize::new(0),
            fail_after: AtomicUsize::new(0),
            shared,
            gate: tokio::sync::Mutex::default(),
            published: OnceLock::new(),
            published_before: Mutex::default(),
        })
    }
}

fn take_one(faults: &AtomicUsize) -> bool {
    faults.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

#[async_trait]
impl Store for Faulty {
    async fn append_batch(
        &self,
        commits: Arc<Vec<EncodedCommit>>,
    ) -> Result<Vec<Result<Appended, AppendError>>, AppendError> {
        if let Some(published) = self.published.get() {
            self.published_before.lock().unwrap().push(*published.borrow());
        }
        drop(self.gate.lock().await);
        if take_one(&self.fail_before) {
            return Err(AppendError::Unavailable("lost on the way".to_owned()));
        }
        let answers = self.inner.append_batch(commits).await;
        if take_one(&self.fail_after) {
            return Err(AppendError::Unavailable("the answer was lost".to_owned()));
        }
        answers
    }
    async fn read_stream(
        &self,
        stream: StreamId,
        after: Version,
        limit: usize,
    ) -> Result<Vec<RawEvent>, LogError> {
        self.inner.read_stream(stream, after, limit).await
    }
    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RawEvent>, LogError> {
        self.inner.read_all(after, limit).await
    }
    async fn head(&self) -> Result<Position, LogError> {
        self.inner.head().await
    }
    async fn log_id(&self) -> Result<Uuid, LogError> {
        self.inner.log_id().await
    }
    fn single_writer(&self) -> bool {
        !self.shared
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}

/// Pieces on the shelf, as the executor knows it now.
pub async fn stock_now(executor: &Executor, product: &ProductId) -> u64 {
    available(&executor.load::<Product>(product).await.unwrap().state)
}
