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
    /// Share of calls that are carried out and answered 200 with a body that is no JSON. 0.0 to 1.0; with `wrong_body_rate` and
    /// `drop_rate`, at most 1.0 in all.
    pub garbage_rate: f64,
    /// Share of calls that are carried out and answered 200 with JSON that is no answer to them: another status, or no
    /// reference. 0.0 to 1.0.
    pub wrong_body_rate: f64,
    /// Share of calls that are carried out and whose connection is closed without an answer. 0.0 to 1.0.
    pub drop_rate: f64,
}

/// What goes wrong with the answer to a call that was carried out: the books are written (for a look-up: read) before. Inside
/// the process each of them is [`GatewayError::Unknown`](sagas::ports::GatewayError::Unknown).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 200, and no JSON.
    Garbage,
    /// 200, and JSON of another shape.
    WrongBody,
    /// No answer.
    Drop,
}

impl Fault {
    /// In words.
    pub(crate) fn told(self) -> &'static str {
        match self {
            Self::Garbage => "the sandbox answers what is no JSON, as it was told to",
            Self::WrongBody => "the sandbox answers something else, as it was told to",
            Self::Drop => "the sandbox closes the connection, as it was told to",
        }
    }
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
    #[error("{field} is {share}: give a share from 0.0 to 1.0")]
    Share {
        /// Which field.
        field: &'static str,
        /// What stands there.
        share: f64,
    },
    /// More than all calls.
    #[error("garbage_rate, wrong_body_rate and drop_rate come to {0}: give at most 1.0 in all")]
    Faults(f64),
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
        for (field, share) in [
            ("fail_rate", self.fail_rate),
            ("garbage_rate", self.garbage_rate),
            ("wrong_body_rate", self.wrong_body_rate),
            ("drop_rate", self.drop_rate),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(BehaviourError::Share { field, share });
            }
        }
        let faults = self.garbage_rate + self.wrong_body_rate + self.drop_rate;
        // Shares such as 0.1, 0.2 and 0.7 do not add up exactly.
        if faults > 1.0 + f64::EPSILON { Err(BehaviourError::Faults(faults)) } else { Ok(()) }
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

    /// What goes wrong with the answer to this call, if anything does.
    pub(crate) fn fault(&self) -> Option<Fault> {
        let mut drawn = rand::rng().random::<f64>();
        for (fault, rate) in [
            (Fault::Garbage, self.garbage_rate),
            (Fault::WrongBody, self.wrong_body_rate),
            (Fault::Drop, self.drop_rate),
        ] {
            if drawn < rate {
                return Some(fault);
            }
            drawn -= rate;
        }
        None
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
        assert!(wrong(|b| b.fail_rate = 1.5).contains("fail_rate is 1.5"));
        assert!(wrong(|b| b.garbage_rate = -0.1).contains("garbage_rate is -0.1"));
        assert!(wrong(|b| b.wrong_body_rate = 2.0).contains("wrong_body_rate is 2"));
        assert!(wrong(|b| b.drop_rate = f64::INFINITY).contains("drop_rate is inf"));
        assert!(wrong(|b| (b.drop_rate, b.garbage_rate) = (0.6, 0.5)).contains("come to 1.1"));
        assert!(wrong(|b| b.fail_rate = f64::NAN).contains("NaN"));
    }
}
