//! Commands through the executor by many callers, each of whom waits for the answer before the next command.

use std::{
    error::Error,
    fmt,
    path::Path,
    time::{Duration, Instant},
};

use domain::ProductId;
use eventlog::{Executor, ExecutorOptions, Log, LogOptions};
use hdrhistogram::Histogram;

use crate::append::giver::{Giver, Maker};

/// Events of one stream before its caller begins a new one.
const EVENTS_PER_STREAM: usize = 8;

/// How many callers, and on what.
#[derive(Clone, Copy)]
pub(super) struct Load {
    pub(super) callers: usize,
    pub(super) one_stream: bool,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (callers, noun) = (self.callers, if self.callers == 1 { "caller" } else { "callers" });
        write!(f, "{callers} {noun}{}", if self.one_stream { ", one stream" } else { "" })
    }
}

/// What one run gave.
pub(super) struct Run {
    pub(super) events_per_second: f64,
    pub(super) events_per_batch: f64,
    pub(super) p50_millis: f64,
    pub(super) p99_millis: f64,
}

/// Runs `load` on a new log at `path`.
pub(super) fn measure(path: &Path, load: Load, most_events: usize) -> Result<Run, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(path, load, most_events))
}

async fn run(path: &Path, load: Load, most_events: usize) -> Result<Run, Box<dyn Error>> {
    let log = Log::open_sqlite(path, LogOptions::default()).await?;
    let giver = Giver::new(Executor::new(log.clone(), None, ExecutorOptions::default()), Maker::new());
    let shared = if load.one_stream { Some(giver.list().await?) } else { None };
    // A single caller waits for every sync to disk: fewer events take as long.
    let events = most_events * load.callers.clamp(16, 256) / 256;
    let each = (events / load.callers).max(1);
    let begun = Instant::now();
    let tasks: Vec<_> = (0..load.callers)
        .map(|_| {
            let giver = giver.clone();
            tokio::spawn(async move { work(&giver, each, shared).await })
        })
        .collect();
    let mut latencies = Histogram::<u64>::new(3)?;
    for task in tasks {
        for latency in task.await?? {
            latencies.record(u64::try_from(latency.as_micros())?)?;
        }
    }
    let elapsed = begun.elapsed().as_secs_f64();
    let stats = log.stats();
    log.shutdown().await;
    let millis = |quantile| latencies.value_at_quantile(quantile) as f64 / 1_000.0;
    Ok(Run {
        events_per_second: (each * load.callers) as f64 / elapsed,
        events_per_batch: stats.events as f64 / stats.batches as f64,
        p50_millis: millis(0.5),
        p99_millis: millis(0.99),
    })
}

/// Gives `commands` commands, one after the other; how long each took.
async fn work(
    giver: &Giver,
    commands: usize,
    shared: Option<ProductId>,
) -> Result<Vec<Duration>, eventlog::AnyError> {
    let mut latencies = Vec::with_capacity(commands);
    let mut product = shared;
    for n in 0..commands {
        let begun = Instant::now();
        match product {
            Some(product) if shared.is_some() || !n.is_multiple_of(EVENTS_PER_STREAM) => {
                giver.restock(product).await?;
            }
            _ => product = Some(giver.list().await?),
        }
        latencies.push(begun.elapsed());
    }
    Ok(latencies)
}
