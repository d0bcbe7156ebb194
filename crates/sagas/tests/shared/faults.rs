//! What goes wrong: processes that stand still, a server that is away, a log that went back.

use std::{sync::atomic::Ordering::SeqCst, time::Duration};

use orderstream_sagas::{ProcessStatus, SagaError, Sagas, process_names};
use sqlx::{Connection, Executor, PgConnection, Row};
use tokio::time::Instant;

use crate::{
    crew::{Crew, LONG, PATIENCE, SHORT},
    proxy::Proxy,
    support::{Schema, Wish},
};

async fn status_of(sagas: &Sagas, process: &str) -> ProcessStatus {
    let status = sagas.status().await.unwrap();
    status.into_iter().find(|status| status.name == process).unwrap()
}

#[tokio::test]
async fn who_stood_still_for_too_long_changes_nothing_and_has_its_share_again() {
    let Some(mut crew) = Crew::new(SHORT).await else { return };
    let (a, b) = (crew.join("a").await, crew.join("b").await);
    crew.shared_by(&["a", "b"]).await;
    for _ in 0..2 {
        crew.place(20).await;
        // In the middle of its work.
        let standing_still = b.pause();
        crew.place(20).await;
        let took = crew.shared_by(&["a"]).await;
        eprintln!("taken over from who stands still after {took:?}, leases last {SHORT:?}");
        crew.settle().await;
        drop(standing_still);
        crew.place(20).await;
        crew.shared_by(&["a", "b"]).await;
    }
    crew.settle().await;
    crew.all_confirmed_once().await;
    assert!(status_of(&b.sagas, "checkout").await.trouble.is_none());
    a.leave().await;
    b.leave().await;
}

#[tokio::test]
async fn a_write_for_a_slot_that_somebody_else_has_is_refused_and_its_writer_begins_anew() {
    let Some(mut crew) = Crew::new(LONG).await else { return };
    let a = crew.join("a").await;
    crew.place(5).await;
    crew.settle().await;
    let database = crew.schema.database.clone();
    let stored = async || {
        let sql = "SELECT (SELECT sum(position)::bigint FROM checkpoints WHERE process = 'checkout'), \
            (SELECT count(*) FROM instances WHERE process = 'checkout')";
        let row = sqlx::query(sql).fetch_one(database.pool()).await.unwrap();
        (row.get::<i64, _>(0), row.get::<i64, _>(1))
    };
    let before = stored().await;
    crew.steal("checkout", Duration::from_secs(2)).await;
    crew.place(5).await;
    let begun = Instant::now();
    while !status_of(&a.sagas, "checkout").await.trouble.is_some_and(|trouble| trouble.contains("lease")) {
        assert!(begun.elapsed() < Duration::from_secs(2), "its write was not refused");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(stored().await, before, "nothing was written");
    crew.shared_by(&["a"]).await;
    crew.settle().await;
    crew.all_confirmed_once().await;
    assert!(status_of(&a.sagas, "checkout").await.trouble.is_none());
    a.leave().await;
}

#[tokio::test]
async fn who_has_lost_a_slot_begins_no_further_step_of_it() {
    let Some(crew) = Crew::new(SHORT).await else { return };
    let other = crew.world.list(50, Some(10)).await;
    let order = crew.world.place(Wish::of(&crew.world).lines(&[(crew.pizza, 1, 700), (other, 1, 50)])).await;
    // Nothing is appended while somebody has the log's lock.
    let mut log_lock = crew.schema.database.pool().acquire().await.unwrap();
    let lock = "SELECT pg_advisory_lock(hashtextextended('orderstream log ' || current_schema(), 0))";
    sqlx::query(lock).execute(&mut *log_lock).await.unwrap();
    let a = crew.join_to_run("a", &["checkout"]).await;
    let waits = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())         AND (classid, objid) = (SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())";
    crew.world
        .until("the first step is under way", async || {
            sqlx::query(waits).fetch_all(&mut *log_lock).await.unwrap().len() == 1
        })
        .await;
    crew.steal("checkout", Duration::from_secs(60)).await;
    crew.world.until("a knows", async || crew.holders("checkout").await.values().sum::<u64>() == 0).await;
    tokio::time::sleep(SHORT).await;
    sqlx::query("SELECT pg_advisory_unlock_all()").execute(&mut *log_lock).await.unwrap();
    crew.world.seen(order, "product.stock_reserved", 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(crew.world.events_of(order).await, ["order.placed", "product.stock_reserved"]);
    crew.schema.expire().await;
    crew.world.seen(order, "payment.requested", 1).await;
    let reserved =
        crew.world.events_of(order).await.iter().filter(|name| **name == "product.stock_reserved").count();
    assert_eq!(reserved, 2, "the rest is done by whoever has the slot, and nothing twice");
    a.leave().await;
}

#[tokio::test]
async fn answers_that_are_lost_on_the_way_double_nothing() {
    let Some(mut crew) = Crew::new(SHORT).await else { return };
    let server = scratch_postgres::for_tests().unwrap().port();
    let proxy = Proxy::start(server).await;
    let url = crew.schema.url.replace(&format!(":{server}/"), &format!(":{}/", proxy.port));
    let a = crew.join_over(&url, "a", process_names()).await.unwrap();
    let b = crew.join_over(&url, "b", process_names()).await.unwrap();
    crew.shared_by(&["a", "b"]).await;
    proxy.per_mille.store(8, SeqCst);
    for _ in 0..5 {
        crew.place(30).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    proxy.per_mille.store(0, SeqCst);
    crew.settle().await;
    eprintln!("{} answers were lost, each with its connection", proxy.cuts.load(SeqCst));
    crew.all_confirmed_once().await;
    crew.shared_by(&["a", "b"]).await;
    a.leave().await;
    b.leave().await;
}

#[tokio::test]
async fn a_server_that_ends_at_once_and_comes_back_is_survived_without_a_restart() {
    let Some(cluster) = scratch_postgres::for_one_test(100) else { return };
    let mut admin = PgConnection::connect(&cluster.url("postgres")).await.unwrap();
    admin.execute("CREATE DATABASE shop").await.unwrap();
    let mut crew = Crew::on(Schema::with_log_at(&cluster.url("shop")).await, SHORT).await;
    let (a, b) = (crew.join("a").await, crew.join("b").await);
    crew.shared_by(&["a", "b"]).await;
    crew.place(100).await;
    cluster.stop_at_once().unwrap();
    let begun = Instant::now();
    let in_trouble = async || match a.sagas.status().await {
        Ok(status) => status.iter().any(|process| process.trouble.is_some()),
        Err(_) => true,
    };
    while !in_trouble().await {
        assert!(begun.elapsed() < PATIENCE, "nobody says that the server is away");
    }
    tokio::time::sleep(SHORT * 2).await;
    cluster.resume().unwrap();
    let begun = Instant::now();
    crew.place(100).await;
    crew.settle().await;
    eprintln!("all orders were done {:?} after the server came back", begun.elapsed());

    // Somebody keeps us out of the database for a while.
    let mut admin = PgConnection::connect(&cluster.url("postgres")).await.unwrap();
    admin.execute("ALTER DATABASE shop ALLOW_CONNECTIONS false").await.unwrap();
    let end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop'";
    admin.execute(end_all).await.unwrap();
    tokio::time::sleep(SHORT).await;
    assert!(in_trouble().await);
    admin.execute("ALTER DATABASE shop ALLOW_CONNECTIONS true").await.unwrap();
    crew.place(20).await;
    crew.settle().await;
    crew.shared_by(&["a", "b"]).await;
    crew.all_confirmed_once().await;
    for sagas in [&a.sagas, &b.sagas] {
        let status = sagas.status().await.unwrap();
        assert!(status.iter().all(|process| process.running && process.trouble.is_none()), "{status:#?}");
    }
    a.leave().await;
    b.leave().await;
}

#[tokio::test]
async fn a_log_that_went_back_stops_whoever_had_read_further_and_says_so() {
    let Some(mut crew) = Crew::new(SHORT).await else { return };
    let a = crew.join("a").await;
    crew.place(5).await;
    crew.settle().await;
    a.leave().await;
    let set = "UPDATE checkpoints SET position = position + 1000 WHERE process = 'checkout' AND slot";
    crew.schema.run(&format!("{set} BETWEEN 10 AND 63")).await;
    let refused = crew.try_to_join("a", &["checkout"]).await.err();
    let said = refused.map(|error| error.to_string()).unwrap_or_default();
    assert!(said.contains("went back") && said.contains("the log ends at"), "{said}");

    // One slot, behind the others, whose event is another one now.
    crew.schema
        .run("UPDATE checkpoints SET position = position - 1000 WHERE process = 'checkout' AND slot >= 10;
              UPDATE checkpoints SET position = 3, event_id = gen_random_uuid() WHERE process = 'checkout' AND slot = 7")
        .await;
    let a = crew.join("a").await;
    let begun = Instant::now();
    let stopped = loop {
        let status = status_of(&a.sagas, "checkout").await;
        if !status.running {
            break status;
        }
        assert!(begun.elapsed() < PATIENCE, "{status:#?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    let trouble = stopped.trouble.unwrap();
    assert!(trouble.contains("went back"), "{trouble}");
    assert!(crew.holders("checkout").await.is_empty(), "it keeps no slots");
    assert!(status_of(&a.sagas, "payments").await.running, "others have not read that far");
    let refused = a.sagas.retry("checkout", crew.orders[0].uuid()).await;
    assert!(matches!(refused, Err(SagaError::NotStuck { .. })), "{refused:?}");
    a.leave().await;
}
