//! Not a test: how fast a batch is, against a bare insert of the same rows.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{AggregateId, ProductId, Version};
use orderstream_eventlog::{Commit, EncodedCommit, Log, Store, postgres::PostgresStore};
use scratch_postgres::ClusterOptions;
use sqlx::{Executor, postgres::PgConnection};
use uuid::Uuid;

use crate::{
    setup::{log, migrated, own_cluster},
    support::foreign,
};

/// The same table, indexes, lock and rows; nothing is asked and nothing is decided.
const BARE: &str = "CREATE FUNCTION bare(streams uuid[], versions integer[], ids uuid[], commands uuid[],
    correlations uuid[], payloads bytea[]) RETURNS bigint LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan AS $$
DECLARE head bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('orderstream log ' || current_schema(), 0));
    SELECT coalesce(max(events.position), 0) INTO head FROM events;
    INSERT INTO events (position, recorded_at, version, kind, type_version, stream_id, event_id, command_id,
        correlation_id, causation_id, first, type, actor, traceparent, payload)
    SELECT head + number, 1750000000000000, version, 2, 1, stream, id, command, correlation, NULL, true,
        'product.restocked', 'system', NULL, payload
    FROM unnest(streams, versions, ids, commands, correlations, payloads) WITH ORDINALITY
        AS fresh (stream, version, id, command, correlation, payload, number);
    RETURN head;
END $$";

/// Machines that do other things as well are slow now and then: what is compared takes turns.
const ROUNDS: usize = 20;
const TURN: Duration = Duration::from_millis(250);

/// Events per second.
fn rate(events: u64, begun: Instant) -> f64 {
    events as f64 / begun.elapsed().as_secs_f64()
}

async fn bare(conn: &mut PgConnection, streams: &mut [(ProductId, Version)], new_streams: bool) -> f64 {
    let payload = br#"{"quantity":12345}"#.as_slice();
    let size = streams.len();
    let new_ids = || (0..size).map(|_| Uuid::now_v7()).collect::<Vec<_>>();
    let (begun, mut events) = (Instant::now(), 0);
    while begun.elapsed() < TURN {
        if new_streams {
            streams.iter_mut().for_each(|stream| *stream = (new_product(), 0));
        }
        streams.iter_mut().for_each(|stream| stream.1 += 1);
        let (ids, versions): (Vec<Uuid>, Vec<i32>) =
            streams.iter().map(|(id, version)| (id.uuid(), i32::try_from(*version).unwrap())).unzip();
        let insert = sqlx::query("SELECT bare($1, $2, $3, $4, $5, $6)").bind(ids).bind(versions);
        let insert = insert.bind(new_ids()).bind(new_ids()).bind(new_ids()).bind(vec![payload; size]);
        insert.fetch_one(&mut *conn).await.unwrap();
        events += size as u64;
    }
    rate(events, begun)
}

fn commit_on(product: ProductId, version: Version) -> Commit {
    Commit { command_id: Uuid::now_v7(), ..foreign(product, version, 12_345) }
}

/// The adapter alone, batch after batch.
async fn adapter(store: &PostgresStore, streams: &mut [(ProductId, Version)], new_streams: bool) -> f64 {
    let (begun, mut events) = (Instant::now(), 0);
    while begun.elapsed() < TURN {
        if new_streams {
            streams.iter_mut().for_each(|stream| *stream = (new_product(), 0));
        }
        let commits =
            streams.iter().map(|(product, version)| EncodedCommit::new(commit_on(*product, *version)));
        let answers = store.append_batch(Arc::new(commits.collect())).await.unwrap();
        for (stream, answer) in streams.iter_mut().zip(answers) {
            stream.1 = answer.unwrap().version;
            events += 1;
        }
    }
    rate(events, begun)
}

/// Callers who append one event each, to new streams or to their own again and again.
async fn grouped(log: &Log, streams: &mut [(ProductId, Version)], new_streams: bool) -> f64 {
    let begun = Instant::now();
    let callers = streams.iter().map(|(product, version)| {
        let (log, mut product, mut version) = (log.clone(), *product, *version);
        tokio::spawn(async move {
            let mut done = 0_u64;
            while begun.elapsed() < TURN {
                if new_streams {
                    (product, version) = (new_product(), 0);
                }
                version = log.append(commit_on(product, version)).await.unwrap().version;
                done += 1;
            }
            (product, version, done)
        })
    });
    let mut events = 0;
    let callers: Vec<_> = callers.collect();
    for (caller, stream) in callers.into_iter().zip(streams) {
        let (product, version, done) = caller.await.unwrap();
        *stream = (product, version);
        events += done;
    }
    rate(events, begun)
}

fn new_product() -> ProductId {
    ProductId::from_uuid(Uuid::now_v7())
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement; run it by name, with --release"]
async fn group_commit_figures() {
    let Some(cluster) = own_cluster(ClusterOptions { durable: true, ..Default::default() }) else { return };
    let database = migrated(&cluster.url("postgres"), "speed").await;
    let mut conn = database.pool().acquire().await.unwrap();
    conn.execute(BARE).await.unwrap();
    let store = PostgresStore::open(&database).await.unwrap();
    let log = log(&database).await;
    for size in [1, 64, 256] {
        let mut streams: Vec<_> = (0..size).map(|_| (new_product(), 0)).collect();
        for new_streams in [true, false] {
            let mut figures: [Vec<f64>; 3] = Default::default();
            for _ in 0..ROUNDS {
                figures[0].push(bare(&mut conn, &mut streams, new_streams).await);
                figures[1].push(adapter(&store, &mut streams, new_streams).await);
                figures[2].push(grouped(&log, &mut streams, new_streams).await);
            }
            let [bare, adapter, callers] = figures;
            let of_bare =
                |ours: &[f64]| median(ours.iter().zip(&bare).map(|(ours, bare)| ours / bare).collect());
            println!(
                "{size} on {} streams: bare {:.0} events/s; adapter {:.0}, {:.2} of bare; callers {:.0}, {:.2} of bare",
                if new_streams { "new" } else { "old" },
                median(bare.clone()),
                median(adapter.clone()),
                of_bare(&adapter),
                median(callers.clone()),
                of_bare(&callers),
            );
        }
    }
}
