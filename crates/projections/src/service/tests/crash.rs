//! Nothing is counted twice and nothing is lost, wherever the process dies.

use std::{path::Path, time::Duration};

use tokio::runtime::{Builder, Runtime};

use super::{PATIENCE, append, kept::Kept, open_log};
use crate::{
    ViewOptions, ViewState, Views,
    testing::{crowd, places},
    view_names,
};

/// Leases of processes that were killed are over soon.
const SHORT: Duration = Duration::from_millis(300);

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn options() -> ViewOptions {
    ViewOptions { live_window: 64, rebuild_window: 256, live_cache_rows: 100, ..ViewOptions::default() }
}

/// A replaced build is dropped at the next start.
fn at_once() -> ViewOptions {
    ViewOptions { keep_retired: Duration::ZERO, ..options() }
}

fn in_a_file(test: impl Fn(&Path, Kept)) {
    let folder = tempfile::tempdir().unwrap();
    test(&folder.path().join("log.db"), Kept::File(folder.path().join("views.db")));
}

fn in_a_database(test: impl Fn(&Path, Kept)) {
    let folder = tempfile::tempdir().unwrap();
    if let Some(schema) = runtime().block_on(places::schema()) {
        test(&folder.path().join("log.db"), Kept::Database(schema));
    }
}

/// Ends a process: its tasks end wherever they are.
fn kill(runtime: Runtime, views: Views) {
    runtime.shutdown_timeout(Duration::from_millis(50));
    drop(views);
}

/// Until others may have what whoever was killed did: so many lives of a lease.
fn wait_for_leases(kept: &Kept, lives: u32) {
    if matches!(kept, Kept::Database(_)) {
        std::thread::sleep(SHORT * lives);
    }
}

#[test]
fn killed_at_any_moment_every_event_counts_exactly_once_in_a_file() {
    in_a_file(|log_db, kept| killed_at_any_moment(log_db, kept, 500));
}

#[test]
fn killed_at_any_moment_every_event_counts_exactly_once_in_a_database() {
    in_a_database(|log_db, kept| killed_at_any_moment(log_db, kept, 250));
}

fn killed_at_any_moment(log_db: &Path, kept: Kept, orders: usize) {
    let history = crowd(11, orders);
    let mut rest = history.commits.as_slice();
    let mut lives = 0;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rest.len().min(orders * 9 / 5));
        rest = later;
        lives += 1;
        let runtime = runtime();
        let views = runtime.block_on(async {
            let log = open_log(log_db).await;
            let views = Views::open(kept.process(SHORT).await, log.clone(), options()).await.unwrap();
            views.start(view_names());
            append(&log, now).await;
            tokio::time::sleep(Duration::from_micros(lives * 700)).await;
            views
        });
        kill(runtime, views);
        wait_for_leases(&kept, 1);
    }
    assert!(lives > 5, "it was killed only {lives} times");
    runtime().block_on(async {
        let log = open_log(log_db).await;
        let views = Views::open(kept.process(SHORT).await, log.clone(), options()).await.unwrap();
        views.start(view_names());
        super::all_at(&views, log.head().await.unwrap()).await;
        for report in views.verify_all(|_| {}).await.unwrap() {
            assert!(report.is_clean(), "{report:#?}");
        }
    });
}

#[test]
fn killed_in_a_rebuild_the_old_build_stays_live_and_nothing_is_left_over_in_a_file() {
    in_a_file(|log_db, kept| killed_in_a_rebuild(log_db, kept, 9));
}

#[test]
fn killed_in_a_rebuild_the_old_build_stays_live_and_nothing_is_left_over_in_a_database() {
    in_a_database(|log_db, kept| killed_in_a_rebuild(log_db, kept, 5));
}

fn killed_in_a_rebuild(log_db: &Path, kept: Kept, lives: u64) {
    let history = crowd(12, 200);
    for life in 0..lives {
        let runtime = runtime();
        let views = runtime.block_on(async {
            let log = open_log(log_db).await;
            let views = Views::open(kept.process(SHORT).await, log.clone(), at_once()).await.unwrap();
            assert_eq!(kept.tables().await.len(), view_names().len(), "builds were left over");
            // Later lives may have got as far as the switch: then the new build is the live one, whole.
            assert!(life > 3 || views.status().iter().all(|view| view.build == 1));
            views.start(view_names());
            if life == 0 {
                append(&log, &history.commits).await;
            }
            super::all_at(&views, log.head().await.unwrap()).await;
            // Killed at the start, before the indexes, before the switch, and some times in between.
            let (reached, halfway) = std::sync::mpsc::channel();
            let (other, calls) = (views.clone(), std::sync::atomic::AtomicU64::new(0));
            tokio::spawn(async move {
                let killed_at = life;
                let progress = move |_| {
                    if calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == killed_at {
                        let _ = reached.send(());
                        // Hold on until the runtime is gone.
                        std::thread::sleep(Duration::from_millis(150));
                    }
                };
                other.rebuild_all(progress).await
            });
            if life < 3 {
                tokio::task::spawn_blocking(move || halfway.recv_timeout(PATIENCE)).await.unwrap().unwrap();
            } else {
                tokio::time::sleep(Duration::from_millis(life * life)).await;
            }
            views
        });
        kill(runtime, views);
        // The thread that held on may still be going to say something to nobody.
        std::thread::sleep(Duration::from_millis(150));
        wait_for_leases(&kept, 6);
    }
    runtime().block_on(async {
        let log = open_log(log_db).await;
        let views = Views::open(kept.process(SHORT).await, log.clone(), at_once()).await.unwrap();
        assert_eq!(kept.tables().await.len(), view_names().len());
        views.start(view_names());
        super::all_at(&views, log.head().await.unwrap()).await;
        assert!(views.status().iter().all(|view| view.state == ViewState::Following));
        assert!(views.verify_all(|_| {}).await.unwrap().iter().all(crate::VerifyReport::is_clean));
    });
}
