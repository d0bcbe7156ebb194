//! The peer: cqrs-es with sqlite-es or postgres-es, carrying out the same commands on the same aggregate. Tables are laid
//! out as those crates ask for; they keep no command ids and no order across streams.

use std::{sync::Arc, time::Duration};

use cqrs_es::{AggregateError, CqrsFramework, EventStore};
use domain::{
    ProductId,
    product::{Product, ProductCommand, ProductError},
};
use postgres_es::postgres_cqrs;
use sqlite_es::sqlite_cqrs;
use sqlx::{
    Executor,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Load, Place, giver::Maker, place};
use crate::{
    Failure,
    drive::{Caller, drive},
};

/// How long somebody waits for a connection of the pool, or for SQLite's lock.
const PATIENCE: Duration = Duration::from_secs(30);

/// *Source*: `migrations/20221114171845_init.sql` of sqlite-es.
const SQLITE_TABLE: &str = "
    CREATE TABLE events (
        aggregate_type text                          NOT NULL,
        aggregate_id   text                          NOT NULL,
        sequence       integer CHECK (sequence >= 0) NOT NULL,
        event_type     text                          NOT NULL,
        event_version  text                          NOT NULL,
        payload        text                          NOT NULL,
        metadata       text                          NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, sequence)
    ) STRICT";

/// *Source*: `db/init.sql` of postgres-es.
const POSTGRES_TABLE: &str = "
    CREATE TABLE events (
        aggregate_type text                         NOT NULL,
        aggregate_id   text                         NOT NULL,
        sequence       bigint CHECK (sequence >= 0) NOT NULL,
        event_type     text                         NOT NULL,
        event_version  text                         NOT NULL,
        payload        json                         NOT NULL,
        metadata       json                         NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, sequence)
    )";

/// Runs `load` on a new table with `connections`; events per second.
pub(super) async fn measure(
    place: Place<'_>,
    connections: u32,
    load: Load,
    seconds: f64,
) -> Result<f64, Failure> {
    match place {
        Place::Sqlite(context) => {
            let folder = context.temporary()?;
            // As `default_sqlite_pool` of the crate, but as durable as ours.
            let options = SqliteConnectOptions::new()
                .filename(folder.path().join("peer.db"))
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(PATIENCE);
            let pool = SqlitePoolOptions::new()
                .max_connections(connections)
                .min_connections(connections)
                .acquire_timeout(PATIENCE)
                .test_before_acquire(false)
                .connect_with(options)
                .await?;
            pool.execute(SQLITE_TABLE).await?;
            let rate = with(sqlite_cqrs::<Product>(pool.clone(), Vec::new(), ()), load, seconds).await;
            pool.close().await;
            rate
        }
        Place::Postgres(server) => {
            let schema = place::cleared(server).await?;
            let pool = PgPoolOptions::new()
                .max_connections(connections)
                .min_connections(connections)
                .acquire_timeout(PATIENCE)
                // Or each command would cost one more round trip.
                .test_before_acquire(false)
                .connect_with(schema.connect_options()?)
                .await?;
            pool.execute(format!("CREATE SCHEMA {}", schema.name).as_str()).await?;
            pool.execute(POSTGRES_TABLE).await?;
            let rate = with(postgres_cqrs::<Product>(pool.clone(), Vec::new(), ()), load, seconds).await;
            pool.close().await;
            schema.clear().await?;
            rate
        }
    }
}

async fn with<S>(framework: CqrsFramework<Product, S>, load: Load, seconds: f64) -> Result<f64, Failure>
where
    S: EventStore<Product> + 'static,
    S::AC: Send,
{
    let (framework, maker) = (Arc::new(framework), Maker::new());
    let callers = (0..load.callers).map(|_| {
        let mut commander =
            Commander { framework: framework.clone(), maker: maker.clone(), products: Vec::new(), next: 0 };
        tokio::spawn(async move {
            for _ in 0..load.streams.of_each_caller() {
                let product = commander.list().await?;
                commander.products.push(product);
            }
            Ok::<_, Failure>(commander)
        })
    });
    let mut ready = Vec::new();
    for caller in callers.collect::<Vec<_>>() {
        ready.push(caller.await??);
    }
    Ok(drive(ready, seconds).await?.per_second)
}

/// Gives commands: to its products in turn, or to a new one each time when it has none.
struct Commander<S: EventStore<Product>> {
    framework: Arc<CqrsFramework<Product, S>>,
    maker: Maker,
    products: Vec<ProductId>,
    next: usize,
}

impl<S> Commander<S>
where
    S: EventStore<Product> + 'static,
    S::AC: Send,
{
    async fn list(&self) -> Result<ProductId, Failure> {
        let product = self.maker.product();
        self.give(product, self.maker.list(product)).await?;
        Ok(product)
    }

    async fn give(&self, product: ProductId, command: ProductCommand) -> Result<(), Failure> {
        loop {
            match self.framework.execute(&product.to_string(), command.clone()).await {
                Ok(()) => return Ok(()),
                // SQLite gave the lock to somebody else for too long: again, as an application would.
                Err(error) if is_locked(&error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn is_locked(error: &AggregateError<ProductError>) -> bool {
    match error {
        AggregateError::DatabaseConnectionError(error) | AggregateError::UnexpectedError(error) => {
            error.to_string().contains("database is locked")
        }
        _ => false,
    }
}

impl<S> Caller for Commander<S>
where
    S: EventStore<Product> + 'static,
    S::AC: Send,
{
    async fn once(&mut self) -> Result<bool, Failure> {
        match self.products.get(self.next) {
            Some(product) => self.give(*product, Maker::restock()).await?,
            None => drop(self.list().await?),
        }
        self.next = (self.next + 1) % self.products.len().max(1);
        Ok(true)
    }
}
