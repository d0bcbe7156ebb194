//! Turns at a stream that several processes write to.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use orderstream_eventlog::{Store, postgres::PostgresStore};
use sqlx::{Connection, Row, postgres::PgConnection};
use tokio::time::timeout;

use crate::{
    setup::own_database,
    support::{product_id, stream_of},
};

const SOON: Duration = Duration::from_millis(100);
/// How long the machine may stand still.
const PATIENCE: Duration = Duration::from_secs(20);
/// Whoever waits for a turn goes without after a second, and so does one whom the machine keeps from it: asked again.
const TRIES: usize = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_is_one_process_at_a_time_and_ends_with_its_holder() {
    let Some((url, database)) = own_database("turns").await else { return };
    // Each with connections of its own, as in processes of their own.
    let other = crate::setup::connect(&url, "orderstream").await;
    let a = Arc::new(PostgresStore::open(&database).await.unwrap());
    let b = Arc::new(PostgresStore::open(&other).await.unwrap());
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let stream = stream_of(product_id());
    let held = a.turn(stream).await.expect("nobody else wants it");
    assert!(b.turn(stream_of(product_id())).await.is_some(), "another stream is another matter");
    drop(held);

    let mut came = false;
    for _ in 0..TRIES {
        nothing_is_open(&mut admin).await;
        let Some(held) = a.turn(stream).await else { continue };
        let b = b.clone();
        let mut waiting = tokio::spawn(async move { b.turn(stream).await.is_some() });
        if let Ok(early) = timeout(SOON, &mut waiting).await {
            assert!(!early.unwrap(), "two have it at once");
            continue;
        }
        drop(held);
        came = timeout(PATIENCE, waiting).await.expect("nobody waits that long").unwrap();
        if came {
            break;
        }
    }
    assert!(came, "its turn never comes");

    let mut quickest = Duration::MAX;
    for _ in 0..TRIES {
        // Given back by a turn that was dropped at once, and by one who went without.
        nothing_is_open(&mut admin).await;
        let Some(_held) = a.turn(stream).await else { continue };
        let begun = Instant::now();
        assert!(b.turn(stream).await.is_none(), "who waits too long goes without");
        quickest = quickest.min(begun.elapsed());
        if quickest < SOON * 20 {
            break;
        }
    }
    assert!(quickest < SOON * 20, "{quickest:?}");

    // Whoever stops waiting leaves nothing behind.
    nothing_is_open(&mut admin).await;
    let held = a.turn(stream).await.expect("given back");
    assert!(timeout(SOON / 2, b.turn(stream)).await.is_err());
    drop(held);
    nothing_is_open(&mut admin).await;
    assert!(a.turn(stream).await.is_some());
    nothing_is_open(&mut admin).await;
}

/// Waits until every turn is given back.
async fn nothing_is_open(admin: &mut PgConnection) {
    let open =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL
                AND pid <> pg_backend_pid()";
    let begun = Instant::now();
    while sqlx::query(open).fetch_one(&mut *admin).await.unwrap().get::<i64, _>(0) > 0 {
        assert!(begun.elapsed() < PATIENCE, "a transaction was left open");
        tokio::time::sleep(SOON / 10).await;
    }
}
