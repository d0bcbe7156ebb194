//! Rebuild of all views: events per second, and whether memory stays flat as the log grows.

use std::{error::Error, path::Path, time::Instant};

use eventlog::{Executor, ExecutorOptions, Log, LogOptions};
use projections::{ViewOptions, ViewPlace, Views};

use crate::{history, stats::spread};

/// The `rebuild` case.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Events in the longer log; the shorter one has a quarter.
    #[arg(long, default_value_t = 400_000)]
    events: u64,
    /// Rebuilds of each log.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    println!("all {} views in one pass over the log", projections::view_names().len());
    println!(
        "{:>9} {:>22} {:>26} {:>12}",
        "events", "events/s median (range)", "scan and decode only, /s", "memory MiB"
    );
    for events in [options.events / 4, options.events] {
        let folder = tempfile::tempdir()?;
        runtime.block_on(measure(folder.path(), events, options.rounds.max(1)))?;
    }
    Ok(())
}

async fn measure(folder: &Path, events: u64, rounds: usize) -> Result<(), Box<dyn Error>> {
    let path = folder.join("log.db");
    {
        let log = Log::open_sqlite(&path, LogOptions::default()).await?;
        let executor = Executor::new(log.clone(), None, ExecutorOptions::default());
        history::write(&executor, events).await.map_err(|error| error.to_string())?;
        log.shutdown().await;
    }
    let log = Log::open_sqlite(&path, LogOptions::default()).await?;
    let head = log.head().await?;
    let views =
        Views::open(ViewPlace::Sqlite(folder.join("views.db")), log.clone(), ViewOptions::default()).await?;
    let (mut rates, mut scans, mut memory) = (Vec::new(), Vec::new(), 0.0_f64);
    for _ in 0..rounds {
        let begin = Instant::now();
        let mut after = 0;
        while after < head {
            after = log.read_all(after, 8_192).await?.last().map_or(head, |event| event.position);
        }
        scans.push(head as f64 / begin.elapsed().as_secs_f64());
        let begin = Instant::now();
        views.rebuild_all(|_| {}).await?;
        rates.push(head as f64 / begin.elapsed().as_secs_f64());
        memory = memory.max(resident_mib());
    }
    views.stop().await;
    log.shutdown().await;
    let (rate, scan) = (spread(&rates), spread(&scans));
    println!(
        "{head:>9} {:>22} {:>26.0} {memory:>12.0}",
        format!("{:.0} ({:.0}-{:.0})", rate.median, rate.least, rate.most),
        scan.median
    );
    Ok(())
}

/// Memory of this process in MiB, as Linux counts it; 0 elsewhere.
fn resident_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").trim().parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}
