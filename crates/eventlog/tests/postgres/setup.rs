//! Schemas and databases to work in.

use std::sync::Arc;

use orderstream_eventlog::{
    Log, LogOptions,
    postgres::{Database, DatabaseOptions, LEASES, LOG, PostgresStore, SNAPSHOTS},
};
use scratch_postgres::{Binaries, Cluster, ClusterOptions};
use sqlx::{Connection, Executor, postgres::PgConnection};

/// A handle with few connections.
pub async fn connect(url: &str, schema: &str) -> Database {
    let options = DatabaseOptions { url: url.to_owned(), schema: schema.to_owned(), connections: 6 };
    Database::connect(options).await.unwrap()
}

/// All tables of ours in a new schema.
pub async fn migrated(url: &str, schema: &str) -> Database {
    let database = connect(url, schema).await;
    for part in [LOG, LEASES, SNAPSHOTS] {
        database.migrate(part).await.unwrap();
    }
    database
}

/// A schema of the shared server; none where there is no PostgreSQL.
pub async fn schema(name: &str) -> Option<Database> {
    let cluster = scratch_postgres::for_tests()?;
    Some(migrated(&cluster.url("postgres"), name).await)
}

/// A database of the shared server, for tests that end connections; and its address.
pub async fn own_database(name: &str) -> Option<(String, Database)> {
    let cluster = scratch_postgres::for_tests()?;
    let mut admin = PgConnection::connect(&cluster.url("postgres")).await.unwrap();
    admin.execute(format!("CREATE DATABASE {name}").as_str()).await.unwrap();
    let url = cluster.url(name);
    let database = migrated(&url, "orderstream").await;
    Some((url, database))
}

/// A server for a test that stops it.
pub fn own_cluster(options: ClusterOptions) -> Option<Cluster> {
    // Says so, or fails, where there is none.
    scratch_postgres::for_tests()?;
    Some(Cluster::start(Binaries::find()?, options).unwrap())
}

pub async fn log(database: &Database) -> Log {
    log_with(database, LogOptions::default()).await
}

pub async fn log_with(database: &Database, options: LogOptions) -> Log {
    let store = PostgresStore::open(database).await.unwrap();
    Log::start(Arc::new(store), options).await.unwrap()
}
