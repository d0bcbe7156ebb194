//! What is printed.

use super::{Case, Load, Seen, Side, Yield};
use crate::stats::{Spread, spread};

/// What is aimed at with the most callers: this much of the bare inserts, and so many times the peer.
const OF_BARE: f64 = 0.5;
const TIMES_PEER: f64 = 5.0;

type Runs<'s> = [(Case, &'s [Seen])];

pub(super) fn print(place: &str, seconds: f64, cases: &[Case], seen: &[Vec<Seen>]) {
    let runs: Vec<(Case, &[Seen])> = cases.iter().copied().zip(seen.iter().map(Vec::as_slice)).collect();
    let rounds = seen.first().map_or(0, Vec::len);
    println!("{place}");
    println!(
        "events per second: median of {rounds} rounds of {seconds} s (least to most); ratios are of the same round"
    );
    println!(
        "  limit: the same rows into the same table, in batches as large, under the same lock, and nothing else"
    );
    println!(
        "  peer: cqrs-es with postgres-es, same aggregate and commands, as many callers; the better of its pools"
    );
    let mut callers = None;
    for (case, seen) in &runs {
        if callers != Some(case.load.callers) {
            callers = Some(case.load.callers);
            let noun = if case.load.callers == 1 { "caller" } else { "callers" };
            println!(
                "\n{:<40} {:>23} {:>5} {:>7} {:>7} {:>22} {:>22}",
                format!("{} {noun}", case.load.callers),
                "events/s",
                "batch",
                "p50 ms",
                "p99 ms",
                "of the limit",
                "times the peer"
            );
        }
        row(*case, seen, &runs);
    }
    println!();
    verdict(&runs);
}

fn row(case: Case, seen: &[Seen], runs: &Runs<'_>) {
    let batch = of(seen, |seen| seen.events_per_batch).map_or("-".to_owned(), |s| format!("{:.0}", s.median));
    let median = |figure: fn(&Yield) -> f64| {
        spread(&seen.iter().map(|seen| figure(&seen.run)).collect::<Vec<_>>()).median
    };
    let ratio = |ratio: Option<Spread>| ratio.map_or("-".to_owned(), |ratio| ratio.to_string());
    println!(
        "{:<40} {:>23} {batch:>5} {:>7.2} {:>7.2} {:>22} {:>22}",
        case.to_string(),
        rates(seen).to_string(),
        median(|run| run.p50_millis),
        median(|run| run.p99_millis),
        ratio(of_limit(seen)),
        ratio(times_peer(case, seen, runs)),
    );
    if let Some(limit) = of(seen, |seen| seen.bare) {
        println!("{:<40} {:>23} {batch:>5}", "  its limit, bare inserts", limit.to_string());
    }
}

fn verdict(runs: &Runs<'_>) {
    let most = runs.iter().map(|(case, _)| case.load.callers).max();
    for (case, seen) in runs.iter().filter(|(case, _)| Some(case.load.callers) == most) {
        let said = |ratio: Option<Spread>, goal: f64, what: &str| {
            let ratio = ratio?;
            let verdict = if ratio.median >= goal { "reached" } else { "NOT REACHED" };
            // Cut off rather than rounded up to a goal that is not reached.
            let median = (ratio.median * 100.0).floor() / 100.0;
            Some(format!("{median:.2} {what} (goal {goal}: {verdict})"))
        };
        let limit = said(of_limit(seen), OF_BARE, "of the limit");
        let peer = said(times_peer(*case, seen, runs), TIMES_PEER, "times the peer");
        let all: Vec<String> = limit.into_iter().chain(peer).collect();
        if !all.is_empty() {
            println!("{} callers, {case}: {}", case.load.callers, all.join(", "));
        }
    }
}

fn rates(seen: &[Seen]) -> Spread {
    spread(&seen.iter().map(|seen| seen.run.events_per_second).collect::<Vec<_>>())
}

/// None unless every round has it.
fn of(seen: &[Seen], figure: impl Fn(&Seen) -> Option<f64>) -> Option<Spread> {
    let figures = seen.iter().map(figure).collect::<Option<Vec<f64>>>()?;
    Some(spread(&figures))
}

fn of_limit(seen: &[Seen]) -> Option<Spread> {
    of(seen, |seen| Some(seen.run.events_per_second / seen.bare?))
}

/// Against the peer under the same load. A peer is not compared with itself.
fn times_peer(case: Case, seen: &[Seen], runs: &Runs<'_>) -> Option<Spread> {
    if matches!(case.side, Side::Peer(_)) {
        return None;
    }
    let peer = best_peer(case.load, runs)?;
    let ratios: Vec<f64> = seen
        .iter()
        .zip(peer)
        .map(|(ours, theirs)| ours.run.events_per_second / theirs.run.events_per_second)
        .collect();
    Some(spread(&ratios))
}

fn best_peer<'s>(load: Load, runs: &Runs<'s>) -> Option<&'s [Seen]> {
    let peers = runs.iter().filter(|(case, _)| case.load == load && matches!(case.side, Side::Peer(_)));
    let best = peers.max_by(|(_, a), (_, b)| rates(a).median.total_cmp(&rates(b).median));
    best.map(|(_, seen)| *seen)
}
