//! Outages: nobody hammers a provider that is down, and when it is back everything drains at once, within the budget.

use std::{
    sync::atomic::Ordering::SeqCst,
    time::{Duration, Instant},
};

use domain::payment::PaymentTiming;
use gateway::{Behaviour, BreakerOptions, BreakerState, RetryOptions, method};
use orderstream_sagas::SagaOptions;
use tokio::time::sleep;

use crate::life::{Settings, World};

const HOUR: Duration = Duration::from_secs(3600);

fn settings(retries: RetryOptions) -> Settings {
    Settings {
        breaker: BreakerOptions { open_ms: 100, ..BreakerOptions::default() },
        retries,
        sagas: SagaOptions::default(),
        ..Settings::default()
    }
}

#[tokio::test]
async fn while_the_breaker_is_open_nothing_is_tried_and_then_all_that_waits_goes_on() {
    let world = World::new(settings(RetryOptions::default())).await;
    let ask = async || {
        for _ in 0..300 {
            world.ask(PaymentTiming::AtOrder, Some(method::OK), HOUR).await;
        }
    };
    let since = Instant::now();
    ask().await;
    world.ended().await.unwrap();
    // What the disk makes of it today.
    let in_peace = since.elapsed();
    world.behave(Behaviour { outage: true, ..Behaviour::default() });
    ask().await;
    let gateway = world.parts().gateway;
    world.until("open", async || matches!(gateway.state(), BreakerState::Open { .. })).await.unwrap();
    let calls = || world.network.traffic.unavailable.load(SeqCst);
    let (before, since) = (calls(), Instant::now());
    sleep(Duration::from_millis(1500)).await;
    let turns = u64::try_from(since.elapsed().as_millis()).unwrap() / 100 + 1;
    let tried = calls() - before;
    assert!((1..=turns * 3 * 2).contains(&tried), "{tried} calls in {turns} turns of three probes");
    world.behave(Behaviour::default());
    let drained = world.ended().await.unwrap();
    assert_eq!(world.audit().await.unwrap().kept, 600);
    assert!(drained < Duration::from_secs(4) + 2 * in_peace, "{drained:?}, {in_peace:?} without an outage");
    println!("300 payments drained in {drained:?} after an outage, and took {in_peace:?} without one");
}

#[tokio::test]
async fn retries_stay_within_their_budget_and_are_no_failures_while_they_wait() {
    // Failing calls must not open the breaker here.
    let breaker = BreakerOptions { window: 10_000, minimum_calls: 10_000, ..BreakerOptions::default() };
    let retries = RetryOptions { ratio: 0.0, per_second: 20 };
    let world = World::new(Settings { breaker, ..settings(retries) }).await;
    world.behave(Behaviour { drop_rate: 0.9, ..Behaviour::default() });
    let since = Instant::now();
    for _ in 0..150 {
        world.ask(PaymentTiming::AtOrder, Some(method::OK), HOUR).await;
    }
    world.until("charged", async || world.network.traffic.charges.load(SeqCst) >= 150).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    world.behave(Behaviour::default());
    world.ended().await.unwrap();
    let took = since.elapsed().as_secs_f64();
    let figures = world.parts().gateway.figures();
    let most = 20.0 * (took + 2.0) + 1.0;
    assert!(figures.retries as f64 <= most, "{} retries in {took} s", figures.retries);
    assert!(figures.retries_put_off > 0, "the budget was never used up");
    assert!(figures.retries >= 100, "most of them needed another try: {figures:?}");
    assert_eq!(figures.first_tries, 150);
    assert_eq!(world.audit().await.unwrap().kept, 150);
}
