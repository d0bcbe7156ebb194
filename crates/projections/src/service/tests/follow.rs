//! Live consumers.

use std::time::Duration;

use eventlog::{Executor, ExecutorOptions, StoreError};

use super::{PATIENCE, Place, all_at, in_a_file_and_in_a_database};
use crate::{
    Orders, ViewError, ViewOptions, ViewState, order_as_of,
    testing::{Scenario, crowd, story},
    view_names,
};

in_a_file_and_in_a_database! {
    views_follow_commands_as_they_are_carried_out,
    rows_that_left_the_memory_are_fetched_again,
    a_stopped_view_goes_on_where_it_was,
    waiting_ends_when_the_view_is_there_or_the_time_is_over,
    an_order_as_it_was_is_the_row_as_it_was,
}

async fn views_follow_commands_as_they_are_carried_out(place: Place) {
    let views = place.views().await;
    views.start(view_names());
    let executor = Executor::new(place.log.clone(), None, ExecutorOptions::default());
    let history = crowd(1, 25);
    for act in &history.acts {
        executor.execute_any(act.command.clone(), act.context.clone()).await.unwrap();
    }
    let head = place.log.head().await.unwrap();
    all_at(&views, head).await;
    for status in views.status() {
        assert_eq!((status.state, status.lag), (ViewState::Following, 0), "{}", status.name);
    }
    views.stop().await;
    let events = place.log.read_all(0, usize::MAX).await.unwrap();
    assert_eq!(events.len() as u64, head);
    place.assert_is(&events).await;
}

async fn rows_that_left_the_memory_are_fetched_again(place: Place) {
    let history = crowd(2, 300);
    let options = ViewOptions {
        live_window: 40,
        rebuild_window: 60,
        live_cache_rows: 3,
        rebuild_cache_rows: 3,
        ..ViewOptions::default()
    };
    let views = place.views_with(options).await;
    views.start(view_names());
    let head = place.append(&history.commits).await;
    all_at(&views, head).await;
    place.assert_is(&history.envelopes()).await;
    views.rebuild_all(|_| {}).await.unwrap();
    views.stop().await;
    place.assert_is(&history.envelopes()).await;
}

async fn a_stopped_view_goes_on_where_it_was(place: Place) {
    let history = crowd(3, 60);
    let (first, second) = history.commits.split_at(history.commits.len() / 2);
    let views = place.views().await;
    views.start(view_names());
    let halfway = place.append(first).await;
    all_at(&views, halfway).await;
    views.stop().await;
    let head = place.append(second).await;
    assert!(!views.wait_for("orders", head, Duration::from_millis(20)).await);
    drop(views);
    let views = place.views().await;
    // Also the checkpoint of a view that had nothing to write was stored.
    assert!(view_names().iter().all(|view| views.position(view) == halfway));
    views.start(view_names());
    all_at(&views, head).await;
    views.stop().await;
    place.assert_is(&history.envelopes()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_leaves_a_whole_file_and_writes_no_more() {
    let place = Place::with_a_file().await;
    let stopped = place.views().await;
    stopped.start(view_names());
    let head = place.append(&crowd(4, 60).commits).await;
    all_at(&stopped, head).await;
    stopped.stop().await;
    // Nothing is left to be folded into the file, which would lock whoever opens it out for that time.
    let wal = std::fs::metadata(place.folder.path().join("views.db-wal"));
    assert_eq!(wal.map_or(0, |wal| wal.len()), 0);
    let next = place.views().await;
    assert!(view_names().iter().all(|view| next.position(view) == head));
    let late = stopped.rebuild("orders", |_| {}).await;
    assert_eq!(late.err(), Some(ViewError::Store(StoreError::Closed)));
    next.rebuild("orders", |_| {}).await.unwrap();
}

async fn waiting_ends_when_the_view_is_there_or_the_time_is_over(place: Place) {
    let views = place.views().await;
    views.start(view_names());
    assert!(views.wait_for("orders", 0, Duration::ZERO).await);
    assert!(!views.wait_for("orders", 1, Duration::from_millis(30)).await);
    assert!(!views.wait_for("no such view", 1, Duration::from_millis(1)).await);
    let waiting = {
        let views = views.clone();
        tokio::spawn(async move { views.wait_for("orders", 5, PATIENCE).await })
    };
    place.append(&story(Scenario::Delivered).commits).await;
    assert!(waiting.await.unwrap());
}

async fn an_order_as_it_was_is_the_row_as_it_was(place: Place) {
    let views = place.views_with(ViewOptions { live_window: 1, ..ViewOptions::default() }).await;
    views.start(&["orders"]);
    let history = story(Scenario::CancelledInTime);
    let (mut appended, mut seen) = (0, 0);
    for commit in &history.commits {
        let head = place.append(std::slice::from_ref(commit)).await;
        appended += commit.events.len();
        assert!(views.wait_for("orders", head, PATIENCE).await);
        let row = views.list::<Orders>(crate::ListQuery::newest(1)).await.unwrap().rows.pop();
        assert_eq!(order_as_of(&history.envelopes()[..appended]), row);
        seen += usize::from(row.is_some());
    }
    assert!(seen > 10, "only {seen} states were compared");
}
