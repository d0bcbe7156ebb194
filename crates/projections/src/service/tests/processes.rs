//! Views in a database that several processes run. A process here is a [`Views`] with connections and a name of its own.

use std::time::{Duration, Instant};

use eventlog::{Checkpoint, Commit, StoreError};
use tokio::task::JoinHandle;

use super::{PATIENCE, Place, all_at, kept::Kept};
use crate::{
    ListQuery, Orders, Phase, Products, Progress, VerifyReport, ViewError, ViewOptions, ViewPlace, ViewState,
    Views,
    batch::Batch,
    service::consumer::lease_name,
    store::{BuildState, BuildWindow, ViewStore, Window},
    testing::{crowd, places},
    view_names,
    views::REGISTRY,
};

/// A lease that does not end during a test.
const LONG: Duration = Duration::from_secs(120);

/// The place, if there is PostgreSQL.
macro_rules! place {
    () => {
        match Place::with_a_database().await {
            Some(place) => place,
            None => return,
        }
    };
}

impl Place {
    /// One more process.
    async fn process(&self, ttl: Duration, options: ViewOptions) -> Views {
        Views::open(self.kept().process(ttl).await, self.log.clone(), options).await.unwrap()
    }

    /// Appends the commits in small pieces.
    fn keep_appending(&self, commits: &[Commit]) -> JoinHandle<()> {
        let (log, commits) = (self.log.clone(), commits.to_vec());
        tokio::spawn(async move {
            for some in commits.chunks(20) {
                super::append(&log, some).await;
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        })
    }
}

/// How many views are worked for in this process.
fn works(views: &Views) -> usize {
    views.shared.slots.iter().filter(|slot| slot.works_here()).count()
}

fn build_of(views: &Views, view: &str) -> u32 {
    views.status().into_iter().find(|status| status.name == view).unwrap().build
}

/// Waits until it is so; returns how long that took.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "it never came about that {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_processes_folds_and_the_other_takes_over_when_it_is_killed() {
    let place = place!();
    let ttl = Duration::from_millis(1_500);
    let options = ViewOptions { live_window: 50, ..ViewOptions::default() };
    let first = place.process(ttl, options.clone()).await;
    first.start(view_names());
    until("the first works", async || works(&first) == view_names().len()).await;
    let second = place.process(ttl, options).await;
    second.start(view_names());
    let history = crowd(61, 400);
    let (before, after) = history.commits.split_at(history.commits.len() / 2);
    let halfway = place.append(before).await;
    all_at(&first, halfway).await;
    all_at(&second, halfway).await;
    assert_eq!((works(&first), works(&second)), (view_names().len(), 0), "one works, the other stands by");
    let holders = |views: &Views| -> Vec<_> { views.status().into_iter().map(|view| view.holder).collect() };
    until("both know who works", async || holders(&second).iter().all(Option::is_some)).await;
    assert_eq!(holders(&first), holders(&second));

    // Killed in the middle of it: nobody gives anything back.
    let appending = tokio::spawn({
        let (log, after) = (place.log.clone(), after.to_vec());
        async move { super::append(&log, &after).await }
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(first);
    let killed = Instant::now();
    let head = appending.await.unwrap();
    all_at(&second, head).await;
    assert!(killed.elapsed() < ttl + Duration::from_secs(3), "it took {:?}", killed.elapsed());
    assert_eq!(works(&second), view_names().len());
    second.stop().await;
    place.assert_is(&history.envelopes()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_leaves_is_followed_at_once() {
    let place = place!();
    let first = place.process(LONG, ViewOptions::default()).await;
    let second = place.process(LONG, ViewOptions::default()).await;
    first.start(view_names());
    until("the first works", async || works(&first) == view_names().len()).await;
    second.start(view_names());
    let head = place.append(&crowd(62, 20).commits).await;
    all_at(&first, head).await;
    first.stop().await;
    let took = until("the second works", async || works(&second) == view_names().len()).await;
    assert!(took < LONG / 10, "it took {took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_holder_that_wakes_up_late_writes_nothing() {
    let place = place!();
    let paused = place.process(LONG, ViewOptions::default()).await;
    paused.start(&["orders"]);
    let history = crowd(63, 40);
    let (before, after) = history.commits.split_at(history.commits.len() / 2);
    let halfway = place.append(before).await;
    assert!(paused.wait_for("orders", halfway, PATIENCE).await);
    let other = place.process(LONG, ViewOptions::default()).await;
    let rows = place.stored("orders").await;
    assert!(other.shared.store.steal(lease_name(&other.shared.slots[0])).await.unwrap().is_some());
    let head = place.append(after).await;
    assert!(!paused.wait_for("orders", head, Duration::from_millis(600)).await);
    assert_eq!(works(&paused), 0, "it did not notice");
    assert_eq!(place.stored("orders").await, rows, "it wrote");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rebuild_from_elsewhere_switches_under_a_consumer_that_never_rests() {
    let place = place!();
    let options = ViewOptions { live_window: 40, linger: Duration::ZERO, ..ViewOptions::default() };
    let worker = place.process(LONG, options.clone()).await;
    worker.start(view_names());
    let reader = place.process(LONG, options.clone()).await;
    let operator = place.process(LONG, options).await;
    reader.start(&[]);
    let appending = place.keep_appending(&crowd(64, 500).commits);
    until("something was folded", async || worker.position("orders") > 500).await;
    let report = operator.rebuild("orders", |_| {}).await.unwrap();
    assert_eq!((report.build, report.replaced), (2, 1));
    let noticed =
        until("both noticed", async || build_of(&worker, "orders") == 2 && build_of(&reader, "orders") == 2);
    let noticed = noticed.await;
    assert!(noticed < Duration::from_secs(3), "it took {noticed:?}");
    assert_eq!(reader.list::<Orders>(ListQuery::newest(3)).await.unwrap().rows.len(), 3);
    let all = operator.rebuild_all(|_| {}).await.unwrap();
    assert_eq!(all.len(), view_names().len());
    appending.await.unwrap();
    let head = place.log.head().await.unwrap();
    all_at(&worker, head).await;
    all_at(&reader, head).await;
    assert!(operator.verify_all(|_| {}).await.unwrap().iter().all(VerifyReport::is_clean));
    place.assert_is(&place.log.read_all(0, usize::MAX).await.unwrap()).await;
    assert_eq!(works(&worker), view_names().len(), "what was taken for the switch was not given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_is_always_faster_is_held_up_for_the_switch() {
    let place = place!();
    let history = crowd(68, 700);
    let (before, after) = history.commits.split_at(history.commits.len() / 10);
    place.append(before).await;
    let rival = place.process(LONG, ViewOptions::default()).await;
    let operator = place.process(LONG, ViewOptions::default()).await;
    let (store, slot) = (rival.shared.store.clone(), rival.shared.slots[0].clone());
    let held = store.leases().unwrap().take_if_free(&lease_name(&slot), 0).await.unwrap();
    let (appending, log) = (place.keep_appending(after), place.log.clone());
    // It does nothing but count: nobody who folds keeps up with that.
    let racing = tokio::spawn({
        let (store, table) = (store.clone(), slot.table());
        async move {
            let mut from = Checkpoint { log_id: log.log_id(), position: 0, event_id: None };
            let mut head = log.subscribe_head();
            loop {
                let to =
                    Checkpoint { position: *head.wait_for(|at| *at > from.position).await.unwrap(), ..from };
                let (table, batch) = (table.clone(), Batch::new(table.spec.columns.len()));
                if !store.commit(Window { table, batch, from, to, held }).await.unwrap() {
                    return;
                }
                from = to;
            }
        }
    });
    let slowly = |progress: Progress| {
        if progress.at.phase == Phase::CatchingUp {
            tokio::task::block_in_place(|| std::thread::sleep(Duration::from_millis(120)));
        }
    };
    assert_eq!(operator.rebuild("orders", slowly).await.unwrap().build, 2);
    assert!(!appending.is_finished(), "there was a rest");
    racing.await.unwrap();
    let (leases, name) = (store.leases().unwrap(), lease_name(&slot));
    let freed = leases.take_if_free(&name, 0).await.unwrap().expect("it was given back");
    assert_eq!(freed.epoch, 3, "it was not taken for the switch");
    leases.release(&name, &[freed]).await.unwrap();
    appending.await.unwrap();
    operator.start(&["orders"]);
    assert!(operator.wait_for("orders", place.log.head().await.unwrap(), PATIENCE).await);
    assert!(operator.verify("orders", |_| {}).await.unwrap().is_clean());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_rebuilds_at_once_one_wins_and_the_other_says_so() {
    let place = place!();
    place.append(&crowd(65, 300).commits).await;
    let at_once = ViewOptions { keep_retired: Duration::from_millis(50), ..ViewOptions::default() };
    let one = place.process(LONG, at_once.clone()).await;
    let two = place.process(LONG, at_once).await;
    let (first, second) = tokio::join!(one.rebuild("orders", |_| {}), two.rebuild("orders", |_| {}));
    let (won, lost) = if first.is_ok() { (first, second) } else { (second, first) };
    assert_eq!(won.unwrap().build, 2);
    let ViewError::BeingBuilt { view: "orders", holder } = lost.unwrap_err() else {
        panic!("it was not said")
    };
    assert!(holder.starts_with("process-"), "{holder}");
    // And whoever comes later may.
    assert_eq!(two.rebuild("orders", |_| {}).await.unwrap().replaced, 2);
    one.start(&[]);
    let left = view_names().len();
    until("nothing is left behind", async || place.tables().await.len() == left).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_build_is_dropped_when_nobody_builds_it_any_more_and_not_before() {
    let place = place!();
    place.append(&crowd(66, 300).commits).await;
    let ttl = Duration::from_millis(500);
    let builder = place.process(ttl, ViewOptions::default()).await;
    let (at, reached) = std::sync::mpsc::channel();
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    let may_go_on = std::sync::Mutex::new(may_go_on);
    let building = tokio::spawn(async move {
        let hold = move |progress: Progress| {
            if progress.at.phase == Phase::Indexing {
                at.send(()).unwrap();
                tokio::task::block_in_place(|| may_go_on.lock().unwrap().recv()).unwrap_err();
            }
        };
        builder.rebuild("orders", hold).await
    });
    tokio::task::spawn_blocking(move || reached.recv_timeout(PATIENCE)).await.unwrap().unwrap();
    // Somebody comes, and stays for longer than a lease lasts.
    let other = place.process(ttl, ViewOptions::default()).await;
    other.start(&[]);
    tokio::time::sleep(ttl * 8).await;
    assert_eq!(place.tables().await.len(), view_names().len() + 1, "it is still being built");
    drop(go_on);
    assert_eq!(building.await.unwrap().unwrap().build, 2);

    // One that nobody works on, as a crash leaves it.
    let store = ViewStore::open(place.kept().process(ttl).await, 4).await.unwrap();
    let log_id = place.log.log_id();
    let create =
        async || store.create_build(&REGISTRY[0], BuildState::Building, log_id).await.unwrap().unwrap();
    let dead = create().await;
    until("it is dropped", async || !place.tables().await.contains(&dead.name)).await;
    // Its number is not used again, and whoever wakes up late finds nothing to write to.
    assert!(create().await.build > dead.build);
    let late = store.write(vec![BuildWindow { table: dead, batch: Batch::new(3), number: 1 }]).await;
    assert!(matches!(late, Err(StoreError::Sql(_))), "{late:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_of_views_that_run_elsewhere_learn_of_them_fast() {
    let place = place!();
    let reader = place.process(LONG, ViewOptions::default()).await;
    let worker = place.process(LONG, ViewOptions::default()).await;
    reader.start(&["payments"]);
    worker.start(&["orders", "products"]);
    let history = crowd(67, 60);
    let (before, after) = history.commits.split_at(history.commits.len() / 2);
    let head = place.append(before).await;
    assert!(reader.wait_for("payments", head, PATIENCE).await);
    assert!(reader.wait_for("orders", head, PATIENCE).await, "another process's view");
    assert_eq!(reader.position("deliveries"), 0, "nobody runs it");
    let mut took = Vec::new();
    for some in after.chunks(after.len() / 20) {
        let head = place.append(some).await;
        let begun = Instant::now();
        // Also events that mean nothing to the view are waited for.
        assert!(reader.wait_for("products", head, PATIENCE).await);
        took.push(begun.elapsed());
    }
    took.sort();
    let median = took[took.len() / 2];
    println!("waits for another process's view: {median:?} (median), at worst {:?}", took.last());
    assert!(median < Duration::from_millis(150), "{took:?}");
    assert!(!reader.list::<Products>(ListQuery::newest(3)).await.unwrap().rows.is_empty());
}

#[tokio::test]
async fn a_database_without_our_tables_is_refused_and_says_what_to_do() {
    let Some(schema) = places::empty_schema() else { return };
    let place = Place::with_a_file().await;
    let open = async || {
        let kept = Kept::Database(schema.clone());
        Views::open(kept.process(LONG).await, place.log.clone(), ViewOptions::default()).await
    };
    let refused = open().await.err().unwrap();
    assert!(matches!(&refused, ViewError::Store(StoreError::NoSchema { .. })), "{refused}");
    assert!(refused.to_string().contains("orderstream migrate"), "{refused}");
    places::prepare(&schema).await;
    assert!(open().await.unwrap().status().iter().all(|view| view.state == ViewState::Following));
}

#[tokio::test]
async fn a_file_belongs_to_one_process() {
    let place = Place::with_a_file().await;
    let views = place.views().await;
    let open = async || {
        let file = ViewPlace::Sqlite(place.folder.path().join("views.db"));
        Views::open(file, place.log.clone(), ViewOptions::default()).await
    };
    assert!(matches!(open().await.err(), Some(ViewError::InUse { .. })));
    views.stop().await;
    open().await.unwrap();
}
