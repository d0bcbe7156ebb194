//! `projections`: how the views do, folding them again, and checking them against the log.

use std::time::Duration;

use clap::Subcommand;
use projections::{Progress, RebuildReport, VerifyReport, ViewStatus, view_names};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    CliError,
    access::{Access, Place, access},
    output::{Output, table},
    progress::Meter,
    remote::Remote,
};
use crate::{
    Platform,
    jobs::{Job, JobState},
};

/// How often a job of a running platform is asked about.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// Commands of `projections`.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print each view with its position and what it is doing.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Fold views again from the whole log; readers see the old rows until the new ones are complete.
    Rebuild(Which),
    /// Fold views again beside the live ones, compare row by row, and exit with 1 if anything differs.
    Verify(Which),
}

/// One view or all.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    #[command(flatten)]
    choice: Choice,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Choice {
    /// The view.
    name: Option<String>,
    /// All views, in one pass over the log.
    #[arg(long)]
    all: bool,
}

impl Choice {
    /// The view's name, or nothing for all.
    fn view(&self) -> Result<Option<&str>, CliError> {
        match self.name.as_deref() {
            Some(name) if !view_names().contains(&name) => Err(CliError::Usage(format!(
                "there is no view {name:?}; the views are {}",
                view_names().join(", ")
            ))),
            name => Ok(name),
        }
    }
}

/// The pages of the admin interface that are used here.
#[derive(Deserialize)]
struct Page<T> {
    data: Vec<T>,
}

pub(super) async fn run(command: Command, output: &Output) -> Result<(), CliError> {
    match command {
        Command::List { place } => list(&place, output).await,
        Command::Rebuild(which) => {
            let view = which.choice.view()?;
            let reports: Vec<RebuildReport> = match access(&which.place.settings()?).await? {
                Access::There(remote) => job(&remote, view, "rebuild").await?,
                Access::Here(platform) => rebuild_here(*platform, view).await?,
            };
            output.value(&reports, |reports| rebuilt(reports))
        }
        Command::Verify(which) => {
            let view = which.choice.view()?;
            let reports: Vec<VerifyReport> = match access(&which.place.settings()?).await? {
                Access::There(remote) => job(&remote, view, "verify").await?,
                Access::Here(platform) => verify_here(*platform, view).await?,
            };
            output.value(&reports, |reports| verified(reports))?;
            match reports.iter().filter(|report| !report.is_clean()).count() {
                0 => Ok(()),
                differing => Err(CliError::Differences(differing)),
            }
        }
    }
}

async fn list(place: &Place, output: &Output) -> Result<(), CliError> {
    let views: Vec<ViewStatus> = match access(&place.settings()?).await? {
        Access::There(remote) => remote.get::<Page<ViewStatus>>("/v1/admin/projections").await?.data,
        Access::Here(platform) => {
            let status = platform.app().views().status();
            platform.shutdown().await;
            status
        }
    };
    output.value(&views, |views| {
        let head = ["view", "version", "build", "position", "behind", "state", "folded by"];
        table(
            head,
            views.iter().map(|view| {
                let numbers = [u64::from(view.version), u64::from(view.build), view.position, view.lag];
                let [version, build, position, lag] = numbers.map(|number| number.to_string());
                let holder = view.holder.clone().unwrap_or_else(|| "-".to_owned());
                [view.name.clone(), version, build, position, lag, state(view), holder]
            }),
        )
    })
}

/// The word for what a view is doing, with the reason if it does nothing.
fn state(view: &ViewStatus) -> String {
    let shown = serde_json::to_value(&view.state).unwrap_or_default();
    let word = shown["state"].as_str().unwrap_or("?").to_owned();
    match shown["why"].as_str() {
        Some(why) => format!("{word}: {why}"),
        None => word,
    }
}

async fn rebuild_here(platform: Platform, view: Option<&str>) -> Result<Vec<RebuildReport>, CliError> {
    let meter = Meter::of_views("rebuild", view);
    let views = platform.app().views();
    let told = meter.clone();
    let result = match view {
        Some(name) => views.rebuild(name, move |at| tell(&told, &at)).await.map(|report| vec![report]),
        None => views.rebuild_all(move |at| tell(&told, &at)).await,
    };
    platform.shutdown().await;
    meter.finish(result.iter().flatten().map(|report| report.events).max());
    Ok(result?)
}

async fn verify_here(platform: Platform, view: Option<&str>) -> Result<Vec<VerifyReport>, CliError> {
    let meter = Meter::of_views("verify", view);
    let views = platform.app().views();
    let told = meter.clone();
    let result = match view {
        Some(name) => views.verify(name, move |at| tell(&told, &at)).await.map(|report| vec![report]),
        None => views.verify_all(move |at| tell(&told, &at)).await,
    };
    platform.shutdown().await;
    meter.finish(result.iter().flatten().map(|report| report.position).max());
    Ok(result?)
}

fn tell(meter: &Meter, progress: &Progress) {
    meter.at(progress.at.folded, progress.at.head);
}

/// Has the running platform do it, and follows it to its end.
async fn job<T: DeserializeOwned>(
    remote: &Remote,
    view: Option<&str>,
    what: &'static str,
) -> Result<Vec<T>, CliError> {
    let meter = Meter::of_views(what, view);
    let mut job: Job =
        remote.post(&format!("/v1/admin/projections/{}/{what}", view.unwrap_or("all"))).await?;
    while job.state == JobState::Running {
        tokio::time::sleep(ASK_EVERY).await;
        job = remote.get(&format!("/v1/admin/jobs/{}", job.job_id)).await?;
        if let Some(progress) = &job.progress {
            tell(&meter, progress);
        }
    }
    meter.finish(job.progress.as_ref().map(|progress| progress.at.folded));
    match job.error {
        Some(error) => Err(CliError::Job { what, error }),
        None => Ok(serde_json::from_value(Value::Array(job.reports))?),
    }
}

fn rebuilt(reports: &[RebuildReport]) -> String {
    let head = ["view", "build", "events", "rows written", "seconds", "events/s"];
    table(
        head,
        reports.iter().map(|report| {
            let [build, events, rows] = [u64::from(report.build), report.events, report.rows_written]
                .map(|number| number.to_string());
            let (took, rate) = (format!("{:.2}", report.took_secs), format!("{:.0}", report.events_per_sec));
            [report.view.clone(), build, events, rows, took, rate]
        }),
    )
}

fn verified(reports: &[VerifyReport]) -> String {
    let head = ["view", "up to", "same", "different", "missing", "unexpected"];
    let mut text = table(
        head,
        reports.iter().map(|report| {
            let numbers = [report.position, report.same, report.different, report.missing, report.unexpected];
            let [position, same, different, missing, unexpected] = numbers.map(|number| number.to_string());
            [report.view.clone(), position, same, different, missing, unexpected]
        }),
    );
    for report in reports {
        for difference in &report.differences {
            let shown = |row: &Option<Value>| row.as_ref().map_or("no row".to_owned(), Value::to_string);
            let (live, refolded) = (shown(&difference.live), shown(&difference.refolded));
            text.push_str(&format!(
                "\n{} {}\n  live: {live}\n  log:  {refolded}",
                report.view, difference.key
            ));
        }
    }
    text
}
