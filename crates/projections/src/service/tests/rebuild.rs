//! Blue/green rebuild.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{Place, all_at, in_a_file_and_in_a_database, open_log};
use crate::{
    ListQuery, Orders, Phase, Progress, ViewError, ViewOptions, ViewState, testing::crowd, view_names,
};

in_a_file_and_in_a_database! {
    a_rebuild_while_events_come_in_misses_none_and_switches_once,
    the_position_never_goes_back_over_a_switch,
    a_replaced_build_stays_for_a_while_and_is_dropped_then,
    an_overdue_build_is_dropped_at_the_next_start,
    an_unknown_view_is_refused_with_the_names_there_are,
    a_log_that_went_back_stops_the_views_until_they_are_rebuilt,
}

async fn a_rebuild_while_events_come_in_misses_none_and_switches_once(place: Place) {
    let options = ViewOptions { live_window: 50, rebuild_window: 300, ..ViewOptions::default() };
    let views = place.views_with(options).await;
    views.start(view_names());
    let history = crowd(21, 700);
    let (first, second) = history.commits.split_at(history.commits.len() / 2);
    let at = place.append(first).await;
    all_at(&views, at).await;

    let (log, commits) = (place.log.clone(), second.to_vec());
    let writing = tokio::spawn(async move {
        for some in commits.chunks(40) {
            super::append(&log, some).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let mut position = views.subscribe("orders");
    let watching = tokio::spawn(async move {
        let mut last = 0;
        while position.changed().await.is_ok() {
            let now = *position.borrow();
            assert!(now >= last, "the position went back from {last} to {now}");
            last = now;
        }
        last
    });
    let told = Arc::new(Mutex::new(Vec::<Progress>::new()));
    let teller = told.clone();
    let reports = views.rebuild_all(move |progress| teller.lock().unwrap().push(progress)).await.unwrap();
    let one = views.rebuild("orders", |_| {}).await.unwrap();
    writing.await.unwrap();

    assert_eq!(reports.len(), view_names().len());
    assert!(reports.iter().all(|report| (report.build, report.replaced) == (2, 1) && report.position >= at));
    assert_eq!((one.build, one.replaced), (3, 2));
    let told = told.lock().unwrap().clone();
    let phases: Vec<Phase> = told.iter().map(|progress| progress.at.phase).collect();
    for phase in [Phase::Folding, Phase::Indexing, Phase::CatchingUp, Phase::Done] {
        assert!(phases.contains(&phase), "{phase:?} was not told");
    }
    assert!(told.iter().all(|progress| progress.views.len() == view_names().len()));

    let head = place.log.head().await.unwrap();
    all_at(&views, head).await;
    views.stop().await;
    place.assert_is(&history.envelopes()).await;
    drop(views);
    assert_eq!(watching.await.unwrap(), head);
}

async fn the_position_never_goes_back_over_a_switch(place: Place) {
    let views = place.views().await;
    views.start(view_names());
    let head = place.append(&crowd(22, 50).commits).await;
    all_at(&views, head).await;
    let mut seen = views.subscribe("timeline");
    seen.borrow_and_update();
    views.rebuild("timeline", |_| {}).await.unwrap();
    assert_eq!(views.position("timeline"), head);
    assert!(!seen.has_changed().unwrap(), "readers heard of a switch that changed nothing for them");
}

async fn a_replaced_build_stays_for_a_while_and_is_dropped_then(place: Place) {
    let options = ViewOptions { keep_retired: Duration::from_millis(300), ..ViewOptions::default() };
    let views = place.views_with(options).await;
    views.start(view_names());
    let head = place.append(&crowd(23, 20).commits).await;
    all_at(&views, head).await;
    views.rebuild("orders", |_| {}).await.unwrap();
    let left = place.tables().await;
    assert!(
        left.contains(&"orders_v2_b1".to_owned()) && left.contains(&"orders_v2_b2".to_owned()),
        "{left:?}"
    );
    while place.tables().await.contains(&"orders_v2_b1".to_owned()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(place.tables().await.len(), view_names().len());
    assert!(!views.list::<Orders>(ListQuery::newest(1)).await.unwrap().rows.is_empty());
}

async fn an_overdue_build_is_dropped_at_the_next_start(place: Place) {
    let options = ViewOptions { keep_retired: Duration::ZERO, ..ViewOptions::default() };
    let views = place.views_with(options.clone()).await;
    views.rebuild("orders", |_| {}).await.unwrap();
    assert_eq!(place.tables().await.len(), view_names().len() + 1);
    drop(views);
    drop(place.views_with(options).await);
    assert_eq!(place.tables().await.len(), view_names().len());
}

async fn an_unknown_view_is_refused_with_the_names_there_are(place: Place) {
    let views = place.views().await;
    let error = views.rebuild("ordres", |_| {}).await.unwrap_err();
    assert_eq!(error, ViewError::UnknownView { name: "ordres".into() });
    assert!(error.to_string().contains("orders, payments"), "{error}");
}

async fn a_log_that_went_back_stops_the_views_until_they_are_rebuilt(place: Place) {
    let views = place.views().await;
    views.start(view_names());
    let head = place.append(&crowd(24, 40).commits).await;
    all_at(&views, head).await;
    views.stop().await;
    drop(views);

    // Another log stands in for one that was restored from an old backup.
    let other = open_log(&place.folder.path().join("other.db")).await;
    let history = crowd(25, 10);
    let (first, second) = history.commits.split_at(history.commits.len() / 2);
    let short = super::append(&other, first).await;
    assert!(short < head);
    let views = place.views_over(other.clone(), ViewOptions::default()).await;
    views.start(view_names());
    for view in views.status() {
        let ViewState::Stopped { why } = view.state else { panic!("{} goes on", view.name) };
        assert!(why.contains("went back") && why.contains("rebuild"), "{why}");
    }
    assert!(
        !views.list::<Orders>(ListQuery::newest(1)).await.unwrap().rows.is_empty(),
        "old rows can be read"
    );

    views.rebuild_all(|_| {}).await.unwrap();
    assert!(views.status().iter().all(|view| view.state == ViewState::Following));
    assert_eq!(views.position("orders"), short);

    // And they follow the log again.
    let head = super::append(&other, second).await;
    all_at(&views, head).await;
    place.assert_is(&history.envelopes()).await;
}
