//! Not a test: how fast a batch is, against a bare insert of the same rows.

use std::time::{Duration, Instant};

use orderstream_eventlog::postgres::Database;
use scratch_postgres::ClusterOptions;
use sqlx::Executor;

use crate::{
    setup::{log, migrated, own_cluster},
    support::{foreign, product_id},
};

const TIME: Duration = Duration::from_secs(2);

/// The same table, indexes and lock; nothing is asked and nothing is decided.
const BARE: &str = "CREATE FUNCTION bare(ids uuid[], payloads bytea[]) RETURNS bigint LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
DECLARE head bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('orderstream log ' || current_schema(), 0));
    SELECT coalesce(max(events.position), 0) INTO head FROM events;
    INSERT INTO events (position, recorded_at, version, kind, type_version, stream_id, event_id, command_id,
        correlation_id, causation_id, first, type, actor, traceparent, payload)
    SELECT head + number, 0, 1, 2, 1, id, id, id, id, NULL, true, 'product.restocked', 'system', NULL, payload
    FROM unnest(ids, payloads) WITH ORDINALITY AS fresh (id, payload, number);
    RETURN head;
END $$";

async fn bare(database: &Database, size: usize) -> f64 {
    let mut conn = database.pool().acquire().await.unwrap();
    let payload = br#"{"quantity":12345}"#.as_slice();
    let (begun, mut events) = (Instant::now(), 0);
    while begun.elapsed() < TIME {
        let ids: Vec<uuid::Uuid> = (0..size).map(|_| uuid::Uuid::now_v7()).collect();
        let insert = sqlx::query("SELECT bare($1, $2)").bind(&ids).bind(vec![payload; size]);
        insert.fetch_one(&mut *conn).await.unwrap();
        events += size;
    }
    events as f64 / begun.elapsed().as_secs_f64()
}

/// Callers who append one event each, to new streams or to their own again and again.
async fn grouped(database: &Database, callers: usize, new_streams: bool) -> f64 {
    let log = log(database).await;
    let begun = Instant::now();
    let callers = (0..callers).map(|_| {
        let log = log.clone();
        tokio::spawn(async move {
            let (mut product, mut version, mut done) = (product(), 0, 0_u64);
            while begun.elapsed() < TIME {
                let mut commit = foreign(product, version, 12_345);
                commit.command_id = uuid::Uuid::now_v7();
                version = log.append(commit).await.unwrap().version;
                done += 1;
                if new_streams {
                    (product, version) = (self::product(), 0);
                }
            }
            done
        })
    });
    let mut events = 0;
    for caller in callers.collect::<Vec<_>>() {
        events += caller.await.unwrap();
    }
    let rate = events as f64 / begun.elapsed().as_secs_f64();
    log.shutdown().await;
    rate
}

fn product() -> domain::ProductId {
    let _ = product_id();
    domain::ProductId::from_uuid(uuid::Uuid::now_v7())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement; run it by name, with --release"]
async fn group_commit_figures() {
    let Some(cluster) = own_cluster(ClusterOptions { durable: true, ..Default::default() }) else { return };
    let database = migrated(&cluster.url("postgres"), "speed").await;
    database.pool().execute(BARE).await.unwrap();
    for round in 1..=3 {
        for size in [1, 64, 256] {
            println!("{round}: bare, batches of {size}: {:.0} events/s", bare(&database, size).await);
        }
        for callers in [1, 64, 256, 1_024] {
            let (new, old) =
                (grouped(&database, callers, true).await, grouped(&database, callers, false).await);
            println!("{round}: {callers} callers: {new:.0} events/s on new streams, {old:.0} on old ones");
        }
    }
}
