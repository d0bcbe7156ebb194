//! What is left after the end of a process, and long streams.

use std::collections::HashMap;

use super::{Fixture, append, commit, read_all, stream};
use crate::{Log, LogOptions};

/// A process that ends without a word in the middle of its batches: every answered commit is there, none is half there,
/// and sending them all again completes them without writing any twice.
pub async fn answered_commits_survive_an_end_without_shutdown(fixture: &dyn Fixture) {
    const COMMITS: u64 = 600;
    let answered = {
        let log = Log::start(fixture.open().await, LogOptions::default()).await.expect("starts");
        let pending: Vec<_> = (0..COMMITS).map(|n| log.enqueue(commit(stream(n), 0, n + 1, 3))).collect();
        let mut answered = Vec::new();
        for (n, pending) in pending.into_iter().enumerate().take(COMMITS as usize / 4) {
            answered.push((n as u64, pending.await.expect("appended")));
        }
        answered
    };
    let store = fixture.open().await;
    let mut found: HashMap<_, Vec<_>> = HashMap::new();
    for event in read_all(&*store).await {
        found.entry(event.stream_id).or_default().push((event.version, event.position));
    }
    for (id, versions) in &found {
        assert_eq!(versions.len(), 3, "stream {id} has half a commit");
    }
    for (n, answer) in answered {
        let last = found.get(&stream(n).id).and_then(|versions| versions.last());
        assert_eq!(last, Some(&(answer.version, answer.position)), "answered commit {n} is lost");
    }
    for first in (0..COMMITS).step_by(200) {
        let again = append(&*store, (first..first + 200).map(|n| commit(stream(n), 0, n + 1, 3))).await;
        assert!(again.iter().all(Result::is_ok), "{again:?}");
    }
    assert_eq!(store.head().await, Ok(COMMITS * 3));
}

/// A stream of 20,000 events is read in pages.
pub async fn a_big_stream_is_read_in_pages(fixture: &dyn Fixture) {
    const EVENTS: u64 = 20_000;
    let store = fixture.open().await;
    let a = stream(1);
    for n in 0..EVENTS / 1_000 {
        let answers =
            append(&*store, (0..5).map(|k| commit(a, n * 1_000 + k * 200, n * 5 + k + 1, 200))).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }
    let mut version = 0;
    while version < EVENTS {
        let page = store.read_stream(a, version, 700).await.expect("read");
        assert!(!page.is_empty(), "the stream ends at {version}");
        for event in page {
            version += 1;
            assert_eq!((event.version, event.position), (version, version));
        }
    }
    assert_eq!(store.read_stream(a, EVENTS, 10).await, Ok(vec![]));
    assert_eq!(store.read_stream(a, EVENTS - 1, 10).await.map(|events| events.len()), Ok(1));
}
