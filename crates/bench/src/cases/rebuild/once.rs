//! One measurement, alone in its process.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use eventlog::{Log, LogOptions};
use projections::{ViewOptions, ViewPlace, Views};
use serde::{Deserialize, Serialize};

use crate::{Failure, usage};

/// Events that are read at once, as a rebuild does.
const PAGE: usize = 8_192;

/// Options of the process.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The folder of the log.
    #[arg(long)]
    log: PathBuf,
    /// Where views go.
    #[arg(long)]
    views: PathBuf,
    /// Only reads and decodes.
    #[arg(long)]
    scan: bool,
    /// Only this view.
    #[arg(long)]
    view: Option<String>,
}

/// What is measured.
pub(super) enum Work {
    Scan,
    All,
    View(String),
}

/// What it gave.
#[derive(Serialize, Deserialize)]
pub(super) struct Done {
    pub(super) events_per_second: f64,
    pub(super) peak_mib: f64,
}

/// Has it done by a process of this program.
pub(super) fn in_a_process(log: &Path, views: &Path, work: &Work) -> Result<Done, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("rebuild-once").arg("--log").arg(log).arg("--views").arg(views);
    match work {
        Work::Scan => drop(command.arg("--scan")),
        Work::All => {}
        Work::View(name) => drop(command.args(["--view", name])),
    }
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("the process that rebuilds ended with {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// Measures and says so in one line of JSON.
pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let events_per_second = runtime.block_on(measure(options))?;
    println!("{}", serde_json::to_string(&Done { events_per_second, peak_mib: usage::own_peak_mib() })?);
    Ok(())
}

async fn measure(options: &Options) -> Result<f64, Failure> {
    let log = Log::open_sqlite(&options.log.join("log.db"), LogOptions::default()).await?;
    let head = log.head().await?;
    let rate = |begin: Instant| head as f64 / begin.elapsed().as_secs_f64();
    if options.scan {
        let begin = Instant::now();
        let mut after = 0;
        while after < head {
            after = log.read_all(after, PAGE).await?.last().map_or(head, |event| event.position);
        }
        let rate = rate(begin);
        log.shutdown().await;
        return Ok(rate);
    }
    let file = options.views.join(options.view.as_deref().unwrap_or("all")).with_extension("views.db");
    let views = Views::open(ViewPlace::Sqlite(file), log.clone(), ViewOptions::default()).await?;
    let begin = Instant::now();
    match &options.view {
        Some(name) => drop(views.rebuild(name, |_| {}).await?),
        None => drop(views.rebuild_all(|_| {}).await?),
    }
    let rate = rate(begin);
    views.stop().await;
    log.shutdown().await;
    Ok(rate)
}
