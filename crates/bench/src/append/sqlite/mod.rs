//! The log in SQLite: every round runs the bare loop and each number of callers, on fresh files in the same folder, so
//! that all meet the same disk. The bare loop inserts the very rows that the executor has written, read back from its
//! file, into a table with the same columns and indexes, in batches of 256, with the same durability.

mod bare;
mod callers;

use std::error::Error;

use callers::{Load, Run};

use super::Options;
use crate::stats::spread;

/// Rows in one transaction of the bare loop.
const BARE_BATCH: usize = 256;

/// Measures and prints.
pub(super) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let folder = match &options.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    let mut bare = Vec::new();
    let most = options.most_callers();
    let mut loads: Vec<Load> =
        options.callers.iter().map(|callers| Load { callers: *callers, one_stream: false }).collect();
    loads.push(Load { callers: most, one_stream: true });
    let mut runs: Vec<Vec<Run>> = loads.iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds() {
        for (load, runs) in loads.iter().zip(&mut runs) {
            let path = folder.path().join(format!("executor-{round}-{load}.db"));
            runs.push(callers::measure(&path, *load, options.events)?);
            if load.callers == most && !load.one_stream {
                bare.push(bare::measure(&path, &folder.path().join(format!("bare-{round}.db")), BARE_BATCH)?);
            }
            std::fs::remove_file(&path)?;
        }
        eprintln!("round {} of {} done", round + 1, options.rounds());
    }
    print(&bare, &loads, &runs);
    Ok(())
}

fn print(bare: &[f64], loads: &[Load], runs: &[Vec<Run>]) {
    let limit = spread(bare);
    println!("events per second on disk (synchronous=FULL): median of {} rounds (least to most)", bare.len());
    println!("{:<26} {:>26} {:>7} {:>10} {:>10} {:>8}", "", "events/s", "ratio", "p50 ms", "p99 ms", "batch");
    println!("{:<26} {:>26} {:>7}", format!("bare loop, batches of {BARE_BATCH}"), limit.to_string(), "1.00");
    for (load, runs) in loads.iter().zip(runs) {
        let median = |of: fn(&Run) -> f64| spread(&runs.iter().map(of).collect::<Vec<_>>());
        let rate = median(|run| run.events_per_second);
        println!(
            "{:<26} {:>26} {:>7.2} {:>10.2} {:>10.2} {:>8.0}",
            load.to_string(),
            rate.to_string(),
            rate.median / limit.median,
            median(|run| run.p50_millis).median,
            median(|run| run.p99_millis).median,
            median(|run| run.events_per_batch).median,
        );
    }
}
