//! The server goes away, or its answers do: what was answered is there, nothing is there twice, and everything goes on.

use std::{
    collections::HashMap,
    future::poll_fn,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use domain::Version;
use orderstream_eventlog::{
    AppendError, Appended, Commit, Log, LogError, LogOptions, RawEvent, Store, postgres::PostgresStore,
};
use scratch_postgres::ClusterOptions;
use sqlx::{Connection, Executor, postgres::PgConnection};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    proxy::Proxy,
    setup::{connect, log, log_with, migrated, own_cluster, own_database, schema},
    support::{foreign, product_id},
};

const WRITERS: usize = 8;

/// What was answered: where the commit of each command is.
type Answered = Vec<(Uuid, Appended)>;

/// Appends to a stream of its own until it is stopped; a commit of unknown outcome is sent again as it is.
fn writer(log: Log, stop: CancellationToken) -> JoinHandle<Answered> {
    tokio::spawn(async move {
        let product = product_id();
        let (mut answered, mut version) = (Answered::new(), 0);
        while !stop.is_cancelled() {
            let answer = persist(&log, foreign(product, version, version)).await;
            assert_eq!(answer.1.version, version + 1, "a stream of one writer");
            version = answer.1.version;
            answered.push(answer);
        }
        answered
    })
}

async fn persist(log: &Log, commit: Commit) -> (Uuid, Appended) {
    loop {
        match log.append(commit.clone()).await {
            Ok(appended) => return (commit.command_id, appended),
            Err(AppendError::Unavailable(_)) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn everything(store: &PostgresStore) -> Vec<RawEvent> {
    let mut all = Vec::new();
    loop {
        let page = store.read_all(all.len() as u64, 1_000).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Every answered commit is where the answer says, and there is nothing else.
async fn check(store: &PostgresStore, answered: &Answered) {
    let all = everything(store).await;
    assert!(all.iter().map(|event| event.position).eq(1..=all.len() as u64), "positions have gaps");
    let mut stored: HashMap<Uuid, (Version, u64)> = HashMap::new();
    for event in &all {
        let before = stored.insert(event.command_id, (event.version, event.position));
        assert_eq!(before, None, "command {} is there twice", event.command_id);
    }
    for (command, appended) in answered {
        let there = stored.get(command).copied();
        assert_eq!(there, Some((appended.version, appended.position)), "an answered append is lost");
    }
    assert_eq!(all.len(), answered.len(), "something was written that was never answered");
}

async fn stop_all(stop: CancellationToken, writers: Vec<JoinHandle<Answered>>) -> Answered {
    stop.cancel();
    let mut answered = Answered::new();
    for writer in writers {
        answered.extend(writer.await.unwrap());
    }
    answered
}

fn writers(log: &Log, stop: &CancellationToken) -> Vec<JoinHandle<Answered>> {
    (0..WRITERS).map(|_| writer(log.clone(), stop.clone())).collect()
}

/// The server answers before anything is on disk unless it is told otherwise, as a careless administrator has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_at_once_and_comes_back_loses_no_answered_append() {
    let careless = vec![("synchronous_commit".to_owned(), "off".to_owned())];
    let Some(cluster) = own_cluster(ClusterOptions { durable: false, settings: careless }) else { return };
    let database = migrated(&cluster.url("postgres"), "orderstream").await;
    let log = log(&database).await;
    let probe = PostgresStore::open(&database).await.unwrap();
    let stop = CancellationToken::new();
    let writing = writers(&log, &stop);
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cluster.stop_at_once().unwrap();
        let away = probe.has_room().await;
        assert!(matches!(away, Err(LogError::Unavailable(_))), "{away:?}");
        cluster.resume().unwrap();
        let mut head = log.subscribe_head();
        let position = *head.borrow_and_update();
        tokio::time::timeout(Duration::from_secs(10), head.wait_for(|now| *now > position))
            .await
            .expect("it goes on by itself")
            .unwrap();
        assert_eq!(probe.has_room().await, Ok(()));
    }
    let answered = stop_all(stop, writing).await;
    assert!(answered.len() > WRITERS * 4, "{} appends are too few to show anything", answered.len());
    check(&probe, &answered).await;
    let published = log.read_all(0, answered.len() + 1).await.unwrap();
    assert!(!published.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_answer_was_lost_is_asked_for_again_and_is_there_once() {
    let Some((url, database)) = own_database("lost_answers").await else { return };
    let port = scratch_postgres::for_tests().unwrap().port();
    let proxy = Proxy::start(port).await;
    let through =
        connect(&url.replace(&format!(":{port}/"), &format!(":{}/", proxy.port)), "orderstream").await;
    let options = LogOptions { retry_deadline: Duration::from_secs(20), ..LogOptions::default() };
    let log = log_with(&through, options).await;
    proxy.per_mille.store(60, Ordering::SeqCst);
    let stop = CancellationToken::new();
    let writing = writers(&log, &stop);
    let enough = async {
        while proxy.cuts.load(Ordering::SeqCst) < 60 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), enough).await.expect("connections are cut");
    let answered = stop_all(stop, writing).await;
    proxy.per_mille.store(0, Ordering::SeqCst);
    let repeated = answered.iter().filter(|(_, appended)| appended.duplicate).count();
    assert!(repeated > 0, "no answer of an append was lost");
    check(&PostgresStore::open(&database).await.unwrap(), &answered).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_an_administrator_ends_in_the_middle_are_opened_again() {
    let Some((url, database)) = own_database("ended_connections").await else { return };
    let log = log(&database).await;
    let stop = CancellationToken::new();
    let writing = writers(&log, &stop);
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let mut ended = 0;
    for _ in 0..15 {
        tokio::time::sleep(Duration::from_millis(60)).await;
        ended += admin.execute(sql).await.unwrap().rows_affected();
    }
    let answered = stop_all(stop, writing).await;
    assert!(ended > 15 && answered.len() > WRITERS, "{ended} ended, {} answered", answered.len());
    check(&PostgresStore::open(&database).await.unwrap(), &answered).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_waits_too_long_for_its_turn_is_unavailable_and_writes_nothing() {
    let Some((url, database)) = own_database("waiting").await else { return };
    let mut admin = PgConnection::connect(&url).await.unwrap();
    let lock = "SELECT pg_advisory_lock(hashtextextended('orderstream log orderstream', 0))";
    admin.execute(lock).await.unwrap();
    let log =
        log_with(&database, LogOptions { retry_deadline: Duration::ZERO, ..LogOptions::default() }).await;
    let begun = std::time::Instant::now();
    let commit = foreign(product_id(), 0, 1);
    let answer = log.append(commit.clone()).await;
    assert!(matches!(answer, Err(AppendError::Unavailable(_))), "{answer:?}");
    assert!(begun.elapsed() < Duration::from_secs(11), "{:?}", begun.elapsed());
    admin.execute("SELECT pg_advisory_unlock_all()").await.unwrap();
    let again = log.append(commit).await.unwrap();
    assert_eq!((again.version, again.position, again.duplicate), (1, 1, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_writes_is_not_ready() {
    let Some((url, database)) = own_database("reads_only").await else { return };
    let store = Arc::new(PostgresStore::open(&database).await.unwrap());
    assert_eq!(store.has_room().await, Ok(()));
    let mut admin = PgConnection::connect(&url).await.unwrap();
    admin.execute("ALTER DATABASE reads_only SET default_transaction_read_only = on").await.unwrap();
    let fresh = connect(&url, "orderstream").await;
    let store = PostgresStore::open(&fresh).await.unwrap();
    let said = store.has_room().await.unwrap_err().to_string();
    assert!(said.contains("takes no writes"), "{said}");
}

#[tokio::test]
async fn a_caller_that_hangs_up_in_the_middle_leaves_no_transaction_behind() {
    let Some(database) = schema("hung_up").await else { return };
    database.pool().execute("CREATE TABLE notes (note integer)").await.unwrap();
    let (mut outside, mut written) = (database.pool().acquire().await.unwrap().detach(), 0);
    for polls in 1..=100 {
        {
            let job = database.run_once(|conn| {
                Box::pin(async move {
                    let mut transaction = conn.begin().await?;
                    transaction.execute("LOCK TABLE notes IN EXCLUSIVE MODE").await?;
                    transaction.commit().await
                })
            });
            let mut job = pin!(job);
            // The caller hangs up in the middle, often of the transaction's beginning.
            for _ in 0..polls {
                if poll_fn(|context| Poll::Ready(job.as_mut().poll(context).is_ready())).await {
                    break;
                }
                tokio::task::yield_now().await;
            }
        }
        for _ in 0..4 {
            let note = database
                .run(|conn| Box::pin(async move { conn.execute("INSERT INTO notes VALUES (1)").await }));
            note.await.unwrap();
            written += 1;
        }
        let notes = sqlx::query("SELECT FROM notes").fetch_all(&mut outside).await.unwrap();
        assert_eq!(notes.len(), written, "what was answered was never committed");
    }
}
