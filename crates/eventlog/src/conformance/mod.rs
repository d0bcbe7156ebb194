//! What every adapter must do, as checks that run against any of them. A check panics with what it found.
//!
//! An adapter's tests implement [`Fixture`] and call each check with a fresh one.

mod answers;
mod concurrency;
mod durability;
mod model;

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Actor, AggregateKind, Partition, ProductId, StreamId, Timestamp, Version,
    ids::new_uuid,
    product::{ProductEvent, ProductRestocked},
};
use uuid::Uuid;

pub use self::{
    answers::{
        a_chained_commit_behind_a_failed_one_conflicts, a_command_id_with_other_content_is_refused,
        a_wrong_version_conflicts_and_names_the_right_one, an_empty_commit_asserts_and_asks,
        commits_of_one_stream_build_on_each_other_in_a_batch, everything_comes_back_as_it_was_stored,
        the_same_command_is_written_once, versions_and_positions_have_no_gaps,
    },
    concurrency::{a_reader_never_misses_an_event, a_stream_is_read_whole_while_it_grows},
    durability::{a_big_stream_is_read_in_pages, answered_commits_survive_an_end_without_shutdown},
    model::random_batches_are_answered_as_by_a_simple_model,
};
use crate::{AppendError, Appended, Commit, EncodedCommit, NewEvent, RawEvent, Store};

/// A test for each check: `$fixture` is called with the check's name and gives a fresh [`Fixture`], or none to skip it.
#[macro_export]
macro_rules! conformance_tests {
    ($fixture:path) => {
        $crate::conformance_tests! { $fixture;
            versions_and_positions_have_no_gaps,
            a_wrong_version_conflicts_and_names_the_right_one,
            the_same_command_is_written_once,
            a_command_id_with_other_content_is_refused,
            an_empty_commit_asserts_and_asks,
            commits_of_one_stream_build_on_each_other_in_a_batch,
            a_chained_commit_behind_a_failed_one_conflicts,
            everything_comes_back_as_it_was_stored,
            a_reader_never_misses_an_event,
            a_stream_is_read_whole_while_it_grows,
            a_big_stream_is_read_in_pages,
            answered_commits_survive_an_end_without_shutdown,
            random_batches_are_answered_as_by_a_simple_model,
        }
    };
    ($fixture:path; $($check:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $check() {
            if let Some(fixture) = $fixture(stringify!($check)).await {
                $crate::conformance::$check(&fixture).await;
            }
        }
    )*};
}

/// One empty log, and how it is opened.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// Opens the log; called again after the store before was dropped.
    async fn open(&self) -> Arc<dyn Store>;
}

/// An id that no other call gives, in the order of `number`.
fn id(number: u64) -> Uuid {
    new_uuid(time(0), number, Partition::of(Uuid::nil()))
}

fn time(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(1_750_000_000_000_000 + micros).expect("a time of this century")
}

fn stream(number: u64) -> StreamId {
    StreamId::new(AggregateKind::Product, ProductId::from_uuid(id(1_000_000 + number)).uuid())
}

/// A commit of `count` events on `stream`, whose content follows from `command`.
fn commit(stream: StreamId, expected_version: Version, command: u64, count: usize) -> Commit {
    let event = |ordinal: u64| {
        let quantity = command * 1_000 + ordinal;
        NewEvent {
            event_id: id(quantity + (1 << 40)),
            event: ProductEvent::from(ProductRestocked { quantity }).into(),
        }
    };
    Commit {
        stream,
        expected_version,
        events: (0..count as u64).map(event).collect(),
        command_id: id(2_000_000_000 + command),
        correlation_id: stream.id,
        causation_id: None,
        actor: Actor::System,
        recorded_at: time(0),
        traceparent: None,
    }
}

type Answer = Result<Appended, AppendError>;

async fn append(store: &dyn Store, commits: impl IntoIterator<Item = Commit>) -> Vec<Answer> {
    let commits = commits.into_iter().map(EncodedCommit::new).collect();
    store.append_batch(Arc::new(commits)).await.expect("the store answers")
}

async fn append_one(store: &dyn Store, commit: Commit) -> Answer {
    let mut answers = append(store, [commit]).await;
    assert_eq!(answers.len(), 1, "one answer for one commit");
    answers.remove(0)
}

async fn read_all(store: &dyn Store) -> Vec<RawEvent> {
    let mut all = Vec::new();
    loop {
        let after = all.last().map_or(0, |event: &RawEvent| event.position);
        let page = store.read_all(after, 1_000).await.expect("the store answers");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

fn new(version: u64, position: u64) -> Answer {
    Ok(Appended { version, position, duplicate: false })
}

fn repeated(version: u64, position: u64) -> Answer {
    Ok(Appended { version, position, duplicate: true })
}

fn conflict(stream: StreamId, expected: u64, actual: u64) -> Answer {
    Err(AppendError::Conflict { stream, expected, actual })
}
