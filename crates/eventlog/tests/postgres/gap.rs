//! No reader misses an event, however many processes write.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use orderstream_eventlog::{Store, postgres::PostgresStore};

use crate::{
    children,
    setup::{connect, log, schema},
    support::{foreign, product_id},
};

const PROCESSES: usize = 4;
const WRITERS_EACH: usize = 8;
const COMMITS_EACH: u64 = 60;

/// The work of a child: writers with a log, and so a connection, each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writer_process() {
    let Some(orders) = children::orders() else { return };
    let database = connect(&orders[0], &orders[1]).await;
    let writers = (0..WRITERS_EACH).map(|_| {
        let database = database.clone();
        tokio::spawn(async move {
            let log = log(&database).await;
            let product = product_id();
            let mut version = 0;
            while version < COMMITS_EACH {
                let mut commit = foreign(product, version, version);
                // Some commits have three events, so that positions are not taken one by one.
                for _ in 0..version % 3 {
                    commit.events.extend(foreign(product, 0, 1).events);
                }
                version = log.append(commit).await.unwrap().version;
            }
            log.shutdown().await;
            version
        })
    });
    let mut written = 0;
    for writer in writers.collect::<Vec<_>>() {
        written += writer.await.unwrap();
    }
    children::report(&written.to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_polling_reader_misses_nothing_of_32_writers_in_four_processes() {
    let Some(database) = schema("gap").await else { return };
    let url = scratch_postgres::for_tests().unwrap().url("postgres");
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&database).await.unwrap());
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(poll(store.clone(), done.clone()));
    let writers = (0..PROCESSES).map(|_| children::start("gap::writer_process", &[&url, "gap"])).collect();
    let written: u64 =
        children::finish(writers).await.iter().map(|count| count.parse::<u64>().unwrap()).sum();
    done.store(true, Ordering::SeqCst);
    let seen = reader.await.unwrap();
    assert!(written >= (PROCESSES * WRITERS_EACH) as u64 * COMMITS_EACH);
    assert_eq!(store.head().await, Ok(written));
    let stored = store.read_all(0, usize::try_from(written).unwrap() + 1).await.unwrap();
    let stored: Vec<_> = stored.iter().map(|event| (event.position, event.event_id)).collect();
    assert_eq!(seen.len(), stored.len(), "the reader missed events");
    assert!(seen == stored, "the reader saw events that went away");
    assert!(seen.iter().map(|(position, _)| *position).eq(1..=written), "positions have gaps");
}

/// Reads what is behind the last position seen, and never looks back.
async fn poll(store: Arc<dyn Store>, done: Arc<AtomicBool>) -> Vec<(u64, uuid::Uuid)> {
    let mut seen: Vec<(u64, uuid::Uuid)> = Vec::new();
    loop {
        let last_look = done.load(Ordering::SeqCst);
        let after = seen.last().map_or(0, |(position, _)| *position);
        let page = store.read_all(after, 1_000).await.unwrap();
        let nothing = page.is_empty();
        seen.extend(page.iter().map(|event| (event.position, event.event_id)));
        if nothing && last_look {
            return seen;
        }
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}
