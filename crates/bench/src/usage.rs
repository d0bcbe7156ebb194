//! What a process uses of the machine, as Linux tells it. Elsewhere nothing is known, and shown as zero.

use std::time::{Duration, Instant};

/// Ticks of a second in /proc. *Source*: proc(5); 100 on every Linux that Rust's standard library supports.
const TICKS: u64 = 100;

/// CPU time that a process has used since it started.
pub(crate) fn cpu(process: u32) -> Duration {
    let used = std::fs::read_to_string(format!("/proc/{process}/stat")).ok().and_then(|stat| ticks(&stat));
    Duration::from_millis(used.unwrap_or(0) * 1_000 / TICKS)
}

/// Memory that a process holds now (RSS). MiB.
pub(crate) fn memory_mib(process: u32) -> f64 {
    status_mib(&format!("/proc/{process}/status"), "VmRSS:")
}

/// The most memory that this process ever held. MiB.
pub(crate) fn own_peak_mib() -> f64 {
    status_mib("/proc/self/status", "VmHWM:")
}

fn status_mib(path: &str, field: &str) -> f64 {
    let status = std::fs::read_to_string(path).unwrap_or_default();
    let kib = status.lines().find_map(|line| line.strip_prefix(field));
    kib.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or(0.0) / 1_024.0
}

/// User and system time, fields 14 and 15. The name in field 2 may hold anything, and ends with the last parenthesis.
fn ticks(stat: &str) -> Option<u64> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
}

/// How many cores' worth of time processes use from now on.
pub(crate) struct Meter {
    since: Instant,
    before: Vec<(u32, Duration)>,
}

impl Meter {
    pub(crate) fn of(processes: &[u32]) -> Self {
        Self { since: Instant::now(), before: processes.iter().map(|id| (*id, cpu(*id))).collect() }
    }

    /// Cores used on average, in the order in which the processes were named.
    pub(crate) fn cores(&self) -> Vec<f64> {
        let elapsed = self.since.elapsed().as_secs_f64().max(0.001);
        self.before
            .iter()
            .map(|(id, before)| cpu(*id).saturating_sub(*before).as_secs_f64() / elapsed)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_does_not_move_the_fields() {
        let stat = "42 (a) (b c) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 100 0 0";
        assert_eq!(ticks(stat), Some(300));
        assert_eq!(ticks("nonsense"), None);
    }
}
