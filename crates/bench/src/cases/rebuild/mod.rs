//! Case `rebuild`: views folded again from the log, against reading and decoding it, and whether memory stays flat as the
//! log grows. Each measurement is a process of its own, so that its memory is its own.

pub(crate) mod once;

use std::path::Path;

use self::once::Work;
use super::Case;
use crate::{
    Failure,
    context::Context,
    dataset,
    report::{Bound, CaseReport, Goal, Row},
    stats::grouped,
};

/// Options of the case.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Events in the longer log; the shorter one has a quarter.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Rebuilds of each log.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The view that is also rebuilt alone.
    #[arg(long, default_value = "orders")]
    view: String,
}

/// What has to be reached. Events per second.
const ALL_VIEWS: f64 = 100_000.0;
const ONE_VIEW: f64 = 200_000.0;
/// Flat memory: four times the log takes less than this times the memory.
const FLAT: f64 = 1.25;

const STORE: &str = "SQLite";

/// What rounds gave on one log.
#[derive(Default)]
struct Seen {
    scan: Vec<f64>,
    all: Vec<f64>,
    one: Vec<f64>,
    all_mib: Vec<f64>,
}

/// With commas.
fn counted(events: u64) -> String {
    grouped(&events.to_string())
}

impl Case for Options {
    fn name(&self) -> &'static str {
        "rebuild"
    }

    fn make_quick(&mut self) {
        (self.events, self.rounds) = (8_000, 1);
    }

    fn run(&self, context: &Context) -> Result<CaseReport, Failure> {
        let short = context.block_on(dataset::log(context, self.events / 4))?;
        let long = context.block_on(dataset::log(context, self.events))?;
        let (mut of_short, mut of_long) = (Seen::default(), Seen::default());
        for round in 0..self.rounds.max(1) {
            self.round(context, &short, &mut of_short)?;
            self.round(context, &long, &mut of_long)?;
            eprintln!("  round {} of {}", round + 1, self.rounds.max(1));
        }
        let scan = || "read and decode only".to_owned();
        let views = projections::view_names().len();
        let mut rows = Vec::new();
        for (seen, events) in [(&of_short, self.events / 4), (&of_long, self.events)] {
            let rate = |what: String, rates: &[f64], goal: f64| {
                Row::alone(format!("{what}, {} events", counted(events)), STORE, "events/s", rates.to_vec())
                    .against(scan(), seen.scan.clone())
                    .goal(Goal::Ours(Bound::AtLeast(goal)))
            };
            rows.push(rate(format!("all {views} views in one pass"), &seen.all, ALL_VIEWS));
            rows.push(rate(format!("{} alone", self.view), &seen.one, ONE_VIEW));
        }
        rows.push(
            Row::alone(
                format!("peak memory, all views, {} events", counted(self.events)),
                STORE,
                "MiB",
                of_long.all_mib,
            )
            .against(format!("the same, {} events", counted(self.events / 4)), of_short.all_mib)
            .goal(Goal::Ratio(Bound::Below(FLAT))),
        );
        Ok(CaseReport {
            name: self.name(),
            title: "rebuild of the views".to_owned(),
            how: vec![
                "A log of orders that went the whole way (placed to completed, with payment, stock, delivery and \
                 messages); its views are folded from its first event into new tables, indexes included, until they \
                 could be read."
                    .to_owned(),
                "Reference: all events read from the file and decoded, 8192 at a time, and nothing done with them."
                    .to_owned(),
                "Each in a process of its own; its memory is the most that it ever held (VmHWM).".to_owned(),
            ],
            rows,
            latencies: Vec::new(),
            figures: Vec::new(),
        })
    }
}

impl Options {
    fn round(&self, context: &Context, log: &Path, seen: &mut Seen) -> Result<(), Failure> {
        let folder = context.temporary()?;
        seen.scan.push(once::in_a_process(log, folder.path(), &Work::Scan)?.events_per_second);
        let all = once::in_a_process(log, folder.path(), &Work::All)?;
        seen.all.push(all.events_per_second);
        seen.all_mib.push(all.peak_mib);
        seen.one
            .push(once::in_a_process(log, folder.path(), &Work::View(self.view.clone()))?.events_per_second);
        Ok(())
    }
}
