//! Callers who each wait for the answer before they ask again, for a while.

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::{
    Failure,
    stats::{latencies, record},
};

/// The share of a measurement that is run before it, uncounted: connections, plans and caches are made then.
pub(crate) const WARM_UP: f64 = 0.25;

/// Somebody who has something done again and again.
pub(crate) trait Caller: Send + 'static {
    /// Once; whether it counts. A refusal does not, an error ends the measurement.
    fn once(&mut self) -> impl Future<Output = Result<bool, Failure>> + Send;
}

/// What it gave.
pub(crate) struct Yield {
    /// What counts, of the measured time.
    pub(crate) per_second: f64,
    pub(crate) latency: Histogram<u64>,
    /// What did not count, warming up included.
    pub(crate) refused: u64,
    /// What counts, warming up included.
    pub(crate) done: u64,
}

/// Lets all callers call at once for `seconds`.
pub(crate) async fn drive<C: Caller>(callers: Vec<C>, seconds: f64) -> Result<Yield, Failure> {
    let from = Instant::now() + Duration::from_secs_f64(seconds * WARM_UP);
    let until = from + Duration::from_secs_f64(seconds);
    let tasks: Vec<_> = callers.into_iter().map(|caller| tokio::spawn(call(caller, from, until))).collect();
    let (mut latency, mut refused, mut done) = (latencies(), 0, 0);
    for task in tasks {
        let own = task.await??;
        for took in own.counted {
            record(&mut latency, took);
        }
        refused += own.refused;
        done += own.done;
    }
    Ok(Yield { per_second: latency.len() as f64 / seconds, latency, refused, done })
}

#[derive(Default)]
struct Calls {
    /// How long each call took that was answered in the time that counts.
    counted: Vec<Duration>,
    refused: u64,
    done: u64,
}

async fn call<C: Caller>(mut caller: C, from: Instant, until: Instant) -> Result<Calls, Failure> {
    let mut calls = Calls::default();
    loop {
        let begun = Instant::now();
        if begun >= until {
            return Ok(calls);
        }
        if !caller.once().await? {
            calls.refused += 1;
            continue;
        }
        calls.done += 1;
        let answered = Instant::now();
        if answered >= from && answered < until {
            calls.counted.push(answered - begun);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refuses every other time, and takes a while.
    struct Everyother(u32);

    impl Caller for Everyother {
        async fn once(&mut self) -> Result<bool, Failure> {
            tokio::time::sleep(Duration::from_millis(5)).await;
            self.0 += 1;
            Ok(self.0.is_multiple_of(2))
        }
    }

    #[tokio::test]
    async fn neither_refusals_nor_warming_up_count() {
        let run = drive(vec![Everyother(0), Everyother(0)], 0.4).await.unwrap();
        let counted = run.latency.len();
        assert!(run.refused >= run.done && run.done > counted, "{} {} {counted}", run.refused, run.done);
        assert_eq!(run.per_second, counted as f64 / 0.4);
        assert!((5..100).contains(&run.latency.value_at_quantile(0.5).div_euclid(1_000)));
    }
}
