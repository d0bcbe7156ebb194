//! Deciding, appending and answering, on a real log.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use std::{sync::Arc, sync::atomic::Ordering, time::Duration};

use domain::{
    AnyCommand, Class,
    product::{Product, ProductError},
};
use orderstream_eventlog::{
    AppendError, Effect, ExecuteError, Executor, ExecutorOptions, Log, LogOptions, Snapshot, SnapshotStore,
    SqliteSnapshots,
    sqlite::{Durability, Readers, Writer},
};
use support::{
    Faulty, available, ctx, ctx_of, executor, foreign, id, list, open, order_id, product_id, reserve,
    restock, stock_now, stream_of,
};
use tempfile::tempdir;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_reservations_of_a_hundred_pieces_reserve_exactly_a_hundred() {
    let folder = tempdir().unwrap();
    let log = open(folder.path()).await;
    let executor = executor(&log);
    let product = product_id();
    executor.execute::<Product>(&product, list(product, 100), ctx()).await.unwrap();
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let executor = executor.clone();
            tokio::spawn(
                async move { executor.execute::<Product>(&product, reserve(order_id()), ctx()).await },
            )
        })
        .collect();
    let mut versions = Vec::new();
    for task in tasks {
        let done = task.await.unwrap().unwrap();
        assert_eq!(done.effect, Effect::Applied);
        versions.push(done.version);
    }
    versions.sort_unstable();
    assert_eq!(versions, (2..=201).collect::<Vec<_>>());
    let loaded = executor.load::<Product>(&product).await.unwrap();
    assert_eq!((loaded.version, available(&loaded.state)), (201, 0));
    let folded = support::executor(&log).load::<Product>(&product).await.unwrap();
    assert_eq!(folded, loaded, "the cached state differs from the folded one");
    let stats = log.stats();
    assert_eq!((stats.events, stats.queue_depth), (201, 0));
    assert!(stats.batches < 100, "{stats:?}: nothing was gathered");
}

#[tokio::test]
async fn the_same_command_takes_effect_once_and_gets_its_first_answer() {
    let folder = tempdir().unwrap();
    let executor = executor(&open(folder.path()).await);
    let product = product_id();
    executor.execute::<Product>(&product, list(product, 1), ctx()).await.unwrap();
    let command = id();
    let first = executor.execute::<Product>(&product, restock(5), ctx_of(command)).await.unwrap();
    executor.execute::<Product>(&product, restock(7), ctx()).await.unwrap();
    let again = executor.execute::<Product>(&product, restock(5), ctx_of(command)).await.unwrap();
    assert_eq!(again.effect, Effect::Duplicate);
    assert_eq!((again.version, again.position), (first.version, first.position));
    assert_eq!(stock_now(&executor, &product).await, 13, "the state is the newest");
    // The executor's state is right after the repeat, too.
    let next = executor.execute::<Product>(&product, restock(1), ctx()).await.unwrap();
    assert_eq!((next.version, stock_now(&executor, &product).await), (4, 14));
}

#[tokio::test]
async fn a_repeat_that_would_now_be_refused_is_still_the_first_success() {
    let folder = tempdir().unwrap();
    let executor = executor(&open(folder.path()).await);
    let product = product_id();
    let listing = id();
    let first = executor.execute::<Product>(&product, list(product, 1), ctx_of(listing)).await.unwrap();
    executor
        .execute::<Product>(&product, domain::product::ProductCommand::WithdrawProduct, ctx())
        .await
        .unwrap();
    let again = executor.execute::<Product>(&product, list(product, 1), ctx_of(listing)).await.unwrap();
    assert_eq!((again.effect, again.version, again.position), (Effect::Duplicate, 1, first.position));
    let refused = executor.execute::<Product>(&product, list(product, 1), ctx()).await;
    assert_eq!(refused.unwrap_err(), ExecuteError::Refused(ProductError::Withdrawn));
}

#[tokio::test]
async fn what_another_command_already_did_is_already_applied() {
    let folder = tempdir().unwrap();
    let executor = executor(&open(folder.path()).await);
    let (product, order) = (product_id(), order_id());
    executor.execute::<Product>(&product, list(product, 9), ctx()).await.unwrap();
    let first = executor.execute::<Product>(&product, reserve(order), ctx()).await.unwrap();
    let again = executor.execute::<Product>(&product, reserve(order), ctx()).await.unwrap();
    assert_eq!((again.effect, again.version, again.position), (Effect::AlreadyApplied, 2, first.position));
}

#[tokio::test]
async fn a_command_id_of_another_command_is_a_bug_unless_the_stream_has_gone_on() {
    let folder = tempdir().unwrap();
    let executor = executor(&open(folder.path()).await);
    let product = product_id();
    executor.execute::<Product>(&product, list(product, 9), ctx()).await.unwrap();
    let command = id();
    executor.execute::<Product>(&product, restock(1), ctx_of(command)).await.unwrap();
    let reused = executor.execute::<Product>(&product, restock(2), ctx_of(command)).await.unwrap_err();
    assert!(matches!(reused, ExecuteError::CommandIdReused { version: 2, .. }), "{reused:?}");
    assert_eq!(reused.class(), Class::Bug);
    executor.execute::<Product>(&product, restock(3), ctx()).await.unwrap();
    let later = executor.execute::<Product>(&product, restock(2), ctx_of(command)).await.unwrap();
    assert_eq!((later.effect, later.version), (Effect::Duplicate, 2));
    assert_eq!(stock_now(&executor, &product).await, 13);
}

#[tokio::test]
async fn if_match_refuses_another_version_but_answers_a_repeat() {
    let folder = tempdir().unwrap();
    let executor = executor(&open(folder.path()).await);
    let product = product_id();
    executor.execute::<Product>(&product, list(product, 9), ctx()).await.unwrap();
    let wrong = executor.execute_if::<Product>(&product, Some(7), restock(1), ctx()).await;
    assert_eq!(wrong.unwrap_err(), ExecuteError::VersionMismatch { expected: 7, actual: 1 });
    let command = id();
    let done = executor.execute_if::<Product>(&product, Some(1), restock(1), ctx_of(command)).await.unwrap();
    let again = executor.execute_if::<Product>(&product, Some(1), restock(1), ctx_of(command)).await.unwrap();
    assert_eq!(
        (again.effect, again.version, again.position),
        (Effect::Duplicate, done.version, done.position)
    );
    let absent = executor.execute_if::<Product>(&product_id(), Some(0), restock(1), ctx()).await;
    assert_eq!(absent.unwrap_err(), ExecuteError::Refused(ProductError::NotFound));
}

#[tokio::test]
async fn a_refusal_waits_for_what_it_was_decided_on_and_is_decided_again_when_that_fails() {
    let folder = tempdir().unwrap();
    let store = Faulty::open(folder.path(), false).await;
    let log =
        Log::start(store.clone(), LogOptions { retry_deadline: Duration::ZERO, ..LogOptions::default() })
            .await
            .unwrap();
    let executor = executor(&log);
    let product = product_id();
    let held = store.gate.lock().await;
    // Listed, but the listing is not on disk: and it never gets there.
    store.fail_before.store(1, Ordering::SeqCst);
    let spawn = |command, pause| {
        let executor = executor.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            executor.execute::<Product>(&product, command, ctx()).await
        })
    };
    let listing = spawn(list(product, 1), 0);
    let restocking = spawn(restock(4), 30);
    let refused = spawn(restock(0), 60);
    tokio::time::sleep(Duration::from_millis(120)).await;
    assert!(!refused.is_finished(), "a refusal was answered on a state that is not on disk");
    drop(held);
    assert!(matches!(listing.await.unwrap(), Err(ExecuteError::Log(AppendError::Unavailable(_)))));
    // Both were decided on the listing, and again without it.
    assert_eq!(restocking.await.unwrap().unwrap_err(), ExecuteError::Refused(ProductError::NotFound));
    assert_eq!(refused.await.unwrap().unwrap_err(), ExecuteError::Refused(ProductError::NotFound));
    assert_eq!(log.head().await, Ok(0));
}

#[tokio::test]
async fn a_caller_who_hangs_up_loses_only_the_answer() {
    let folder = tempdir().unwrap();
    let store = Faulty::open(folder.path(), false).await;
    let log = Log::start(store.clone(), LogOptions::default()).await.unwrap();
    let executor = executor(&log);
    let product = product_id();
    let held = store.gate.lock().await;
    let caller = tokio::time::timeout(
        Duration::from_millis(50),
        executor.execute::<Product>(&product, list(product, 3), ctx()),
    );
    assert!(caller.await.is_err(), "the batch was held back");
    drop(held);
    let done = executor.execute::<Product>(&product, restock(4), ctx()).await.unwrap();
    assert_eq!((done.version, stock_now(&executor, &product).await), (2, 7));
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_nothing_is_written_twice() {
    let folder = tempdir().unwrap();
    let store = Faulty::open(folder.path(), false).await;
    let log = Log::start(store.clone(), LogOptions::default()).await.unwrap();
    let executor = executor(&log);
    let product = product_id();
    executor.execute::<Product>(&product, list(product, 3), ctx()).await.unwrap();
    store.fail_after.store(2, Ordering::SeqCst);
    let done = executor.execute::<Product>(&product, restock(4), ctx()).await.unwrap();
    assert_eq!((done.version, stock_now(&executor, &product).await), (2, 7));
    // What the batcher did not see written is published all the same, and before the next poll would find it.
    let mut head = log.subscribe_head();
    tokio::time::timeout(Duration::from_millis(600), head.wait_for(|head| *head == 2))
        .await
        .unwrap()
        .unwrap();
    let next = executor.execute::<Product>(&product, restock(1), ctx()).await.unwrap();
    assert_eq!((next.version, stock_now(&executor, &product).await), (3, 8));
}

#[tokio::test]
async fn after_an_outcome_that_stays_unknown_the_state_is_read_again() {
    let folder = tempdir().unwrap();
    let store = Faulty::open(folder.path(), false).await;
    let log =
        Log::start(store.clone(), LogOptions { retry_deadline: Duration::ZERO, ..LogOptions::default() })
            .await
            .unwrap();
    let executor = executor(&log);
    let product = product_id();
    executor.execute::<Product>(&product, list(product, 3), ctx()).await.unwrap();
    for (faults, written) in [(&store.fail_before, 0), (&store.fail_after, 4)] {
        let before = available(&executor.load::<Product>(&product).await.unwrap().state);
        faults.store(1, Ordering::SeqCst);
        let unknown = executor.execute::<Product>(&product, restock(4), ctx()).await;
        assert!(matches!(unknown, Err(ExecuteError::Log(AppendError::Unavailable(_)))), "{unknown:?}");
        executor.execute::<Product>(&product, restock(1), ctx()).await.unwrap();
        assert_eq!(stock_now(&executor, &product).await, before + written + 1);
    }
}

#[tokio::test]
async fn a_conflict_with_another_writer_is_decided_again() {
    let folder = tempdir().unwrap();
    let log = open(folder.path()).await;
    let executor = executor(&log);
    let product = product_id();
    executor.execute::<Product>(&product, list(product, 3), ctx()).await.unwrap();
    log.append(foreign(product, 1, 10)).await.unwrap();
    let done = executor.execute::<Product>(&product, restock(1), ctx()).await.unwrap();
    assert_eq!((done.version, stock_now(&executor, &product).await), (3, 14));
    log.append(foreign(product, 3, 10)).await.unwrap();
    let refused = executor.execute::<Product>(&product, restock(0), ctx()).await.unwrap_err();
    assert_eq!(refused, ExecuteError::Refused(ProductError::Quantity { quantity: 0 }));
    assert_eq!(
        executor.load::<Product>(&product).await.unwrap().version,
        4,
        "the refusal looked at the newest state"
    );
}

/// Both are decided on a state that another writer's event makes wrong; the second one's version fits by chance.
async fn a_decision_behind_one_that_conflicts_is_made_again(max_batch_per_stream: usize) {
    let folder = tempdir().unwrap();
    let store = Faulty::open(folder.path(), false).await;
    let options = LogOptions { max_batch_per_stream, ..LogOptions::default() };
    let log = Log::start(store.clone(), options).await.unwrap();
    let executor = executor(&log);
    let product = product_id();
    executor.execute::<Product>(&product, list(product, 1), ctx()).await.unwrap();
    open(folder.path()).await.append(foreign(product, 1, 10)).await.unwrap();
    let held = store.gate.lock().await;
    let busy = log.enqueue(foreign(product_id(), 0, 1));
    tokio::time::sleep(Duration::from_millis(10)).await;
    // The first takes the last piece, as far as this process knows, so the second finds none.
    let both = [reserve(order_id()), reserve(order_id())].map(|command| {
        let executor = executor.clone();
        tokio::spawn(async move { executor.execute::<Product>(&product, command, ctx()).await })
    });
    tokio::time::sleep(Duration::from_millis(20)).await;
    drop(held);
    busy.await.unwrap();
    for one in both {
        assert_eq!(one.await.unwrap().unwrap().effect, Effect::Applied);
    }
    let left = support::executor(&log).load::<Product>(&product).await.unwrap();
    assert_eq!((left.version, available(&left.state)), (4, 9), "somebody was refused for want of stock");
}

#[tokio::test]
async fn a_decision_behind_one_that_conflicts_in_the_same_batch_is_made_again() {
    a_decision_behind_one_that_conflicts_is_made_again(64).await;
}

#[tokio::test]
async fn a_decision_behind_one_that_conflicts_in_the_batch_before_is_made_again() {
    a_decision_behind_one_that_conflicts_is_made_again(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_executors_on_one_hot_stream_lose_nothing() {
    let folder = tempdir().unwrap();
    let store = Faulty::open(folder.path(), true).await;
    let log = Log::start(store, LogOptions::default()).await.unwrap();
    let executors = [executor(&log), executor(&log)];
    let product = product_id();
    executors[0].execute::<Product>(&product, list(product, 0), ctx()).await.unwrap();
    let tasks: Vec<_> = (0..120)
        .map(|n| {
            let executor = executors[n % 2].clone();
            tokio::spawn(async move { executor.execute::<Product>(&product, restock(1), ctx()).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    for executor in executors {
        let loaded = executor.execute::<Product>(&product, restock(0), ctx()).await;
        assert!(matches!(loaded, Err(ExecuteError::Refused(_))));
        assert_eq!(available(&executor.load::<Product>(&product).await.unwrap().state), 120);
    }
}

#[tokio::test]
async fn events_of_another_process_reach_the_cache_through_the_tailer() {
    let folder = tempdir().unwrap();
    let log = Log::start(Faulty::open(folder.path(), true).await, LogOptions::default()).await.unwrap();
    let other = Log::start(Faulty::open(folder.path(), true).await, LogOptions::default()).await.unwrap();
    let executor = executor(&log);
    let product = product_id();
    executor.execute::<Product>(&product, list(product, 3), ctx()).await.unwrap();
    let written = other.append(foreign(product, 1, 10)).await.unwrap();
    log.subscribe_head().wait_for(|head| *head >= written.position).await.unwrap();
    let loaded = executor.load::<Product>(&product).await.unwrap();
    assert_eq!((loaded.version, available(&loaded.state)), (2, 13));
}

fn snapshots(folder: &std::path::Path) -> Arc<SqliteSnapshots> {
    const MIGRATIONS: &[&str] = &[SqliteSnapshots::schema()];
    let path = folder.join("work.db");
    let writer = Writer::open(&path, Durability::Normal, MIGRATIONS).unwrap();
    Arc::new(SqliteSnapshots::new(writer, Readers::open(&path, 1).unwrap()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_stream_is_loaded_from_its_snapshot_and_a_useless_one_is_ignored() {
    let folder = tempdir().unwrap();
    let log = open(folder.path()).await;
    let snapshots = snapshots(folder.path());
    let new = || Executor::new(log.clone(), Some(snapshots.clone()), ExecutorOptions::default());
    let executor = new();
    let product = product_id();
    executor.execute::<Product>(&product, list(product, 0), ctx()).await.unwrap();
    let tasks: Vec<_> = (0..1_100)
        .map(|_| {
            let executor = executor.clone();
            tokio::spawn(async move { executor.execute::<Product>(&product, restock(1), ctx()).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let stream = stream_of(product);
    let kept = loop {
        match snapshots.load(stream).await.unwrap() {
            Some(kept) if kept.version == 1_024 => break kept,
            _ => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    };
    // A mark in the snapshot shows that it was used.
    let marked = Snapshot {
        version: 1_025,
        state: String::from_utf8(kept.state.clone())
            .unwrap()
            .replace("a phone", "from a snapshot")
            .into_bytes(),
        ..kept.clone()
    };
    let name = |product: &Product| product.details().unwrap().name.clone();
    for (snapshot, expected) in [
        (Snapshot { version: 9_999, ..marked.clone() }, "a phone"),
        (Snapshot { version: 9_999, fold_version: 77, ..marked.clone() }, "a phone"),
        (Snapshot { version: 10_000, state: b"{".to_vec(), ..marked.clone() }, "a phone"),
        (Snapshot { version: 1_024, fold_version: 78, ..marked.clone() }, "a phone"),
        (Snapshot { version: 1_024, ..marked.clone() }, "from a snapshot"),
    ] {
        snapshots.store(stream, snapshot.clone());
        while snapshots.load(stream).await.unwrap() != Some(snapshot.clone()) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let loaded = new().load::<Product>(&product).await.unwrap();
        assert_eq!((loaded.version, available(&loaded.state)), (1_101, 1_100), "{snapshot:?}");
        assert_eq!(name(&loaded.state), expected, "{snapshot:?}");
        if expected == "a phone" {
            // An older one does not replace a newer one of the same fold: change the fold in between.
            snapshots.store(stream, Snapshot { version: 1, fold_version: 99, state: Vec::new() });
        }
    }
}

#[tokio::test]
async fn any_command_is_carried_out_and_its_error_is_flattened() {
    let folder = tempdir().unwrap();
    let executor = executor(&open(folder.path()).await);
    let product = product_id();
    let any = |command| AnyCommand::Product { id: product, command };
    let missing = executor.execute_any(any(restock(1)), ctx()).await.unwrap_err();
    assert_eq!(
        (missing.code, missing.class, missing.state),
        ("product_not_found", Class::NotFound, "absent")
    );
    let done = executor.execute_any(any(list(product, 1)), ctx()).await.unwrap();
    assert_eq!((done.version, done.position, done.effect), (1, 1, Effect::Applied));
    let again = executor.execute_any(any(list(product, 1)), ctx()).await.unwrap();
    assert_eq!((again.version, again.effect), (1, Effect::AlreadyApplied));
}

#[tokio::test]
async fn a_cache_of_one_aggregate_is_slow_but_right() {
    let folder = tempdir().unwrap();
    let log = open(folder.path()).await;
    let options = ExecutorOptions { cached_per_kind: 1, ..ExecutorOptions::default() };
    let executor = Executor::new(log, None, options);
    let products = [product_id(), product_id(), product_id()];
    for product in products {
        executor.execute::<Product>(&product, list(product, 0), ctx()).await.unwrap();
    }
    for round in 1..=5 {
        for product in products {
            let done = executor.execute::<Product>(&product, restock(1), ctx()).await.unwrap();
            assert_eq!((done.version, stock_now(&executor, &product).await), (round + 1, round));
        }
    }
}
