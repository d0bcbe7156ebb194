//! The database is away: everybody says so at once, and goes on when it is back.

use std::time::{Duration, Instant};

use futures::future::join_all;

use crate::{
    CONNECTIONS, database,
    load::{Request, Scene, Who},
    platform::{Platform, resume, stop_at_once},
};

/// How long it may take until it shows.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_away_is_told_at_once_and_waited_for_without_a_restart() {
    let Some(cluster) = database(CONNECTIONS).await else { return };
    let platform = Platform::start(cluster.clone()).await;
    let (load, scene) = (&platform.load, Scene::set(&platform.load).await);
    let order = |n: usize| {
        let (key, path) = (format!("order-{n}"), "/v1/orders".to_owned());
        Request { who: Who::Customer(n % 3), key, path, body: scene.gadgets(1), answer: None }
    };
    let first = load.send(0, &order(0)).await.unwrap();
    assert_eq!(first.status, 201, "{first:?}");

    stop_at_once(&cluster).await;
    let begun = Instant::now();
    while !platform.readiness().await.iter().all(|status| *status == 503) {
        assert!(begun.elapsed() < SOON, "/readyz answers {:?}", platform.readiness().await);
    }
    println!("all are not ready after {:?}", begun.elapsed());
    let asked = join_all((1..9).map(|n| {
        let request = order(n);
        async move {
            let begun = Instant::now();
            (load.ask(n, &request).await.unwrap(), begun.elapsed())
        }
    }));
    for ((status, body), took) in asked.await {
        assert_eq!(status, 503, "{body}");
        assert!(took < SOON, "answered after {took:?}: {body}");
        println!("{status} {} after {took:?}", body["code"]);
    }
    let read = load.get("/v1/orders").await.ok().unwrap();
    assert_eq!(read["status"], 503, "{read}");

    resume(&cluster).await;
    let begun = Instant::now();
    platform.ready().await;
    println!("all are ready again after {:?}", begun.elapsed());
    for n in 0..9 {
        let answer = load.send_again(&order(n)).await;
        assert_eq!((answer.status, answer.body["status"].as_str()), (201, Some("confirmed")), "{answer:?}");
    }
    let begun = Instant::now();
    while load.all("/v1/orders").await.len() != 9 {
        assert!(begun.elapsed() < SOON, "there are {} orders", load.all("/v1/orders").await.len());
    }
    platform.stop().await;
    platform.nobody_panicked();
}
