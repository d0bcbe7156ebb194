//! The whole of it, as `connect` puts it together: adapter, bulkhead and circuit breaker, before a real server.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures::future::join_all;
use orderstream_gateway::{
    Behaviour, BreakerOptions, BreakerState, GatewayOptions, Guarded, HttpGateway, connect, method,
};
use sagas::{Availability, GatewayError, PaymentGateway};

use super::support::{Provider, krw, until};

const OPEN_MS: u64 = 300;

fn guarded(provider: &Provider, change: impl FnOnce(&mut GatewayOptions)) -> Arc<Guarded<HttpGateway>> {
    let mut options = GatewayOptions {
        url: provider.server.url(),
        deadline_ms: 1000,
        breaker: BreakerOptions { open_ms: OPEN_MS, minimum_calls: 10, ..BreakerOptions::default() },
        ..GatewayOptions::default()
    };
    change(&mut options);
    connect(&options).unwrap()
}

async fn charge(gateway: &dyn PaymentGateway, number: u32) -> Result<(), GatewayError> {
    gateway.charge(&format!("p{number}:1"), krw(10), method::OK).await.map(|_| ())
}

#[tokio::test]
async fn an_outage_opens_it_calls_are_refused_within_a_millisecond_and_it_closes_when_the_provider_is_back() {
    let provider = Provider::start().await;
    let gateway = guarded(&provider, |_| {});
    charge(&*gateway, 0).await.unwrap();
    provider.behave(Behaviour { outage: true, ..Behaviour::default() }).await;
    let mut number = 1;
    while gateway.state() == BreakerState::Closed {
        let failed = charge(&*gateway, number).await;
        assert!(matches!(&failed, Err(GatewayError::Unknown(text)) if text.contains("503")), "{failed:?}");
        number += 1;
    }
    assert_eq!(number, 10, "nine failures of ten calls");

    let mut quickest = Duration::MAX;
    for number in 100..200 {
        let before = Instant::now();
        let refused = charge(&*gateway, number).await;
        quickest = quickest.min(before.elapsed());
        assert!(
            matches!(&refused, Err(GatewayError::Unavailable(text)) if text.contains("circuit breaker is open"))
        );
    }
    assert!(quickest < Duration::from_millis(1), "{quickest:?}");
    let Availability::Unavailable { retry_after } = gateway.availability() else {
        panic!("an open breaker is said to be available");
    };
    assert!(retry_after <= Duration::from_millis(OPEN_MS));

    until(async || gateway.state() == BreakerState::HalfOpen).await;
    assert_eq!(gateway.availability(), Availability::Available);
    assert!(charge(&*gateway, 300).await.is_err(), "a probe goes through and fails");
    assert!(matches!(gateway.state(), BreakerState::Open { .. }));

    provider.behave(Behaviour::default()).await;
    until(async || gateway.state() == BreakerState::HalfOpen).await;
    for number in 400..403 {
        charge(&*gateway, number).await.unwrap();
    }
    assert_eq!(gateway.state(), BreakerState::Closed);
    let moved = provider.moved().await;
    let keys: Vec<_> = moved.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["p0:1", "p400:1", "p401:1", "p402:1"], "what was refused was not sent");
    assert_eq!(gateway.figures().opened, 2);
}

#[tokio::test]
async fn a_provider_that_answers_too_late_opens_it_by_slowness() {
    let provider = Provider::start().await;
    provider.behave(Behaviour { late_answer_ms: 60, ..Behaviour::default() }).await;
    let gateway = guarded(&provider, |options| options.breaker.slow_call_ms = 50);
    let charges = (0..10).map(|number| charge(&*gateway, number));
    assert!(join_all(charges).await.iter().all(Result::is_ok));
    assert!(matches!(gateway.state(), BreakerState::Open { .. }));
    assert_eq!(provider.moved().await.len(), 10);
}

#[tokio::test]
async fn a_full_bulkhead_makes_callers_wait_and_does_not_open_the_breaker() {
    let provider = Provider::start().await;
    provider.behave(Behaviour { latency_min_ms: 50, latency_max_ms: 50, ..Behaviour::default() }).await;
    let gateway = guarded(&provider, |options| {
        options.max_concurrent = 4;
        options.breaker.slow_call_ms = 500;
    });
    let before = Instant::now();
    let answers = join_all((0..40).map(|number| charge(&*gateway, number))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert!(before.elapsed() >= Duration::from_millis(500), "four at once: {:?}", before.elapsed());
    assert_eq!(gateway.state(), BreakerState::Closed);
    assert_eq!(provider.moved().await.len(), 40);
}

#[tokio::test]
async fn calls_beyond_the_bulkhead_are_refused_unsent_once_they_waited_for_the_deadline() {
    let provider = Provider::start().await;
    provider.behave(Behaviour { latency_min_ms: 250, latency_max_ms: 250, ..Behaviour::default() }).await;
    let gateway = guarded(&provider, |options| {
        options.max_concurrent = 1;
        options.deadline_ms = 400;
        options.connect_timeout_ms = 200;
    });
    let answers = join_all((0..5).map(|number| charge(&*gateway, number))).await;
    let made = answers.iter().filter(|answer| answer.is_ok()).count();
    let unsent = answers.iter().filter(
        |answer| matches!(answer, Err(GatewayError::Unavailable(text)) if text.contains("calls were under way")),
    );
    assert_eq!((made, made + unsent.count()), (2, 5), "{answers:?}");
    assert_eq!(provider.moved().await.len(), made);
}
