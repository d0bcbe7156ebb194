//! Not a test but a measurement:
//! `cargo test --release -p orderstream-projections -- --ignored --nocapture rate`.
//!
//! `ORDERS` sets how many orders are placed (about 15 events each). With `MEASURE_IN` the log is kept in that folder,
//! so that a second run measures the memory of rebuilding alone.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use super::{all_at, append, open_log};
use crate::{
    Phase, Progress, VerifyReport, ViewOptions, ViewPlace, Views,
    testing::{crowd, places},
    view_names,
};

/// Resident memory of this process, in MiB; 0 where the system does not tell.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    status.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4 / 1024
}

/// The same with the views in PostgreSQL.
#[test]
#[ignore = "a measurement; takes a minute"]
fn rate_of_rebuilding_all_views_in_a_database() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        if let Some(schema) = places::schema().await {
            measure(Some(places::process(&schema, Duration::from_secs(5)).await)).await;
        }
    });
}

#[test]
#[ignore = "a measurement; takes a minute"]
fn rate_of_rebuilding_all_views() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(measure(None));
}

async fn measure(place: Option<ViewPlace>) {
    let orders = std::env::var("ORDERS").ok().and_then(|text| text.parse().ok()).unwrap_or(25_000);
    let scratch = tempfile::tempdir().unwrap();
    let folder = std::env::var("MEASURE_IN").map_or_else(|_| scratch.path().to_owned(), PathBuf::from);
    let log = open_log(&folder.join("log.db")).await;
    if log.head().await.unwrap() == 0 {
        let commits = crowd(99, orders).commits;
        let started = Instant::now();
        let head = append(&log, &commits).await;
        println!("{head} events appended, {:.0}/s", head as f64 / started.elapsed().as_secs_f64());
    }
    let head = log.head().await.unwrap();
    let place = place.unwrap_or_else(|| ViewPlace::Sqlite(folder.join("views.db")));
    let views = Views::open(place, log.clone(), ViewOptions::default()).await.unwrap();
    views.start(view_names());
    let started = Instant::now();
    all_at(&views, head).await;
    println!("first fold, live: {:.0} events/s", head as f64 / started.elapsed().as_secs_f64());
    for round in 1..=3 {
        let told = Arc::new(Mutex::new(Vec::<(Phase, f64, u64)>::new()));
        let (teller, before, started) = (told.clone(), resident_mib(), Instant::now());
        let progress = move |progress: Progress| {
            teller.lock().unwrap().push((progress.at.phase, started.elapsed().as_secs_f64(), resident_mib()));
        };
        let report = views.rebuild_all(progress).await.unwrap().pop().unwrap();
        assert_eq!(report.events, head);
        let told = told.lock().unwrap();
        let most = told.iter().map(|(.., mib)| mib).max().unwrap();
        println!("round {round}: {:.0} events/s, memory {before} MiB -> {most} MiB", report.events_per_sec);
        for phase in [Phase::Indexing, Phase::CatchingUp, Phase::Done] {
            let (_, secs, _) = told.iter().find(|(told, ..)| *told == phase).unwrap();
            println!("    {phase:?} after {secs:.2} s");
        }
    }
    let started = Instant::now();
    assert!(views.verify_all(|_| {}).await.unwrap().iter().all(VerifyReport::is_clean));
    println!("verify all: {:.0} events/s", head as f64 / started.elapsed().as_secs_f64());
    for name in view_names() {
        let rate = views.rebuild(name, |_| {}).await.unwrap();
        println!("{name}: {:.0} events/s, {} rows written", rate.events_per_sec, rate.rows_written);
    }
    views.stop().await;
}
