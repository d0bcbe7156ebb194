//! Named points at which a test has the process end at once, as `kill -9` would: nothing is flushed, nobody is told.
//!
//! `ORDERSTREAM_KILL_AT=NAME` ends it when it comes to the point NAME, `NAME:3` when it comes there for the third time. Only
//! builds with the feature `faults`, which tests ask for, know the points; in what is shipped they are nothing.

/// Every point, in the order in which an order that is paid at once comes by. A test goes through all of them.
#[cfg(feature = "faults")]
pub const KILL_POINTS: &[&str] = &[
    // A request: the row of its idempotency key is about to be written; it is on disk and nothing was done; all was done
    // and the answer is nowhere.
    "key.before_write",
    "key.after_write",
    "answer.before_write",
    // The log: a batch is about to be written; it is on disk and nobody was told.
    "log.before_write",
    "log.after_write",
    // The work store: reactions are about to be written; they are on disk.
    "work.before_write",
    "work.after_write",
    // A view: its rows and its checkpoint are about to be written; they are.
    "view.before_write",
    "view.after_write",
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

#[cfg(feature = "faults")]
struct Where {
    name: &'static str,
    /// How often it is still passed by.
    left: std::sync::atomic::AtomicU32,
}

#[cfg(feature = "faults")]
static WHERE: std::sync::LazyLock<Option<Where>> = std::sync::LazyLock::new(|| {
    let told = std::env::var(super::KILL_VARIABLE).ok().filter(|told| !told.is_empty())?;
    let (name, times) = told.split_once(':').unwrap_or((&told, "1"));
    let known = KILL_POINTS.iter().find(|known| **known == name);
    let name = known
        .unwrap_or_else(|| panic!("ORDERSTREAM_KILL_AT names {name:?}, and the points are {KILL_POINTS:?}"));
    let times = times.parse().expect("ORDERSTREAM_KILL_AT is NAME or NAME:TIMES");
    Some(Where { name, left: std::sync::atomic::AtomicU32::new(times) })
});

/// Reads what is asked for.
#[cfg(feature = "faults")]
pub(super) fn read() {
    std::sync::LazyLock::force(&WHERE);
}

/// Ends the process if this is where it is to end.
#[cfg(feature = "faults")]
pub fn kill_point(name: &str) {
    debug_assert!(KILL_POINTS.contains(&name), "{name} is not listed");
    if let Some(at) = WHERE.as_ref()
        && at.name == name
        && at.left.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) == 1
    {
        std::process::abort();
    }
}

/// Ends nothing in what is shipped.
#[cfg(not(feature = "faults"))]
#[inline(always)]
pub fn kill_point(_name: &str) {}
