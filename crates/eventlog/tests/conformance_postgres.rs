//! The conformance suite against PostgreSQL, unchanged: a schema for each check.
#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;

use async_trait::async_trait;
use orderstream_eventlog::{
    Store,
    conformance::Fixture,
    postgres::{Database, DatabaseOptions, LOG, PostgresStore},
};

struct Schema {
    database: Database,
}

#[async_trait]
impl Fixture for Schema {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(PostgresStore::open(&self.database).await.unwrap())
    }
}

async fn schema(check: &str) -> Option<Schema> {
    let cluster = scratch_postgres::for_tests()?;
    // A schema's name has at most 40 letters.
    let schema = check[..check.len().min(40)].to_owned();
    let options = DatabaseOptions { url: cluster.url("postgres"), schema, connections: 6 };
    let database = Database::connect(options).await.unwrap();
    database.migrate(LOG).await.unwrap();
    Some(Schema { database })
}

orderstream_eventlog::conformance_tests!(schema);
