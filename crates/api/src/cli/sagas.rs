//! `sagas`: what process managers work on, why something is stuck, and what an operator can do about it.

use chrono::SecondsFormat;
use clap::Subcommand;
use domain::Timestamp;
use sagas::{InstanceDetails, InstanceFilter, InstanceState, InstanceSummary, process_names};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    CliError,
    access::{Access, Place, access},
    output::{Output, table},
    remote::Remote,
};

/// Most instances that are listed unless more are asked for.
const UNLESS_SAID: usize = 100;
/// Most instances that are asked for at once.
const PAGE: usize = 1_000;

/// Commands of `sagas`.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the instances that are not over, or those in one state.
    List {
        /// running, waiting, retrying, stuck or ended.
        #[arg(long, value_parser = parse_state)]
        state: Option<InstanceState>,
        /// Only of this process manager.
        #[arg(long, value_name = "PROCESS", value_parser = parse_process)]
        process: Option<String>,
        /// At most so many; says so when there are more.
        #[arg(long, value_name = "N", default_value_t = UNLESS_SAID, value_parser = parse_limit)]
        limit: usize,
        #[command(flatten)]
        place: Place,
    },
    /// Print one instance in full: what it awaits, since when, what failed.
    Show(Which),
    /// Try the step again that an instance is stuck at.
    Retry(Which),
    /// Take the step for done that an instance is stuck at, and go on with the next.
    Skip(Which),
}

/// One instance.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// The process manager.
    #[arg(value_parser = parse_process)]
    process: String,
    /// The order, payment or other thing that it works on.
    key: Uuid,
    #[command(flatten)]
    place: Place,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<InstanceSummary>,
    next_cursor: Option<String>,
}

fn parse_state(text: &str) -> Result<InstanceState, String> {
    let names = InstanceState::ALL.map(InstanceState::name);
    InstanceState::from_name(text).ok_or_else(|| format!("the states are {}", names.join(", ")))
}

fn parse_process(text: &str) -> Result<String, String> {
    let known = process_names().contains(&text);
    if known { Ok(text.to_owned()) } else { Err(format!("the processes are {}", process_names().join(", "))) }
}

fn parse_limit(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|limit| *limit > 0).ok_or_else(|| "at least 1".to_owned())
}

pub(super) async fn run(command: Command, output: &Output) -> Result<(), CliError> {
    match command {
        Command::List { state, process, limit, place } => list(state, process, limit, &place, output).await,
        Command::Show(which) => show(which, output).await,
        Command::Retry(which) => operate(which, "retry", output).await,
        Command::Skip(which) => operate(which, "skip", output).await,
    }
}

async fn list(
    state: Option<InstanceState>,
    process: Option<String>,
    limit: usize,
    place: &Place,
    output: &Output,
) -> Result<(), CliError> {
    let (instances, has_more) = match access(&place.settings()?).await? {
        Access::There(remote) => pages(&remote, state, process.as_deref(), limit).await?,
        Access::Here(platform) => {
            let filter = InstanceFilter { process, state, after: None, limit };
            let found = platform.app().sagas.list(filter).await;
            platform.shutdown().await;
            let found = found?;
            (found.instances, found.next.is_some())
        }
    };
    output.value(&instances, |instances| {
        let head = ["process", "key", "state", "since", "step or awaited", "tries", "last error"];
        table(head, instances.iter().map(row))
    })?;
    if has_more {
        eprintln!(
            "orderstream: there are more than these {limit}: --limit {} shows more",
            limit.saturating_mul(10)
        );
    }
    Ok(())
}

/// Up to `limit` instances of a running platform, page by page, and whether there are more.
async fn pages(
    remote: &Remote,
    state: Option<InstanceState>,
    process: Option<&str>,
    limit: usize,
) -> Result<(Vec<InstanceSummary>, bool), CliError> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let mut path = format!("/v1/admin/sagas?limit={}", PAGE.min(limit - found.len()));
        let filters =
            [("state", state.map(InstanceState::name)), ("process", process), ("cursor", cursor.as_deref())];
        for (name, value) in filters.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            path.push_str(&format!("&{name}={value}"));
        }
        let page: Page = remote.get(&path).await?;
        found.extend(page.data);
        cursor = page.next_cursor;
        if cursor.is_none() || found.len() >= limit {
            return Ok((found, cursor.is_some()));
        }
    }
}

fn row(instance: &InstanceSummary) -> [String; 7] {
    let doing = instance.step.clone().or_else(|| instance.awaiting.clone()).unwrap_or_default();
    [
        instance.process.clone(),
        instance.key.to_string(),
        instance.state.name().to_owned(),
        time(instance.since),
        doing,
        instance.attempts.to_string(),
        instance.last_error.clone().unwrap_or_default(),
    ]
}

fn time(at: Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

async fn show(which: Which, output: &Output) -> Result<(), CliError> {
    let Which { process, key, place } = which;
    let found: Option<InstanceDetails> = match access(&place.settings()?).await? {
        Access::There(remote) => remote.find(&format!("/v1/admin/sagas/{process}/{key}")).await?,
        Access::Here(platform) => {
            let found = platform.app().sagas.show(&process, key).await;
            platform.shutdown().await;
            found?
        }
    };
    let found =
        found.ok_or_else(|| CliError::NotFound { what: "instance", name: format!("{process} {key}") })?;
    // Stage and pending steps are nested: JSON shows them best, to people too.
    output.line(&serde_json::to_string_pretty(&found)?)
}

async fn operate(which: Which, wish: &'static str, output: &Output) -> Result<(), CliError> {
    let Which { process, key, place } = which;
    let now: InstanceSummary = match access(&place.settings()?).await? {
        Access::There(remote) => remote.post(&format!("/v1/admin/sagas/{process}/{key}/{wish}")).await?,
        Access::Here(platform) => {
            let sagas = &platform.app().sagas;
            let done = if wish == "retry" {
                sagas.retry(&process, key).await
            } else {
                sagas.skip(&process, key).await
            };
            platform.shutdown().await;
            done?
        }
    };
    output.value(&now, |now| format!("{} {} is {} now", now.process, now.key, now.state.name()))
}
