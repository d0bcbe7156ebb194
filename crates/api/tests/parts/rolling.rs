//! Parts are stopped in good order and started again, one after the other, as an update does: nobody notices.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use futures::future::join_all;

use crate::{
    CONNECTIONS, database,
    load::{Request, Scene, Who},
    platform::Platform,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_that_is_stopped_in_good_order_is_missed_by_nobody() {
    let Some(cluster) = database(CONNECTIONS).await else { return };
    let platform = Platform::start(cluster).await;
    let scene = Scene::set(&platform.load).await;
    let over = AtomicBool::new(false);
    let orders = join_all((0..4).map(|n| orders_until(&platform, &scene, n, &over)));
    let update = async {
        for part in ["api-1", "processes-1", "views-1", "processes-2", "api-1", "views-2"] {
            tokio::time::sleep(Duration::from_millis(300)).await;
            platform.terminate(part).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
            platform.start_part(part).await;
        }
        over.store(true, Ordering::Relaxed);
    };
    let (orders, ()) = tokio::join!(orders, update);
    let (count, slowest) = (orders.iter().map(|it| it.0).sum::<usize>(), orders.iter().map(|it| it.1).max());
    println!("{count} orders, the slowest answered after {slowest:?}");
    assert!(count > 20, "the load was no load: {count} orders");
    platform.ready().await;
    platform.stop().await;
    platform.nobody_panicked();
}

/// Orders one after the other at the second door; gives how many, and how long the slowest took.
async fn orders_until(
    platform: &Platform,
    scene: &Scene,
    person: usize,
    over: &AtomicBool,
) -> (usize, Duration) {
    let (mut count, mut slowest) = (0, Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        count += 1;
        let (key, path) = (format!("rolling-{person}-{count}"), "/v1/orders".to_owned());
        let who = Who::Customer(person % 3);
        let request = Request { who, key, path, body: scene.gadgets(1), answer: None };
        let begun = Instant::now();
        let (status, body) = platform.load.ask(1, &request).await.unwrap();
        let took = begun.elapsed();
        assert_eq!((status, body["status"].as_str()), (201, Some("confirmed")), "after {took:?}: {body}");
        slowest = slowest.max(took);
    }
    (count, slowest)
}
