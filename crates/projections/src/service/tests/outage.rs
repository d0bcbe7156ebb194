//! The database goes away and comes back.

use std::time::{Duration, Instant};

use eventlog::{StoreError, postgres::DatabaseOptions};
use scratch_postgres::{Binaries, Cluster, ClusterOptions};

use super::{PATIENCE, Place, all_at, append};
use crate::{
    ListQuery, Orders, VerifyReport, ViewError, ViewOptions, Views,
    testing::{crowd, places},
    view_names,
};

/// A server of its own, since others must not lose theirs.
fn server() -> Option<Cluster> {
    scratch_postgres::for_tests()?;
    Some(Cluster::start(Binaries::find()?, ClusterOptions::default()).unwrap())
}

async fn unavailable_within_three_seconds(views: &Views) {
    let begun = Instant::now();
    let error = views.list::<Orders>(ListQuery::newest(1)).await.unwrap_err();
    assert!(matches!(error, ViewError::Store(StoreError::Unavailable(_))), "{error:?}");
    assert!(error.is_passing());
    assert!(begun.elapsed() < Duration::from_secs(3), "the answer took {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_crashes_and_comes_back_leaves_every_event_counted_once() {
    let Some(server) = server() else { return };
    let schema = DatabaseOptions { url: server.url("postgres"), schema: "views".to_owned(), connections: 8 };
    places::prepare(&schema).await;
    let place = Place { database: Some(schema), ..Place::with_a_file().await };
    let options = ViewOptions { live_window: 50, ..ViewOptions::default() };
    let worker = place.views_with(options.clone()).await;
    let stand_by = place.views_with(options).await;
    worker.start(view_names());
    stand_by.start(view_names());
    let history = crowd(71, 600);
    let folded = || worker.position("orders").max(stand_by.position("orders"));
    for (round, part) in history.commits.chunks(history.commits.len().div_ceil(3)).enumerate() {
        let (before, log, part) = (folded(), place.log.clone(), part.to_vec());
        let appending = tokio::spawn(async move {
            for some in part.chunks(60) {
                append(&log, some).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let begun = Instant::now();
        while folded() <= before {
            assert!(begun.elapsed() < PATIENCE, "nothing is folded");
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        server.stop_at_once().unwrap();
        if round == 0 {
            unavailable_within_three_seconds(&worker).await;
            unavailable_within_three_seconds(&stand_by).await;
        }
        appending.await.unwrap();
        tokio::task::block_in_place(|| server.resume()).unwrap();
    }
    let head = place.log.head().await.unwrap();
    all_at(&worker, head).await;
    all_at(&stand_by, head).await;
    place.assert_is(&history.envelopes()).await;
    assert!(worker.verify_all(|_| {}).await.unwrap().iter().all(VerifyReport::is_clean));
    assert!(stand_by.list::<Orders>(ListQuery::newest(1)).await.is_ok());
}
