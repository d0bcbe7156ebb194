//! Named points at which a test has the process end at once, as `kill -9` would: nothing is flushed, nobody is told.
//!
//! `ORDERSTREAM_KILL_AT=NAME` ends it when it comes to the point NAME, `NAME:3` when it comes there for the third time. Only
//! builds with debug assertions know the points; in a release they are nothing.

/// Every point, in the order in which an order that is paid at once comes by. A test goes through all of them.
pub const KILL_POINTS: &[&str] = &[
    // The log: a batch is about to be written; it is on disk and nobody was told.
    "log.before_write",
    "log.after_write",
    // The work store: reactions are about to be written; they are on disk.
    "work.before_write",
    "work.after_write",
    // The payments process: the intent is on the log and the provider not yet called; it has answered and that is nowhere;
    // the outcome is on the log and the step not yet taken for done.
    "charge.before_call",
    "charge.after_call",
    "charge.recorded",
    "look_up.after_call",
    "void.before_call",
    "void.after_call",
    "refund.before_call",
    "refund.after_call",
    "refund.recorded",
];

/// Ends the process if this is where it is to end.
#[cfg(debug_assertions)]
pub fn kill_point(name: &str) {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    };
    static WHERE: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
        let told = std::env::var("ORDERSTREAM_KILL_AT").ok().filter(|told| !told.is_empty())?;
        let (name, times) = told.split_once(':').unwrap_or((&told, "1"));
        let known = KILL_POINTS.contains(&name);
        assert!(known, "ORDERSTREAM_KILL_AT names {name:?}, and the points are {KILL_POINTS:?}");
        let times = times.parse().expect("ORDERSTREAM_KILL_AT is NAME or NAME:TIMES");
        Some((name.to_owned(), AtomicU32::new(times)))
    });
    debug_assert!(KILL_POINTS.contains(&name), "{name} is not listed");
    if let Some((at, left)) = WHERE.as_ref()
        && at == name
        && left.fetch_sub(1, Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}

/// Ends nothing in a release.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn kill_point(_name: &str) {}
