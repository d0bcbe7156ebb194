//! A real log at which a test can stop the world: from a chosen position on nothing more is written until the
//! test says what becomes of the commit that waits.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use domain::{Position, StreamId, Version};
use eventlog::{AppendError, Appended, EncodedCommit, LogError, RawEvent, Store};
use tokio::sync::watch;
use uuid::Uuid;

#[derive(Clone, Copy, PartialEq)]
enum Order {
    /// Everything is written.
    Pass,
    /// New events wait once the log has come so far.
    HoldFrom(Position),
    /// New events wait from the first of this name on.
    HoldBefore(&'static str),
    /// The commit that waits is not written, and its writer is told so.
    Lose,
}

/// The log's store.
pub struct Gate {
    inner: Arc<dyn Store>,
    order: watch::Sender<Order>,
    waiting: watch::Sender<bool>,
    head: AtomicU64,
}

impl Gate {
    pub async fn before(inner: Arc<dyn Store>) -> Arc<Self> {
        let head = AtomicU64::new(inner.head().await.unwrap());
        let (order, waiting) = (watch::Sender::new(Order::Pass), watch::Sender::new(false));
        Arc::new(Self { inner, order, waiting, head })
    }

    /// Nothing is written behind `position` until [`Gate::release`].
    pub fn hold_from(&self, position: Position) {
        self.order.send_replace(Order::HoldFrom(position));
    }

    /// Lets a story's beginning pass, before which nothing must have been written. Tells how many events later nothing
    /// would have been.
    pub fn pause(&self) -> Option<u64> {
        let Order::HoldFrom(position) = *self.order.borrow() else { return None };
        self.order.send_replace(Order::Pass);
        Some(position.saturating_sub(self.head.load(Ordering::SeqCst)))
    }

    /// Nothing is written so many events from now, if any number was told.
    pub fn go_on(&self, events: Option<u64>) {
        if let Some(events) = events {
            self.hold_from(self.head.load(Ordering::SeqCst) + events);
        }
    }

    /// Nothing is written from the first event of this name on until [`Gate::release`].
    pub fn hold_before(&self, event: &'static str) {
        self.order.send_replace(Order::HoldBefore(event));
    }

    /// Returns once a commit waits.
    pub async fn held(&self) {
        let mut waiting = self.waiting.subscribe();
        waiting.wait_for(|waiting| *waiting).await.unwrap();
    }

    /// Lets everything pass again; the commit that waits is written, or lost.
    pub fn release(&self, written: bool) {
        self.waiting.send_replace(false);
        self.order.send_replace(if written { Order::Pass } else { Order::Lose });
    }

    fn must_wait(&self, commits: &[EncodedCommit], order: Order) -> bool {
        let mut events = commits.iter().flat_map(|commit| &commit.commit.events);
        match order {
            Order::Pass | Order::Lose => false,
            Order::HoldFrom(position) => {
                self.head.load(Ordering::SeqCst) >= position && events.next().is_some()
            }
            Order::HoldBefore(name) => events.any(|new| new.event.name() == name),
        }
    }
}

#[async_trait]
impl Store for Gate {
    async fn append_batch(
        &self,
        commits: Arc<Vec<EncodedCommit>>,
    ) -> Result<Vec<Result<Appended, AppendError>>, AppendError> {
        let mut orders = self.order.subscribe();
        let mut waited = false;
        loop {
            let order = *orders.borrow_and_update();
            if self.must_wait(&commits, order) {
                waited = true;
                self.waiting.send_replace(true);
                orders.changed().await.unwrap();
                continue;
            }
            if waited && order == Order::Lose {
                self.order.send_replace(Order::Pass);
                return Err(AppendError::Full("lost in the crash".to_owned()));
            }
            break;
        }
        let answers = self.inner.append_batch(commits).await?;
        let last = answers.iter().flatten().map(|appended| appended.position).max().unwrap_or(0);
        self.head.fetch_max(last, Ordering::SeqCst);
        Ok(answers)
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
        self.inner.single_writer()
    }
    async fn woken(&self) {
        self.inner.woken().await;
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}
