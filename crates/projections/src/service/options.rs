//! How the views are run.

use std::time::Duration;

/// A check reads two tables at once while it fetches rows.
pub(super) const FEWEST_READERS: usize = 4;

/// How the views are run. The defaults are for one process on a machine with two processors.
#[derive(Clone, Debug)]
pub struct ViewOptions {
    /// Most events that a live consumer writes at once; a view that is further behind is catching up.
    pub live_window: usize,
    /// From so many waiting events on, a live consumer lingers before it takes them.
    pub busy_events: usize,
    /// How long it lingers: as much later readers see a rush, and as much less often a row is written in it.
    pub linger: Duration,
    /// Most events at once when catching up or building.
    pub rebuild_window: usize,
    /// Rows of a view that its consumer keeps in memory.
    pub live_cache_rows: usize,
    /// Rows of a view that a build keeps in memory.
    pub rebuild_cache_rows: usize,
    /// Read connections; at least 4.
    pub readers: usize,
    /// How long a build that was replaced stays for queries that began before.
    pub keep_retired: Duration,
    /// Events without meaning for a view after which its checkpoint is written all the same.
    pub idle_checkpoint: u64,
    /// Differing rows that a check shows; it counts all.
    pub shown_differences: usize,
}

impl Default for ViewOptions {
    fn default() -> Self {
        Self {
            live_window: 1_024,
            busy_events: 32,
            linger: Duration::from_millis(15),
            rebuild_window: 8_192,
            live_cache_rows: 8_192,
            rebuild_cache_rows: 16_384,
            readers: 4,
            keep_retired: Duration::from_secs(60),
            idle_checkpoint: 4_096,
            shown_differences: 20,
        }
    }
}
