//! Readers and writers at once.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{Fixture, commit, read_all, stream};
use crate::{Log, LogOptions, Store};

/// *Source*: trials missed events with 32 writers and positions that were handed out before the commit.
const WRITERS: u64 = 32;
const COMMITS_EACH: u64 = 40;

/// The promise to readers: 32 writers write at once, past the log's queue and through it, while a reader polls. Once it
/// has seen position N, nothing at or below N appears.
pub async fn a_reader_never_misses_an_event(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let log = Log::start(store.clone(), LogOptions::default()).await.expect("starts");
    let done = Arc::new(AtomicBool::new(false));
    let reader = tokio::spawn(poll(store.clone(), done.clone()));
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let (log, store) = (log.clone(), store.clone());
        writers.push(tokio::spawn(async move {
            for n in 0..COMMITS_EACH {
                let commit = commit(stream(writer), n * 3, writer * 10_000 + n, 3);
                let answer = if n % 4 == 0 {
                    super::append_one(&*store, commit).await
                } else {
                    log.append(commit).await
                };
                assert_eq!(answer.expect("appended").version, n * 3 + 3);
            }
        }));
    }
    for writer in writers {
        writer.await.expect("the writer lives");
    }
    done.store(true, Ordering::SeqCst);
    let seen = reader.await.expect("the reader lives");
    let stored: Vec<_> =
        read_all(&*store).await.iter().map(|event| (event.position, event.event_id)).collect();
    assert_eq!(stored.len() as u64, WRITERS * COMMITS_EACH * 3);
    assert_eq!(seen, stored, "the reader missed events, or saw some that went away");
    let published = log.read_all(0, stored.len() + 1).await.expect("read");
    assert_eq!(published.len(), stored.len());
    log.shutdown().await;
}

/// Polls until `done` and nothing is left.
async fn poll(store: Arc<dyn Store>, done: Arc<AtomicBool>) -> Vec<(u64, uuid::Uuid)> {
    let mut seen: Vec<(u64, uuid::Uuid)> = Vec::new();
    loop {
        let last_look = done.load(Ordering::SeqCst);
        let after = seen.last().map_or(0, |(position, _)| *position);
        let page = store.read_all(after, 64).await.expect("the store answers");
        for event in &page {
            let before = seen.last().map_or(0, |(position, _)| *position);
            assert!(event.position > before, "position {} came after {before}", event.position);
            seen.push((event.position, event.event_id));
        }
        if page.is_empty() && last_look {
            return seen;
        }
        tokio::task::yield_now().await;
    }
}

/// Whoever reads a stream while it is written sees whole commits, in order.
pub async fn a_stream_is_read_whole_while_it_grows(fixture: &dyn Fixture) {
    const COMMITS: u64 = 100;
    let store = fixture.open().await;
    let a = stream(1);
    let writer = {
        let store = store.clone();
        tokio::spawn(async move {
            for n in 0..COMMITS {
                super::append_one(&*store, commit(a, n * 5, n + 1, 5)).await.expect("appended");
            }
        })
    };
    let mut longest = 0;
    while longest < COMMITS * 5 {
        let events = store.read_stream(a, 0, 10_000).await.expect("read");
        let versions: Vec<_> = events.iter().map(|event| event.version).collect();
        let expected: Vec<_> = (1..=events.len() as u64).collect();
        assert_eq!(versions, expected);
        assert_eq!(events.len() % 5, 0, "half a commit was seen");
        assert!(events.len() as u64 >= longest, "the stream became shorter");
        longest = events.len() as u64;
    }
    writer.await.expect("the writer lives");
}
