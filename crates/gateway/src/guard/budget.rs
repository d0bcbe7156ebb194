//! How many retries there may be: a bucket of tokens, into which every first try puts a share of a token, and the clock so
//! many a second.
//!
//! After an outage everybody who waited tries again. Without a bound, a provider that has just come back meets all of them
//! at once, on top of what is new, and goes down again; with this one, retries are never more than a share of the first
//! tries and a small steady rate, which is there also when nothing new comes in.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// How many retries there may be. A retry is a further try of a charge or a refund after one that failed: a look-up, and the
/// call itself if nothing is known. What is over the budget waits; nothing is given up.
///
/// *Source* of the defaults: a fifth is what proxies and RPC libraries commonly allow (Finagle 20 %, Envoy 20 %); 50 a second
/// are half of what the originals' 100 users ask for at once, and keep everything moving when nothing new comes in.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryOptions {
    /// So many retries for each first try. 0.0 to 1.0.
    pub ratio: f64,
    /// And so many every second, at least 1.
    pub per_second: u32,
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self { ratio: 0.2, per_second: 50 }
    }
}

/// What is not used is kept for so long, at the steady rate. Seconds. *Source*: ours; a burst that a provider in good
/// health does not notice.
const KEPT_SECS: f64 = 2.0;
/// What counts as a token: ten tenths are not quite one.
const ONE: f64 = 1.0 - 1e-6;

struct Bucket {
    tokens: f64,
    at: Instant,
    first_tries: u64,
    retries: u64,
    put_off: u64,
}

pub(super) struct BudgetCounts {
    pub(super) first_tries: u64,
    pub(super) retries: u64,
    pub(super) put_off: u64,
    pub(super) left: u64,
}

pub(super) struct Budget {
    ratio: f64,
    per_second: f64,
    bucket: Mutex<Bucket>,
}

impl Budget {
    pub(super) fn new(options: RetryOptions) -> Self {
        let per_second = f64::from(options.per_second.max(1));
        let tokens = per_second * KEPT_SECS;
        let bucket = Bucket { tokens, at: Instant::now(), first_tries: 0, retries: 0, put_off: 0 };
        Self { ratio: options.ratio.clamp(0.0, 1.0), per_second, bucket: Mutex::new(bucket) }
    }

    pub(super) fn first_try(&self) {
        self.with(|bucket| {
            bucket.first_tries += 1;
            bucket.tokens = (bucket.tokens + self.ratio).min(self.most());
        });
    }

    /// Takes a token, or says when there will be one.
    pub(super) fn retry(&self) -> Result<(), Duration> {
        self.with(|bucket| {
            if bucket.tokens >= ONE {
                bucket.tokens = (bucket.tokens - 1.0).max(0.0);
                bucket.retries += 1;
                return Ok(());
            }
            bucket.put_off += 1;
            Err(Duration::from_secs_f64((1.0 - bucket.tokens) / self.per_second))
        })
    }

    pub(super) fn counts(&self) -> BudgetCounts {
        self.with(|bucket| BudgetCounts {
            first_tries: bucket.first_tries,
            retries: bucket.retries,
            put_off: bucket.put_off,
            // Never below zero, nor above some hundred thousand.
            left: (bucket.tokens + 1.0 - ONE) as u64,
        })
    }

    fn most(&self) -> f64 {
        self.per_second * KEPT_SECS
    }

    fn with<T>(&self, then: impl FnOnce(&mut Bucket) -> T) -> T {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + since * self.per_second).min(self.most());
        bucket.at = now;
        then(&mut bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retries(budget: &Budget) -> usize {
        (0..10_000).take_while(|_| budget.retry().is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn retries_are_a_share_of_first_tries_beyond_a_steady_rate() {
        let budget = Budget::new(RetryOptions { ratio: 0.2, per_second: 10 });
        assert_eq!(retries(&budget), 20, "what two seconds give");
        for _ in 0..50 {
            budget.first_try();
        }
        assert_eq!(retries(&budget), 10, "a fifth of fifty");
        tokio::time::advance(Duration::from_millis(500)).await;
        assert_eq!(retries(&budget), 5, "half a second's");
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert_eq!(retries(&budget), 20, "an hour's rest is no burst");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_put_off_is_told_when_to_come_again() {
        let budget = Budget::new(RetryOptions { ratio: 0.0, per_second: 10 });
        retries(&budget);
        let Err(wait) = budget.retry() else { panic!("there is a token left") };
        assert!(wait <= Duration::from_millis(100) && wait > Duration::from_millis(90), "{wait:?}");
        tokio::time::advance(wait + Duration::from_millis(1)).await;
        assert_eq!(budget.retry(), Ok(()));
        let counts = budget.counts();
        assert_eq!((counts.retries, counts.put_off, counts.left), (21, 2, 0));
    }
}
