//! Many histories, on as many cores as there are.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{Counters, Setup, tell};

/// A history in which something is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// What is wrong.
    pub what: String,
}

/// What many histories came to.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many were told.
    pub seeds: u64,
    /// Their events.
    pub events: u64,
    /// Their steps.
    pub steps: u64,
    /// How often each fault happened.
    pub faults: Counters,
    /// How often each event happened.
    pub told_of: BTreeMap<&'static str, u64>,
    /// The first history in which something is wrong. None behind it is told.
    pub failure: Option<Failure>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Summary {
    /// Histories per second.
    #[must_use]
    pub fn seeds_per_sec(&self) -> f64 {
        self.seeds as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

/// Tells the histories of these seeds, all else as in `setup`, on `threads` threads. Which is told where makes no
/// difference: they share nothing. `told` is called after each.
#[must_use]
pub fn tell_many(seeds: Range<u64>, setup: &Setup, threads: usize, told: impl Fn() + Sync) -> Summary {
    let began = Instant::now();
    let next = AtomicU64::new(seeds.start);
    // The smallest seed that failed: nothing behind it is begun.
    let end = AtomicU64::new(seeds.end);
    let sum = Mutex::new(Summary::default());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end.load(Ordering::Relaxed) {
                        return;
                    }
                    let history = tell(&Setup { seed, ..setup.clone() });
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    sum.seeds += 1;
                    sum.events += history.events();
                    sum.steps += history.steps();
                    sum.faults.add(history.faults());
                    for (name, count) in history.told_of() {
                        *sum.told_of.entry(name).or_default() += count;
                    }
                    if let Err(what) = history.outcome
                        && sum.failure.as_ref().is_none_or(|failure| seed < failure.seed)
                    {
                        sum.failure = Some(Failure { seed, what });
                        end.fetch_min(seed, Ordering::Relaxed);
                    }
                    drop(sum);
                    told();
                }
            });
        }
    });
    let mut sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    sum.elapsed = began.elapsed();
    sum
}
