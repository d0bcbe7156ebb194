//! Databases to keep views in, each test in a schema of its own.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use eventlog::postgres::{Database, DatabaseOptions, Holder, LEASES, LeaseOptions, Leases};

use crate::{VIEWS, ViewPlace};

/// A schema that has everything the views need; none where there is no PostgreSQL.
pub(crate) async fn schema() -> Option<DatabaseOptions> {
    let options = empty_schema()?;
    prepare(&options).await;
    Some(options)
}

/// A name for a schema that is not there.
pub(crate) fn empty_schema() -> Option<DatabaseOptions> {
    static SCHEMAS: AtomicU32 = AtomicU32::new(0);
    let url = scratch_postgres::for_tests()?.url("postgres");
    let schema = format!("views_{}", SCHEMAS.fetch_add(1, Ordering::SeqCst));
    Some(DatabaseOptions { url, schema, connections: 8 })
}

pub(crate) async fn prepare(options: &DatabaseOptions) {
    let database = Database::connect(options.clone()).await.unwrap();
    database.migrate(LEASES).await.unwrap();
    database.migrate(VIEWS).await.unwrap();
    database.close().await;
}

/// The schema as one more process uses it.
pub(crate) async fn process(options: &DatabaseOptions, ttl: Duration) -> ViewPlace {
    static PROCESSES: AtomicU32 = AtomicU32::new(0);
    let label = format!("process-{}", PROCESSES.fetch_add(1, Ordering::SeqCst));
    let holder = Holder { label, ..Holder::this_process() };
    let database = Database::connect(options.clone()).await.unwrap();
    let leases = Leases::new(database.clone(), holder, LeaseOptions { ttl });
    ViewPlace::Postgres { database, leases }
}
