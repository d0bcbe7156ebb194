//! What the processes use while the load runs.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::usage;

/// How often it is looked at.
const EVERY: Duration = Duration::from_millis(500);

/// One look.
#[derive(Clone, Debug)]
pub(super) struct Look {
    at: Duration,
    memory_mib: f64,
    cpu: Vec<Duration>,
}

/// Looks at `processes` until it is stopped; memory is that of the first.
pub(super) async fn watch(processes: Vec<u32>, begin: Instant, stop: CancellationToken) -> Vec<Look> {
    let mut looks = Vec::new();
    let mut ticks = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return looks,
            _ = ticks.tick() => looks.push(Look {
                at: begin.elapsed(),
                memory_mib: usage::memory_mib(processes[0]),
                cpu: processes.iter().map(|process| usage::cpu(*process)).collect(),
            }),
        }
    }
}

/// The look that was nearest to `at`.
fn nearest(looks: &[Look], at: Duration) -> Option<&Look> {
    looks.iter().min_by_key(|look| look.at.abs_diff(at))
}

/// Memory of the server then. MiB.
pub(super) fn memory_mib(looks: &[Look], at: Duration) -> f64 {
    nearest(looks, at).map_or(0.0, |look| look.memory_mib)
}

/// Cores used by each process in between.
pub(super) fn cores(looks: &[Look], from: Duration, to: Duration) -> Vec<f64> {
    let (Some(first), Some(last)) = (nearest(looks, from), nearest(looks, to)) else { return Vec::new() };
    let elapsed = last.at.saturating_sub(first.at).as_secs_f64().max(0.001);
    let used = first.cpu.iter().zip(&last.cpu).map(|(before, after)| after.saturating_sub(*before));
    used.map(|used| used.as_secs_f64() / elapsed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_time_used_by_time_passed() {
        let look = |at: u64, used: u64, memory_mib: f64| Look {
            at: Duration::from_secs(at),
            memory_mib,
            cpu: vec![Duration::from_secs(used)],
        };
        let looks = [look(0, 5, 10.0), look(10, 10, 20.0), look(20, 30, 40.0)];
        assert_eq!(cores(&looks, Duration::from_secs(10), Duration::from_secs(21)), [2.0]);
        assert_eq!(memory_mib(&looks, Duration::from_secs(1)), 10.0);
        assert!(cores(&[], Duration::ZERO, Duration::ZERO).is_empty());
    }
}
