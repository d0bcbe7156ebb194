//! The circuit breaker: after too many failures or slow calls it lets none through for a while, then a few, then all.
//!
//! ```text
//!            too many of the last calls failed or were slow
//!   Closed ------------------------------------------------> Open <----------------+
//!     ^                                                       | open_ms are over   |
//!     |        all probes succeeded, not too many slow        v                    | a probe failed,
//!     +--------------------------------------------------- HalfOpen ---------------+ or too many were slow
//! ```
//!
//! Invariants: a result counts only in the state in which its call was let through, so what was under way when the
//! breaker opened neither closes nor opens it again. In `HalfOpen` at most `probes` calls are under way, and a probe whose
//! caller went away gives its place back, so the state always ends. `HalfOpen` begins by the clock alone: nobody has to
//! call for it.
//!
//! Written here, since `tower-resilience-circuitbreaker` 0.14 does not fit: its window by count is no sliding window (it
//! adds up all calls since the last change of state, so that after 10,000 good calls it takes 10,000 bad ones to open, and
//! it judges nothing before `sliding_window_size` calls whatever `minimum_number_of_calls` says); late results of calls from
//! before it opened count among the probes; its state stays `Open` until somebody calls; and it reads the machine's clock,
//! so that no test can pause it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sagas::ports::GatewayError;
use tokio::time::Instant;

use super::{
    BreakerOptions,
    window::{Window, share},
};

/// While probes are under way, others ask again after so long. *Source*: ours; short beside what a probe takes.
const PROBING_PAUSE: Duration = Duration::from_millis(50);

/// Whether calls are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// All.
    Closed,
    /// None.
    Open {
        /// Until a few are.
        retry_after: Duration,
    },
    /// A few, to find out.
    HalfOpen,
}

impl BreakerState {
    /// Its name for logs and metrics: `closed`, `open`, `half_open`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open { .. } => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// Why a call is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the circuit breaker is open for another {} ms, since too many calls failed or were slow", .0.as_millis())]
    Open(Duration),
    #[error("the circuit breaker is half open and its {0} probes are under way")]
    Probing(usize),
}

pub(super) struct Counts {
    pub(super) calls: usize,
    pub(super) failures: usize,
    pub(super) slow: usize,
    pub(super) opened: u64,
    pub(super) refused: u64,
}

enum Phase {
    Closed,
    Open { until: Instant },
    HalfOpen { under_way: usize, succeeded: usize, slow: usize },
}

struct Inner {
    phase: Phase,
    /// Counts the changes of phase; results of calls from an earlier one are dropped.
    generation: u64,
    window: Window,
    opened: u64,
    refused: u64,
    last_error: Option<String>,
    /// While half open: since when tries are counted, and how many were permitted since.
    permitted: (Instant, usize),
}

pub(super) struct Breaker {
    options: BreakerOptions,
    inner: Mutex<Inner>,
}

impl Breaker {
    pub(super) fn new(options: BreakerOptions) -> Self {
        let window = Window::new(options.window.max(1));
        let inner = Inner {
            phase: Phase::Closed,
            generation: 0,
            window,
            opened: 0,
            refused: 0,
            last_error: None,
            permitted: (Instant::now(), 0),
        };
        Self { options, inner: Mutex::new(inner) }
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.lock().phase {
            Phase::Closed => BreakerState::Closed,
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
            Phase::Open { until } => match until.saturating_duration_since(Instant::now()) {
                Duration::ZERO => BreakerState::HalfOpen,
                retry_after => BreakerState::Open { retry_after },
            },
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let inner = self.lock();
        let window = &inner.window;
        Counts {
            calls: window.calls(),
            failures: window.failures(),
            slow: window.slow(),
            opened: inner.opened,
            refused: inner.refused,
        }
    }

    /// Whether a call has a chance, without letting one through.
    pub(super) fn ask(&self) -> Result<(), Refusal> {
        self.check(&mut self.lock())
    }

    pub(super) fn last_error(&self) -> Option<String> {
        self.lock().last_error.clone()
    }

    /// Whether somebody who has many calls to make may begin one; how long he has to wait if not. Counts nothing as refused.
    /// Half open, it lets as many begin as are to be found out by, and some more after a while, should those not have come.
    pub(super) fn permit(&self) -> Result<(), Duration> {
        let mut inner = self.lock();
        let now = Instant::now();
        match inner.phase {
            Phase::Closed => return Ok(()),
            Phase::Open { until } if until > now => return Err(until - now),
            Phase::HalfOpen { under_way, succeeded, .. } if under_way + succeeded >= self.probes() => {
                return Err(PROBING_PAUSE);
            }
            Phase::Open { .. } | Phase::HalfOpen { .. } => {}
        }
        let (since, permitted) = &mut inner.permitted;
        if now.saturating_duration_since(*since) >= PROBING_PAUSE {
            (*since, *permitted) = (now, 0);
        }
        if *permitted >= self.probes() {
            return Err(PROBING_PAUSE);
        }
        *permitted += 1;
        Ok(())
    }

    /// Lets a call through, or not.
    pub(super) fn admit(&self) -> Result<Admission<'_>, Refusal> {
        let mut inner = self.lock();
        self.check(&mut inner)?;
        if matches!(inner.phase, Phase::Open { .. }) {
            inner.turn(Phase::HalfOpen { under_way: 0, succeeded: 0, slow: 0 });
            tracing::info!(probes = self.probes(), "the payment provider's circuit breaker is half open");
        }
        if let Phase::HalfOpen { under_way, .. } = &mut inner.phase {
            *under_way += 1;
        }
        Ok(Admission { breaker: self, generation: inner.generation, since: Instant::now(), open: true })
    }

    fn check(&self, inner: &mut Inner) -> Result<(), Refusal> {
        let now = Instant::now();
        let refusal = match inner.phase {
            Phase::Open { until } if until > now => Refusal::Open(until - now),
            Phase::HalfOpen { under_way, succeeded, .. } if under_way + succeeded >= self.probes() => {
                Refusal::Probing(self.probes())
            }
            _ => return Ok(()),
        };
        inner.refused += 1;
        Err(refusal)
    }

    fn record(&self, generation: u64, error: Option<&GatewayError>, took: Duration) {
        let is_slow = took >= Duration::from_millis(self.options.slow_call_ms);
        let failed = error.is_some();
        let mut inner = self.lock();
        if let Some(error) = error {
            inner.last_error = Some(error.to_string());
        }
        if inner.generation != generation {
            return;
        }
        match &mut inner.phase {
            Phase::Open { .. } => {}
            Phase::Closed => {
                inner.window.add(failed, is_slow);
                let (calls, failures, slow) =
                    (inner.window.calls(), inner.window.failures(), inner.window.slow());
                let (failure_rate, slow_rate) = (share(failures, calls), share(slow, calls));
                let too_many =
                    failure_rate >= self.options.failure_rate || slow_rate >= self.options.slow_call_rate;
                if let Some(error) = error.filter(|_| failures == 1) {
                    tracing::warn!(calls, %error, "a call to the payment provider failed; it is made again");
                }
                if calls >= self.options.minimum_calls && too_many {
                    self.open(&mut inner);
                    let last_error = inner.last_error.as_deref().filter(|_| failures > 0);
                    tracing::warn!(
                        calls,
                        failure_rate,
                        slow_rate,
                        last_error,
                        open_ms = self.options.open_ms,
                        "the payment provider's circuit breaker opened"
                    );
                }
            }
            Phase::HalfOpen { under_way, succeeded, slow } => {
                *under_way -= 1;
                *succeeded += usize::from(!failed);
                *slow += usize::from(is_slow);
                let (succeeded, slow) = (*succeeded, *slow);
                let all_in = succeeded >= self.probes();
                let slow_rate = share(slow, succeeded);
                if failed || all_in && slow_rate >= self.options.slow_call_rate {
                    self.open(&mut inner);
                    let last_error = inner.last_error.as_deref().filter(|_| failed);
                    tracing::warn!(
                        succeeded,
                        slow_rate,
                        last_error,
                        open_ms = self.options.open_ms,
                        "the payment provider's circuit breaker opened again: a probe failed or too many were slow"
                    );
                } else if all_in {
                    inner.turn(Phase::Closed);
                    tracing::info!(succeeded, slow_rate, "the payment provider's circuit breaker closed");
                }
            }
        }
    }

    fn open(&self, inner: &mut Inner) {
        inner.opened += 1;
        inner.turn(Phase::Open { until: Instant::now() + Duration::from_millis(self.options.open_ms) });
    }

    fn give_back(&self, generation: u64) {
        let mut inner = self.lock();
        if inner.generation == generation
            && let Phase::HalfOpen { under_way, .. } = &mut inner.phase
        {
            *under_way -= 1;
        }
    }

    fn probes(&self) -> usize {
        self.options.probes.max(1)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn turn(&mut self, phase: Phase) {
        self.phase = phase;
        self.generation += 1;
        self.window.clear();
    }
}

/// A call that was let through. Dropped without a result, it counts as never made.
pub(super) struct Admission<'a> {
    breaker: &'a Breaker,
    generation: u64,
    since: Instant,
    open: bool,
}

impl Admission<'_> {
    pub(super) fn finish(mut self, error: Option<&GatewayError>) {
        self.open = false;
        self.breaker.record(self.generation, error, self.since.elapsed());
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.open {
            self.breaker.give_back(self.generation);
        }
    }
}
