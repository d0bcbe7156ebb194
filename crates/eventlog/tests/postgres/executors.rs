//! Executors in several processes on the same streams.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::{ProductId, product::Product};
use orderstream_eventlog::{
    Effect, ExecuteError, Executor, ExecutorOptions, SnapshotStore,
    postgres::{Database, PostgresSnapshots},
};

use crate::{
    children,
    setup::{connect, log, schema},
    support::{ctx, ctx_of, executor, id, list, order_id, product_id, reserve, restock, stock_now},
};

/// What one process did to the hot stream.
#[derive(Clone, Copy, Debug, Default)]
struct Done {
    commands: u64,
    quantity: u64,
    longest_micros: u64,
}

/// `callers` who restock one product as fast as they can for `time`.
async fn hammer(database: &Database, product: ProductId, callers: u64, time: Duration) -> Done {
    // As a process of the platform has it: with snapshots.
    let snapshots: Arc<dyn SnapshotStore> = Arc::new(PostgresSnapshots::new(database.clone()));
    let executor = Executor::new(log(database).await, Some(snapshots), ExecutorOptions::default());
    executor.load::<Product>(&product).await.unwrap();
    let begun = Instant::now();
    let callers = (0..callers).map(|caller| {
        let executor = executor.clone();
        tokio::spawn(async move {
            let mut done = Done::default();
            while begun.elapsed() < time {
                let called = Instant::now();
                let quantity = caller % 5 + 1;
                let answer = executor.execute::<Product>(&product, restock(quantity), ctx()).await.unwrap();
                assert_eq!(answer.effect, Effect::Applied);
                done.commands += 1;
                done.quantity += quantity;
                let micros = u64::try_from(called.elapsed().as_micros()).unwrap();
                done.longest_micros = done.longest_micros.max(micros);
            }
            done
        })
    });
    let mut all = Done::default();
    for caller in callers.collect::<Vec<_>>() {
        let done = caller.await.unwrap();
        all.commands += done.commands;
        all.quantity += done.quantity;
        all.longest_micros = all.longest_micros.max(done.longest_micros);
    }
    executor.log().shutdown().await;
    all
}

/// The work of a child.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hammering_process() {
    let Some(orders) = children::orders() else { return };
    let database = connect(&orders[0], &orders[1]).await;
    let product: ProductId = orders[2].parse().unwrap();
    let time = Duration::from_millis(orders[4].parse().unwrap());
    let Done { commands, quantity, longest_micros } =
        hammer(&database, product, orders[3].parse().unwrap(), time).await;
    children::report(&format!("{commands} {quantity} {longest_micros}"));
}

/// So many processes with so many callers each, all on one stream; what they did, each.
async fn hammered(database: &Database, processes: usize, callers: u64, time: Duration) -> Vec<Done> {
    let url = scratch_postgres::for_tests().unwrap().url("postgres");
    hammered_at(&url, database, processes, callers, time).await
}

async fn hammered_at(
    url: &str,
    database: &Database,
    processes: usize,
    callers: u64,
    time: Duration,
) -> Vec<Done> {
    let executor = executor(&log(database).await);
    let product = product_id();
    executor.execute::<Product>(&product, list(product, 0), ctx()).await.unwrap();
    let (callers, millis) = (callers.to_string(), time.as_millis().to_string());
    let orders = [url, database.schema(), &product.to_string(), &callers, &millis];
    let children = (0..processes).map(|_| children::start("executors::hammering_process", &orders)).collect();
    let reports = children::finish(children).await;
    let done: Vec<Done> = reports.iter().map(|report| of_report(report)).collect();
    // No update is lost, and none is there twice.
    let folded = self::executor(&log(database).await).load::<Product>(&product).await.unwrap();
    assert_eq!(folded.version, 1 + done.iter().map(|done| done.commands).sum::<u64>());
    assert_eq!(crate::support::available(&folded.state), done.iter().map(|done| done.quantity).sum::<u64>());
    done
}

fn of_report(report: &str) -> Done {
    let numbers: Vec<u64> = report.split(' ').map(|number| number.parse().unwrap()).collect();
    Done { commands: numbers[0], quantity: numbers[1], longest_micros: numbers[2] }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_hot_stream_lose_no_update_and_starve_nobody() {
    let Some(database) = schema("hot_stream").await else { return };
    let done = hammered(&database, 2, 4, Duration::from_millis(1_500)).await;
    for done in done {
        assert!(done.commands > 20, "{done:?}");
        assert!(done.longest_micros < 2_000_000, "{done:?}");
    }
}

/// Not a test: prints how a hot stream fares with more processes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement; run it by name, with --release"]
async fn hot_stream_figures() {
    let durable = scratch_postgres::ClusterOptions { durable: true, ..Default::default() };
    let Some(cluster) = crate::setup::own_cluster(durable) else { return };
    let url = cluster.url("postgres");
    let database = crate::setup::migrated(&url, "figures").await;
    for (processes, callers) in [(1, 64), (2, 32), (4, 16), (1, 16), (4, 4), (1, 4), (4, 1)] {
        let done = hammered_at(&url, &database, processes, callers, Duration::from_secs(5)).await;
        let total: u64 = done.iter().map(|done| done.commands).sum();
        let each: Vec<u64> = done.iter().map(|done| done.commands).collect();
        let longest = done.iter().map(|done| done.longest_micros / 1_000).max().unwrap_or(0);
        println!(
            "{processes} x {callers}: {} commands/s, each {each:?}, longest wait {longest} ms",
            total / 5
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_executors_reserve_no_piece_twice() {
    let Some(database) = schema("two_executors").await else { return };
    let (a, b) = (executor(&log(&database).await), executor(&log(&database).await));
    let product = product_id();
    a.execute::<Product>(&product, list(product, 100), ctx()).await.unwrap();
    let reserve_from = |executor: &Executor| {
        let executor = executor.clone();
        tokio::spawn(async move { executor.execute::<Product>(&product, reserve(order_id()), ctx()).await })
    };
    let tasks: Vec<_> = (0..150).map(|n| reserve_from(if n % 2 == 0 { &a } else { &b })).collect();
    let mut versions = Vec::new();
    for task in tasks {
        versions.push(task.await.unwrap().unwrap().version);
    }
    versions.sort_unstable();
    assert_eq!(versions, (2..=151).collect::<Vec<_>>());
    let folded = executor(&log(&database).await);
    assert_eq!(stock_now(&folded, &product).await, 0);
    // The cache of an executor is refreshed by what it hears of the other.
    let mut head = a.log().subscribe_head();
    head.wait_for(|head| *head >= 151).await.unwrap();
    let (of_a, of_b) =
        (a.load::<Product>(&product).await.unwrap(), folded.load::<Product>(&product).await.unwrap());
    assert_eq!(of_a, of_b);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_one_process_carried_out_is_a_duplicate_in_another() {
    let Some(database) = schema("repeated_elsewhere").await else { return };
    let (a, b) = (executor(&log(&database).await), executor(&log(&database).await));
    let product = product_id();
    a.execute::<Product>(&product, list(product, 1), ctx()).await.unwrap();
    let command = id();
    let first = a.execute::<Product>(&product, restock(5), ctx_of(command)).await.unwrap();
    let again = b.execute::<Product>(&product, restock(5), ctx_of(command)).await.unwrap();
    assert_eq!(
        (again.effect, again.version, again.position),
        (Effect::Duplicate, first.version, first.position)
    );
    // B decides on a state that A has changed meanwhile.
    a.execute::<Product>(&product, domain::product::ProductCommand::WithdrawProduct, ctx()).await.unwrap();
    let refused = b.execute::<Product>(&product, list(product, 1), ctx()).await;
    assert!(matches!(refused, Err(ExecuteError::Refused(_))), "{refused:?}");
    let asked = Executor::new(b.log().clone(), None, ExecutorOptions::default());
    assert_eq!(asked.load::<Product>(&product).await.unwrap().version, 3);
}
