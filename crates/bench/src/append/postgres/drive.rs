//! Callers who each wait for the answer before they ask again, for a while.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use super::Failure;

/// The share of a measurement that is run before it, uncounted: connections, plans and caches are made then.
pub(super) const WARM_UP: f64 = 0.25;

/// Somebody who has something done again and again.
pub(super) trait Caller: Send + 'static {
    /// Once. One event is on disk then.
    fn once(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// What it gave.
#[derive(Clone, Copy)]
pub(super) struct Yield {
    pub(super) events_per_second: f64,
    pub(super) p50_millis: f64,
    pub(super) p99_millis: f64,
}

/// Lets all callers call at once for `seconds`.
pub(super) async fn drive<C: Caller>(callers: Vec<C>, seconds: f64) -> Result<Yield, Failure> {
    let from = Instant::now() + Duration::from_secs_f64(seconds * WARM_UP);
    let until = from + Duration::from_secs_f64(seconds);
    let tasks: Vec<_> = callers.into_iter().map(|caller| tokio::spawn(call(caller, from, until))).collect();
    let mut latencies = Histogram::<u64>::new(3)?;
    for task in tasks {
        for latency in task.await?? {
            latencies.record(u64::try_from(latency.as_micros())?)?;
        }
    }
    let millis = |quantile| latencies.value_at_quantile(quantile) as f64 / 1_000.0;
    Ok(Yield {
        events_per_second: latencies.len() as f64 / seconds,
        p50_millis: millis(0.5),
        p99_millis: millis(0.99),
    })
}

/// How long each call took that was answered in the time that counts.
async fn call<C: Caller>(mut caller: C, from: Instant, until: Instant) -> Result<Vec<Duration>, Failure> {
    let mut latencies = Vec::new();
    loop {
        let begun = Instant::now();
        if begun >= until {
            return Ok(latencies);
        }
        caller.once().await?;
        let answered = Instant::now();
        if answered >= from && answered < until {
            latencies.push(answered - begun);
        }
    }
}
