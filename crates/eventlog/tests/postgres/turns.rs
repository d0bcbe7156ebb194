//! Turns at a stream that several processes write to.

use std::{sync::Arc, time::Duration};

use orderstream_eventlog::{Store, postgres::PostgresStore};
use sqlx::{Connection, Row, postgres::PgConnection};

use crate::{
    setup::own_database,
    support::{product_id, stream_of},
};

const SOON: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_is_one_process_at_a_time_and_ends_with_its_holder() {
    let Some((url, database)) = own_database("turns").await else { return };
    // Each with connections of its own, as in processes of their own.
    let other = crate::setup::connect(&url, "orderstream").await;
    let a = Arc::new(PostgresStore::open(&database).await.unwrap());
    let b = Arc::new(PostgresStore::open(&other).await.unwrap());
    let stream = stream_of(product_id());
    let held = a.turn(stream).await.expect("nobody else wants it");
    assert!(b.turn(stream_of(product_id())).await.is_some(), "another stream is another matter");
    let waiting = {
        let b = b.clone();
        tokio::spawn(async move { b.turn(stream).await.is_some() })
    };
    tokio::time::sleep(SOON).await;
    assert!(!waiting.is_finished());
    drop(held);
    assert!(tokio::time::timeout(SOON * 5, waiting).await.expect("its turn comes").unwrap());

    let held = a.turn(stream).await.expect("given back by a turn that was dropped at once");
    let begun = std::time::Instant::now();
    assert!(b.turn(stream).await.is_none(), "who waits too long goes without");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    // Whoever stops waiting leaves nothing behind.
    assert!(tokio::time::timeout(SOON, b.turn(stream)).await.is_err());
    drop(held);
    assert!(a.turn(stream).await.is_some());
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let open =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL
                AND pid <> pg_backend_pid()";
    let mut left = 1;
    for _ in 0..20 {
        left = sqlx::query(open).fetch_one(&mut admin).await.unwrap().get::<i64, _>(0);
        if left == 0 {
            break;
        }
        tokio::time::sleep(SOON).await;
    }
    assert_eq!(left, 0, "a transaction was left open");
}
