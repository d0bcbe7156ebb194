//! `payments`: our log against the payment provider's books.

use std::time::Duration;

use clap::Subcommand;
use domain::Actor;
use gateway::{Sandbox, SandboxOptions};
use sagas::{
    PaymentGateway, ReconcileOptions, ReconcileProgress, ReconcileReport,
    reconcile::{MendResult, Side},
};
use serde_json::json;

use super::{
    CliError,
    access::{Access, Place, access},
    output::{Output, table},
    progress::Meter,
    remote::Remote,
};
use crate::{
    Platform, StartError,
    app::App,
    jobs::{Job, JobState},
};

/// How often a job of a running platform is asked about.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// How the work is called.
const WHAT: &str = "reconciliation";

/// Commands of `payments`.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Compare our log with the provider's books, key by key, and exit with 1 if they differ.
    Reconcile(Reconcile),
}

/// Arguments of `payments reconcile`.
#[derive(Debug, clap::Args)]
pub(super) struct Reconcile {
    /// Put charges on the log that are final in the books and not known there: the payment counts as made, or, when nobody
    /// wants it any more, the money goes back. Nothing else is mended.
    #[arg(long)]
    mend: bool,
    /// List the entries of the books that are none of ours.
    #[arg(long)]
    foreign: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) async fn run(command: Command, output: &Output) -> Result<(), CliError> {
    let Command::Reconcile(wish) = command;
    let report = match access(&wish.place.settings()?).await? {
        Access::There(remote) => job(&remote, &wish).await?,
        Access::Here(platform) => here(*platform, &wish).await?,
    };
    output.value(&report, shown)?;
    match report.left() {
        0 => Ok(()),
        differing => Err(CliError::PaymentsDiffer(differing)),
    }
}

/// Compares with stores of our own: no consumer runs, so a refund that follows from mending is made when the platform is
/// started.
async fn here(platform: Platform, wish: &Reconcile) -> Result<ReconcileReport, CliError> {
    let report = match sandbox(&platform) {
        Ok(None) => compare(platform.app(), platform.app().gateway.as_ref(), wish).await,
        Ok(Some(sandbox)) => {
            let report = compare(platform.app(), &sandbox, wish).await;
            sandbox.close().await;
            report
        }
        Err(error) => Err(error),
    };
    platform.shutdown().await;
    report
}

/// The books of the sandbox inside the process: a file in the data folder.
fn sandbox(platform: &Platform) -> Result<Option<Sandbox>, CliError> {
    if !platform.app().settings.gateway.in_process() {
        return Ok(None);
    }
    let path = platform.data().path().join("sandbox.db");
    let opened = Sandbox::open(&path, SandboxOptions::default());
    Ok(Some(opened.map_err(|source| StartError::Store { path, source })?))
}

async fn compare(
    app: &App,
    provider: &dyn PaymentGateway,
    wish: &Reconcile,
) -> Result<ReconcileReport, CliError> {
    let meters = Meters::new();
    let options = ReconcileOptions { list_foreign: wish.foreign };
    let report = sagas::reconcile(app.log(), provider, options, |at| meters.at(&at)).await;
    meters.finish(report.as_ref().ok().map(|report| (report.events, report.entries)));
    let mut report = report?;
    if wish.mend {
        sagas::mend(&app.executor, app.clock.as_ref(), &Actor::System, &mut report).await?;
    }
    Ok(report)
}

/// Has the running platform do it, and follows it to its end.
async fn job(remote: &Remote, wish: &Reconcile) -> Result<ReconcileReport, CliError> {
    let meters = Meters::new();
    let body = json!({"mend": wish.mend, "foreign": wish.foreign});
    let mut job: Job = remote.post_with("/v1/admin/payments/reconcile", &body).await?;
    while job.state == JobState::Running {
        tokio::time::sleep(ASK_EVERY).await;
        job = remote.get(&format!("/v1/admin/jobs/{}", job.job_id)).await?;
        if let Some(at) = &job.reconciled {
            meters.at(at);
        }
    }
    meters.finish(job.reconciled.map(|at| (at.events, at.entries)));
    let Job { error, mut reports, .. } = job;
    match (error, reports.pop()) {
        (None, Some(report)) => Ok(serde_json::from_value(report)?),
        (error, _) => {
            let error = error.unwrap_or_else(|| "it has no report".to_owned());
            Err(CliError::Job { what: WHAT, error })
        }
    }
}

/// How far it is, on both sides.
struct Meters {
    log: Meter,
    books: Meter,
}

impl Meters {
    fn new() -> Self {
        let books = Meter::counting("reconcile: books", "entries", 0);
        Self { log: Meter::new("reconcile: log", 0), books }
    }

    fn at(&self, at: &ReconcileProgress) {
        if at.entries == 0 { self.log.at(at.events, at.head) } else { self.books.at(at.entries, 0) }
    }

    fn finish(&self, read: Option<(u64, u64)>) {
        self.log.finish(read.map(|(events, _)| events));
        self.books.finish(read.map(|(_, entries)| entries));
    }
}

/// The report for people: sums, what differs, what was mended, a verdict.
fn shown(report: &ReconcileReport) -> String {
    let side = |currency: &str, name: &str, side: &Side| {
        let Side { charges, charged_minor, refunds, refunded_minor } = *side;
        let [charges, refunds] = [charges, refunds].map(|number| number.to_string());
        let [charged, refunded] = [charged_minor, refunded_minor].map(|number| number.to_string());
        [currency.to_owned(), name.to_owned(), charges, charged, refunds, refunded]
    };
    let sums = report.sums.iter().flat_map(|(currency, sums)| {
        [side(currency, "log", &sums.log), side(currency, "books", &sums.books)]
    });
    let mut lines = vec![table(["currency", "side", "charges", "charged", "refunds", "refunded"], sums)];
    if !report.differences.is_empty() {
        let amount = |amount: &Option<sagas::reconcile::Amount>| {
            amount.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string)
        };
        let rows = report.differences.iter().map(|it| {
            let payment = it.payment_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
            let [log, books] = [amount(&it.log), amount(&it.books)];
            [it.kind.to_string(), payment, it.key.clone(), log, books, it.what.clone()]
        });
        lines.push(table(["difference", "payment", "key", "log", "books", "what"], rows));
    }
    let unlisted = report.differing.saturating_sub(report.differences.len() as u64);
    if unlisted > 0 {
        lines.push(format!("and {unlisted} more differences"));
    }
    lines.extend(report.mended.iter().map(|mended| {
        let word = if mended.result == MendResult::NotMended { "not mended" } else { "mended" };
        format!("{word}: {}: {}", mended.key, mended.what)
    }));
    let foreign = report
        .foreign_entries
        .iter()
        .map(|entry| format!("foreign: {} ({:?}, {})", entry.key, entry.kind, entry.amount));
    lines.extend(foreign);
    let ReconcileReport { events, entries, payments, under_way, foreign, .. } = report;
    let verdict = match report.left() {
        0 if report.differing > 0 => "nothing differs any more".to_owned(),
        0 => "nothing differs".to_owned(),
        left => format!("{left} differences"),
    };
    lines.push(format!(
        "{payments} payments in {events} events, {entries} entries of the books ({foreign} foreign), {under_way} under way: \
         {verdict}"
    ));
    lines.join("\n")
}
