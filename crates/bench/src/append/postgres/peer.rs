//! The peer: cqrs-es with postgres-es, carrying out the same commands on the same aggregate. Its table is laid out as
//! that crate asks for; it keeps no command ids and no order across streams.

use std::{sync::Arc, time::Duration};

use domain::{ProductId, product::Product};
use postgres_es::{PostgresCqrs, postgres_cqrs};
use sqlx::{
    Executor,
    postgres::{PgPool, PgPoolOptions},
};

use super::{
    Failure, Load,
    drive::{Caller, Yield, drive},
};
use crate::{append::giver::Maker, store::Server};

/// *Source*: `db/init.sql` of postgres-es.
const TABLE: &str = "
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

/// Runs `load` on a new table with `connections`.
pub(super) async fn measure(
    server: &Server,
    connections: u32,
    load: Load,
    seconds: f64,
) -> Result<Yield, Failure> {
    server.clear().await?;
    let pool = PgPoolOptions::new()
        .max_connections(connections)
        .min_connections(connections)
        .acquire_timeout(Duration::from_secs(30))
        // Or each command would cost one more round trip.
        .test_before_acquire(false)
        .connect_with(server.connect_options()?)
        .await?;
    pool.execute(format!("CREATE SCHEMA {}", server.schema).as_str()).await?;
    pool.execute(TABLE).await?;
    let run = with(&pool, load, seconds).await;
    pool.close().await;
    run
}

async fn with(pool: &PgPool, load: Load, seconds: f64) -> Result<Yield, Failure> {
    let framework = Arc::new(postgres_cqrs::<Product>(pool.clone(), Vec::new(), ()));
    let maker = Maker::new();
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
    drive(ready, seconds).await
}

/// Gives commands: to its products in turn, or to a new one each time when it has none.
struct Commander {
    framework: Arc<PostgresCqrs<Product>>,
    maker: Maker,
    products: Vec<ProductId>,
    next: usize,
}

impl Commander {
    async fn list(&self) -> Result<ProductId, Failure> {
        let product = self.maker.product();
        self.framework.execute(&product.to_string(), self.maker.list(product)).await?;
        Ok(product)
    }
}

impl Caller for Commander {
    async fn once(&mut self) -> Result<(), Failure> {
        match self.products.get(self.next) {
            Some(product) => self.framework.execute(&product.to_string(), Maker::restock()).await?,
            None => drop(self.list().await?),
        }
        self.next = (self.next + 1) % self.products.len().max(1);
        Ok(())
    }
}
