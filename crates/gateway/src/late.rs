//! Answers that come after the deadline.
//!
//! At the deadline a caller is told that the outcome is not known. The request goes on for a while all the same: its answer
//! is usually on its way, and whoever looks the key up next has it without waiting for the provider once more. With a
//! deadline at the end of the provider's range of latencies this is the common case of an unknown outcome.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sagas::ports::{ChargeOutcome, GatewayError};
use tokio::task::JoinHandle;

/// A charge under way.
pub(crate) type Charging = JoinHandle<Result<ChargeOutcome, GatewayError>>;

/// How many are remembered. *Source*: ours; some seconds of a provider that answers nothing in time.
const MOST: usize = 1_024;
/// How long. *Source*: ours; a look-up follows within a second or two, unless the circuit breaker is open.
const KEPT: Duration = Duration::from_secs(10);

/// Charges whose caller waits no longer, by key.
#[derive(Default)]
pub(crate) struct LateAnswers(Mutex<HashMap<String, (Instant, Charging)>>);

impl LateAnswers {
    /// Keeps a charge for whoever looks it up. One too many is not kept: it goes on, and nobody hears of it.
    pub(crate) fn keep(&self, key: &str, charging: Charging) {
        let mut late = self.all();
        if late.len() >= MOST {
            late.retain(|_, (since, _)| since.elapsed() < KEPT);
        }
        if late.len() < MOST {
            late.insert(key.to_owned(), (Instant::now(), charging));
        }
    }

    /// The charge under `key`, if one is kept.
    pub(crate) fn take(&self, key: &str) -> Option<Charging> {
        self.all().remove(key).map(|(_, charging)| charging)
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, (Instant, Charging)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_more_are_kept_than_can_be() {
        let late = LateAnswers::default();
        for number in 0..=MOST {
            late.keep(&number.to_string(), tokio::spawn(std::future::pending()));
        }
        assert!(late.take("0").is_some() && late.take("0").is_none());
        assert!(late.take(&MOST.to_string()).is_none());
    }
}
