//! How the sandbox behaves: what a test or a demo may change while it runs.

use std::time::Duration;

use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::sandbox::SandboxOptions;

/// The slowest sandbox. Milliseconds. *Source*: ours; no caller waits longer than minutes, so more is a typing error.
const MAX_DELAY_MS: u64 = 600_000;

/// How the sandbox behaves. In JSON, what is left out is zero or false.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// An answer takes at least so long. Milliseconds, up to 600000.
    #[schema(example = 400)]
    pub latency_min_ms: u64,
    /// An answer takes at most so long. Milliseconds, up to 600000.
    #[schema(example = 620)]
    pub latency_max_ms: u64,
    /// Share of calls that fail without having done anything. 0.0 to 1.0.
    #[schema(example = 0.1)]
    pub fail_rate: f64,
    /// Whether every call fails at once without having done anything.
    pub outage: bool,
    /// An answer is held back so long after the books were written: money has moved, and the caller does not know.
    /// Milliseconds, up to 600000.
    pub late_answer_ms: u64,
}

/// Why the sandbox cannot behave so.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BehaviourError {
    /// The wrong way round.
    #[error("latency_min_ms ({min}) is more than latency_max_ms ({max}): give the smaller one first")]
    Latency {
        /// At least.
        min: u64,
        /// At most.
        max: u64,
    },
    /// Too slow to be meant.
    #[error("{field} is {millis}: give at most {MAX_DELAY_MS} milliseconds")]
    TooSlow {
        /// Which field.
        field: &'static str,
        /// What stands there.
        millis: u64,
    },
    /// Not a share.
    #[error("fail_rate is {0}: give a share from 0.0 to 1.0")]
    FailRate(f64),
}

impl Behaviour {
    /// Whether it can be.
    ///
    /// # Errors
    /// See [`BehaviourError`].
    pub fn check(&self) -> Result<(), BehaviourError> {
        if self.latency_min_ms > self.latency_max_ms {
            return Err(BehaviourError::Latency { min: self.latency_min_ms, max: self.latency_max_ms });
        }
        for (field, millis) in
            [("latency_max_ms", self.latency_max_ms), ("late_answer_ms", self.late_answer_ms)]
        {
            if millis > MAX_DELAY_MS {
                return Err(BehaviourError::TooSlow { field, millis });
            }
        }
        if !(0.0..=1.0).contains(&self.fail_rate) {
            return Err(BehaviourError::FailRate(self.fail_rate));
        }
        Ok(())
    }

    /// How long this call takes before anything happens.
    pub(crate) fn latency(&self) -> Duration {
        let most = self.latency_max_ms.max(self.latency_min_ms);
        Duration::from_millis(rand::rng().random_range(self.latency_min_ms..=most))
    }

    /// Whether this call fails.
    pub(crate) fn fails(&self) -> bool {
        self.fail_rate > 0.0 && rand::rng().random_bool(self.fail_rate.clamp(0.0, 1.0))
    }

    /// How long its answer is held back.
    pub(crate) fn late(&self) -> Duration {
        Duration::from_millis(self.late_answer_ms)
    }
}

impl From<SandboxOptions> for Behaviour {
    fn from(options: SandboxOptions) -> Self {
        Self {
            latency_min_ms: *options.latency_ms.start(),
            latency_max_ms: *options.latency_ms.end(),
            fail_rate: options.fail_rate,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_with_the_value() {
        let wrong = |change: fn(&mut Behaviour)| {
            let mut behaviour = Behaviour::default();
            change(&mut behaviour);
            behaviour.check().unwrap_err().to_string()
        };
        assert!(Behaviour::default().check().is_ok());
        assert!(wrong(|b| b.latency_min_ms = 5).contains("latency_min_ms (5)"));
        assert!(wrong(|b| b.latency_max_ms = 600_001).contains("latency_max_ms is 600001"));
        assert!(wrong(|b| b.late_answer_ms = u64::MAX).contains("late_answer_ms"));
        assert!(wrong(|b| b.fail_rate = 1.5).contains("1.5"));
        assert!(wrong(|b| b.fail_rate = f64::NAN).contains("NaN"));
    }
}
