//! A process hears of what others append.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use domain::{Position, StreamId, Version};
use orderstream_eventlog::{
    AppendError, Appended, EncodedCommit, Log, LogError, LogOptions, RawEvent, Store, postgres::PostgresStore,
};
use sqlx::{Connection, Executor, postgres::PgConnection};
use uuid::Uuid;

use crate::{
    setup::{log, log_with, own_database, schema},
    support::{foreign, product_id},
};

/// So seldom that whatever is seen within a test was heard.
const SELDOM: Duration = Duration::from_secs(600);

/// How long until `reader` has published what `writer` appends now.
async fn delay(writer: &Log, reader: &Log) -> Duration {
    let mut head = reader.subscribe_head();
    let position = writer.append(foreign(product_id(), 0, 1)).await.unwrap().position;
    let begun = Instant::now();
    let seen = tokio::time::timeout(Duration::from_secs(10), head.wait_for(|now| *now >= position));
    seen.await.expect("the other process sees it").unwrap();
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_is_woken_long_before_it_would_have_polled() {
    let Some(database) = schema("wake").await else { return };
    let writer = log(&database).await;
    let reader = log_with(&database, LogOptions { poll_interval: SELDOM, ..LogOptions::default() }).await;
    // The listener takes a moment to be there; from then on each append is heard.
    delay(&writer, &reader).await;
    for _ in 0..20 {
        let delay = delay(&writer, &reader).await;
        assert!(delay < Duration::from_secs(1), "{delay:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listener_whose_connection_ended_listens_again() {
    let Some((url, database)) = own_database("ended_listeners").await else { return };
    let writer = log(&database).await;
    let reader = log_with(&database, LogOptions { poll_interval: SELDOM, ..LogOptions::default() }).await;
    delay(&writer, &reader).await;
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND application_name = 'orderstream listen'";
    assert!(admin.execute(sql).await.unwrap().rows_affected() >= 2);
    // What is appended while nobody listens is found when the listener is back.
    let delay = delay(&writer, &reader).await;
    assert!(delay < Duration::from_secs(5), "{delay:?}");
}

/// A store that hears nothing.
struct Deaf(PostgresStore);

#[async_trait]
impl Store for Deaf {
    async fn append_batch(
        &self,
        commits: Arc<Vec<EncodedCommit>>,
    ) -> Result<Vec<Result<Appended, AppendError>>, AppendError> {
        self.0.append_batch(commits).await
    }
    async fn read_stream(
        &self,
        stream: StreamId,
        after: Version,
        most: usize,
    ) -> Result<Vec<RawEvent>, LogError> {
        self.0.read_stream(stream, after, most).await
    }
    async fn read_all(&self, after: Position, limit: usize) -> Result<Vec<RawEvent>, LogError> {
        self.0.read_all(after, limit).await
    }
    async fn head(&self) -> Result<Position, LogError> {
        self.0.head().await
    }
    async fn log_id(&self) -> Result<Uuid, LogError> {
        self.0.log_id().await
    }
    fn single_writer(&self) -> bool {
        false
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn polling_alone_sees_everything() {
    let Some(database) = schema("polling").await else { return };
    let writer = log(&database).await;
    let deaf = Arc::new(Deaf(PostgresStore::open(&database).await.unwrap()));
    let reader = Log::start(deaf, LogOptions::default()).await.unwrap();
    for _ in 0..20 {
        let delay = delay(&writer, &reader).await;
        assert!(delay < Duration::from_secs(2), "{delay:?}");
    }
}
