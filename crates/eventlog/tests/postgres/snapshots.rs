//! Snapshots in PostgreSQL.

use std::time::Duration;

use domain::StreamId;
use orderstream_eventlog::{Snapshot, SnapshotStore, postgres::PostgresSnapshots};

use crate::{
    setup::schema,
    support::{product_id, stream_of},
};

fn snapshot(version: u64, fold_version: u32) -> Snapshot {
    Snapshot { version, fold_version, state: format!("{{\"at\":{version}}}").into_bytes() }
}

/// Stores it and waits until that has had its effect, if it has one.
async fn stored(snapshots: &PostgresSnapshots, stream: StreamId, new: Snapshot) -> Option<Snapshot> {
    snapshots.store(stream, new.clone());
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let kept = snapshots.load(stream).await.unwrap();
        if kept.as_ref() == Some(&new) {
            return kept;
        }
    }
    snapshots.load(stream).await.unwrap()
}

#[tokio::test]
async fn an_older_snapshot_never_replaces_a_newer_one_of_the_same_fold() {
    let Some(database) = schema("snapshots_kept").await else { return };
    let snapshots = PostgresSnapshots::new(database);
    let stream = stream_of(product_id());
    assert_eq!(snapshots.load(stream).await.unwrap(), None);
    assert_eq!(stored(&snapshots, stream, snapshot(512, 1)).await, Some(snapshot(512, 1)));
    assert_eq!(stored(&snapshots, stream, snapshot(1_024, 1)).await, Some(snapshot(1_024, 1)));
    assert_eq!(stored(&snapshots, stream, snapshot(512, 1)).await, Some(snapshot(1_024, 1)));
    assert_eq!(stored(&snapshots, stream, snapshot(512, 2)).await, Some(snapshot(512, 2)), "another fold");
    assert_eq!(snapshots.load(stream_of(product_id())).await.unwrap(), None);
}
