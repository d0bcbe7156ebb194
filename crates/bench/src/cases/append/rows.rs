//! What is told of the measurements.

use super::{Load, Measured, Place, Streams};
use crate::{
    report::{Bound, Goal, Row},
    stats::spread,
};

/// What has to be reached with the most callers: this much of the limit, and so many times the peers.
const OF_LIMIT: f64 = 0.6;
const TIMES_SQLITE_ES: f64 = 5.0;
const TIMES_POSTGRES_ES: f64 = 10.0;

/// Events per second of one round.
pub(super) struct Seen {
    pub(super) ours: f64,
    pub(super) per_batch: f64,
    /// Bare inserts, in batches of as many as there are callers.
    pub(super) limit: f64,
    /// The same in batches as large as the executor's own.
    pub(super) limit_of_own_batches: Option<f64>,
    /// With each pool.
    pub(super) peers: Vec<f64>,
    pub(super) by_hand: Option<f64>,
}

/// All of one load on one store. `most`: with goals.
pub(super) fn rows(measured: &Measured<'_>, most: bool) -> Vec<Row> {
    let Measured { place, load, seen, .. } = measured;
    let row = |reference: String, rounds: Vec<f64>| {
        let ours = seen.iter().map(|seen| seen.ours).collect();
        Row::alone(load.to_string(), place.name(), "events/s", ours).against(reference, rounds)
    };
    let with = |row: Row, least: f64| if most { row.goal(Goal::Ratio(Bound::AtLeast(least))) } else { row };
    let mut rows = Vec::new();
    let limit = format!("bare inserts, batches of {}", load.callers);
    rows.push(with(row(limit, seen.iter().map(|seen| seen.limit).collect()), OF_LIMIT));
    let own: Option<Vec<f64>> = seen.iter().map(|seen| seen.limit_of_own_batches).collect();
    rows.extend(own.map(|own| row("bare inserts, batches as large as ours".to_owned(), own)));
    let (peer, least) = match place {
        Place::Sqlite(_) => ("cqrs-es + sqlite-es", TIMES_SQLITE_ES),
        Place::Postgres(_) => ("cqrs-es + postgres-es", TIMES_POSTGRES_ES),
    };
    let (pool, rounds) = best_peer(measured);
    rows.push(with(row(format!("{peer}, pool of {pool}"), rounds), least));
    let by_hand: Option<Vec<f64>> = seen.iter().map(|seen| seen.by_hand).collect();
    rows.extend(by_hand.map(|by_hand| row("INSERT per event".to_owned(), by_hand)));
    rows
}

/// The pool with the best median, and what it did.
fn best_peer(measured: &Measured<'_>) -> (u32, Vec<f64>) {
    let of_pool = |index: usize| -> Option<Vec<f64>> {
        measured.seen.iter().map(|seen| seen.peers.get(index).copied()).collect()
    };
    let pools = measured.place.pools().into_iter().enumerate();
    let measured = pools.filter_map(|(index, pool)| Some((pool, of_pool(index)?)));
    let best = measured.max_by(|(_, a), (_, b)| spread(a).median.total_cmp(&spread(b).median));
    best.unwrap_or_default()
}

/// How large the executor's batches were.
pub(super) fn batches(measured: &Measured<'_>) -> Option<(String, String)> {
    let Load { callers, streams } = measured.load;
    let sizes: Vec<f64> = measured.seen.iter().map(|seen| seen.per_batch).collect();
    let what = format!("events in a batch of the log, {}, {}", measured.place.name(), measured.load);
    (callers > 1 && streams != Streams::One).then(|| (what, spread(&sizes).to_string()))
}
