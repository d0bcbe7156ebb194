//! Time comes from a clock that is handed in, so that tests can set it.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::Timestamp;

/// Tells the time: UTC, microseconds.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

fn timestamp(micros: i64) -> Timestamp {
    Timestamp::from_timestamp_micros(micros).unwrap_or_default()
}

/// The machine's clock; never goes back within the process, even when the machine's clock is set back.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicI64,
}

impl SystemClock {
    /// A clock.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = chrono::Utc::now().timestamp_micros();
        timestamp(self.latest.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    micros: AtomicI64,
}

impl ManualClock {
    /// Stands at `at`, microsecond precision.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self { micros: AtomicI64::new(at.timestamp_micros()) }
    }

    /// Moves to `at`.
    pub fn set(&self, at: Timestamp) {
        self.micros.store(at.timestamp_micros(), Ordering::SeqCst);
    }

    /// Moves on by `by` (its microseconds).
    pub fn advance(&self, by: std::time::Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.micros.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        timestamp(self.micros.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_never_goes_back_and_has_whole_microseconds() {
        let clock = SystemClock::new();
        let ahead = chrono::Utc::now().timestamp_micros() + 60_000_000;
        clock.latest.store(ahead, Ordering::Relaxed);
        assert_eq!(clock.now().timestamp_micros(), ahead);
        assert_eq!(clock.now().timestamp_subsec_nanos() % 1000, 0);
    }

    #[test]
    fn the_manual_clock_moves_only_when_told() {
        let clock = ManualClock::new(timestamp(5));
        assert_eq!(clock.now(), timestamp(5));
        clock.advance(std::time::Duration::from_micros(7));
        assert_eq!(clock.now(), timestamp(12));
        clock.set(timestamp(3));
        assert_eq!(clock.now(), timestamp(3));
    }
}
