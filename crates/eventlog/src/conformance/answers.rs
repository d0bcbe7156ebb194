//! What a commit is answered.

use std::sync::Arc;

use super::{Fixture, append, append_one, commit, conflict, id, new, read_all, repeated, stream, time};
use crate::{AppendError, Commit, EncodedCommit};

/// Versions count per stream, positions over all, both from one and without gaps.
pub async fn versions_and_positions_have_no_gaps(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    assert_eq!(store.head().await, Ok(0));
    let (a, b) = (stream(1), stream(2));
    assert_eq!(append_one(&*store, commit(a, 0, 1, 3)).await, new(3, 3));
    let answers = append(&*store, [commit(b, 0, 2, 2), commit(a, 3, 3, 1)]).await;
    assert_eq!(answers, [new(2, 5), new(4, 6)]);
    assert_eq!(store.head().await, Ok(6));
    let all = read_all(&*store).await;
    let places: Vec<_> = all.iter().map(|e| (e.position, e.stream_id, e.version)).collect();
    assert_eq!(places, [(1, a.id, 1), (2, a.id, 2), (3, a.id, 3), (4, b.id, 1), (5, b.id, 2), (6, a.id, 4)]);
    let of_a: Vec<_> = store.read_stream(a, 1, 2).await.expect("read").iter().map(|e| e.version).collect();
    assert_eq!(of_a, [2, 3]);
    assert_eq!(store.read_all(6, 10).await, Ok(vec![]));
    assert_eq!(store.read_stream(stream(3), 0, 10).await, Ok(vec![]));
}

/// A commit that was decided on another version is not written, and the answer names the version.
pub async fn a_wrong_version_conflicts_and_names_the_right_one(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let a = stream(1);
    assert_eq!(append_one(&*store, commit(a, 1, 1, 1)).await, conflict(a, 1, 0));
    assert_eq!(append_one(&*store, commit(a, 0, 2, 2)).await, new(2, 2));
    assert_eq!(append_one(&*store, commit(a, 0, 3, 1)).await, conflict(a, 0, 2));
    let answers = append(&*store, [commit(a, 1, 4, 1), commit(stream(2), 0, 5, 1), commit(a, 2, 6, 1)]).await;
    assert_eq!(answers, [conflict(a, 1, 2), new(1, 3), new(3, 4)], "each commit fares by itself");
    assert_eq!(store.head().await, Ok(4));
}

/// The same command twice, in one batch, later, or after a restart: written once, answered the same.
pub async fn the_same_command_is_written_once(fixture: &dyn Fixture) {
    let (a, b) = (stream(1), stream(2));
    {
        let store = fixture.open().await;
        let answers = append(&*store, [commit(a, 0, 1, 2), commit(a, 0, 1, 2), commit(b, 0, 1, 2)]).await;
        assert_eq!(answers, [new(2, 2), repeated(2, 2), new(2, 4)], "a command id is unique per stream");
        assert_eq!(append_one(&*store, commit(a, 2, 2, 3)).await, new(5, 7));
        assert_eq!(
            append_one(&*store, commit(a, 5, 1, 2)).await,
            repeated(2, 2),
            "the version does not matter"
        );
        store.close().await;
    }
    let store = fixture.open().await;
    let answers = append(&*store, [commit(a, 0, 1, 2), commit(a, 2, 2, 3), commit(a, 5, 3, 1)]).await;
    assert_eq!(answers, [repeated(2, 2), repeated(5, 7), new(6, 8)]);
    assert_eq!(store.head().await, Ok(8));
}

/// The same command id with other events is a bug, and the answer says so.
pub async fn a_command_id_with_other_content_is_refused(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let a = stream(1);
    let reused = |version| {
        Err(AppendError::CommandIdReused { stream: a, command_id: commit(a, 0, 1, 0).command_id, version })
    };
    let other = |expected| Commit { command_id: commit(a, 0, 1, 0).command_id, ..commit(a, expected, 9, 2) };
    let answers = append(&*store, [commit(a, 0, 1, 2), other(2)]).await;
    assert_eq!(answers, [new(2, 2), reused(2)]);
    assert_eq!(append_one(&*store, other(2)).await, reused(2));
    assert_eq!(append_one(&*store, commit(a, 2, 1, 1)).await, reused(2), "fewer events are other content");
    assert_eq!(append_one(&*store, commit(a, 2, 1, 3)).await, reused(2), "more events are other content");
    assert_eq!(append_one(&*store, commit(a, 2, 2, 1)).await, new(3, 3));
    assert_eq!(
        append_one(&*store, commit(a, 3, 1, 3)).await,
        reused(2),
        "what comes behind belongs to another command"
    );
    assert_eq!(store.head().await, Ok(3));
}

/// A commit without events asserts the version and asks for the command id.
pub async fn an_empty_commit_asserts_and_asks(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let a = stream(1);
    assert_eq!(append_one(&*store, commit(a, 0, 1, 0)).await, new(0, 0));
    assert_eq!(append_one(&*store, commit(a, 4, 1, 0)).await, conflict(a, 4, 0));
    let answers =
        append(&*store, [commit(a, 0, 1, 2), commit(a, 2, 2, 0), commit(a, 0, 3, 0), commit(a, 7, 1, 0)])
            .await;
    assert_eq!(answers, [new(2, 2), new(2, 2), conflict(a, 0, 2), repeated(2, 2)]);
    append_one(&*store, commit(stream(2), 0, 4, 3)).await.expect("a new stream");
    assert_eq!(append_one(&*store, commit(a, 2, 5, 0)).await, new(2, 2), "the position is the stream's");
    assert_eq!(append_one(&*store, commit(a, 2, 6, 1)).await, new(3, 6), "an empty commit leaves no trace");
    assert_eq!(append_one(&*store, commit(a, 9, 1, 0)).await, repeated(2, 2));
}

/// Several commits of one stream in a batch, each on top of the one before it.
pub async fn commits_of_one_stream_build_on_each_other_in_a_batch(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let a = stream(1);
    let many = (0..100).map(|n| commit(a, n * 2, n + 1, 2));
    let answers = append(&*store, many).await;
    let expected: Vec<_> = (1..=100).map(|n| new(n * 2, n * 2)).collect();
    assert_eq!(answers, expected);
    let answers =
        append(&*store, [commit(a, 100, 200, 1), commit(a, 101, 201, 1), commit(a, 200, 202, 1)]).await;
    assert_eq!(answers, [conflict(a, 100, 200), conflict(a, 101, 200), new(201, 201)]);
}

/// A commit that was decided on one that conflicts must not be written, even when its version fits by chance.
pub async fn a_chained_commit_behind_a_failed_one_conflicts(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let a = stream(1);
    // Decided at version 0: one commit, and another on top of it. Meanwhile somebody else wrote version 1.
    append_one(&*store, commit(a, 0, 1, 1)).await.expect("a new stream");
    let mut ours: Vec<_> =
        [commit(a, 0, 2, 1), commit(a, 1, 3, 1)].into_iter().map(EncodedCommit::new).collect();
    ours[1].chained = true;
    let answers = store.append_batch(Arc::new(ours.clone())).await.expect("the store answers");
    assert_eq!(answers, [conflict(a, 0, 1), conflict(a, 1, 1)]);
    ours[1].chained = false;
    let answers = store.append_batch(Arc::new(ours)).await.expect("the store answers");
    assert_eq!(answers, [conflict(a, 0, 1), new(2, 2)], "by itself it fits");
    // A repeat in front leaves the state where it was, so what builds on it as if it were new is wrong, too.
    let mut ours: Vec<_> =
        [commit(a, 2, 1, 1), commit(a, 2, 4, 1)].into_iter().map(EncodedCommit::new).collect();
    ours[1].chained = true;
    let answers = store.append_batch(Arc::new(ours)).await.expect("the store answers");
    assert_eq!(answers, [repeated(1, 1), conflict(a, 2, 2)]);
}

/// Everything that stands beside an event comes back, to the microsecond.
pub async fn everything_comes_back_as_it_was_stored(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let full = Commit {
        causation_id: Some(id(77)),
        actor: "customer:alice".parse().expect("an actor"),
        recorded_at: time(123_456),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        ..commit(stream(1), 0, 1, 2)
    };
    let bare = commit(stream(2), 0, 2, 1);
    append(&*store, [full.clone(), bare.clone()]).await;
    let envelopes = |commit: Commit, last| EncodedCommit::new(commit).into_envelopes(last);
    let expected: Vec<_> = envelopes(full, 2).into_iter().chain(envelopes(bare, 3)).collect();
    let stored: Vec<_> =
        read_all(&*store).await.into_iter().map(|raw| Arc::new(raw.decode().expect("decodes"))).collect();
    assert_eq!(stored, expected);
}
