//! `events`: the log as it is, read beside a running platform or without one.

use std::{path::PathBuf, time::Duration};

use chrono::SecondsFormat;
use clap::Subcommand;
use domain::{Position, StreamId};
use eventlog::{LogReader, RawEvent, transfer::EventLine};

use super::{
    CliError,
    access::{Place, reader},
    output::Output,
    transfer, verify,
};

/// Events read at once.
const PAGE: usize = 500;
/// How many events `tail` shows of what was there before.
const TAIL: u64 = 10;
/// How often `tail` looks for new events.
const POLL: Duration = Duration::from_millis(200);

/// Commands of `events`.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print events as they come, until Ctrl-C.
    Tail {
        /// Begin behind this position (default: ten events before the end).
        #[arg(long, value_name = "POSITION")]
        after: Option<Position>,
        /// Stop after so many events.
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
        #[command(flatten)]
        place: Place,
    },
    /// Print the events of one stream.
    Show {
        /// KIND/ID, such as order/0190… or shop/phone.
        stream: String,
        #[command(flatten)]
        place: Place,
    },
    /// Write the whole log as JSON lines.
    Export {
        /// A file, or - for stdout.
        file: PathBuf,
        #[command(flatten)]
        place: Place,
    },
    /// Check every invariant over the whole log (docs/INVARIANTS.md), and exit with 1 if one does not hold.
    Verify {
        #[command(flatten)]
        place: Place,
    },
    /// Read an export into an empty log, or go on with an import that was interrupted.
    Import {
        /// A file, or - for stdin.
        file: PathBuf,
        #[command(flatten)]
        place: Place,
    },
}

pub(super) async fn run(command: Command, output: &Output) -> Result<(), CliError> {
    match command {
        Command::Tail { after, limit, place } => {
            let log = reader(&place.settings()?).await?;
            tokio::select! {
                ended = tail(&log, after, limit.unwrap_or(u64::MAX), output) => ended,
                _ = tokio::signal::ctrl_c() => Ok(()),
            }
        }
        Command::Show { stream, place } => show(&reader(&place.settings()?).await?, &stream, output).await,
        Command::Export { file, place } => {
            transfer::export(&reader(&place.settings()?).await?, &file, output).await
        }
        Command::Verify { place } => verify::verify(&reader(&place.settings()?).await?, output).await,
        Command::Import { file, place } => transfer::import(&place.settings()?, &file, output).await,
    }
}

async fn tail(log: &LogReader, after: Option<Position>, limit: u64, output: &Output) -> Result<(), CliError> {
    let mut position = match after {
        Some(position) => position,
        None => log.head().await?.saturating_sub(TAIL.min(limit)),
    };
    let mut left = limit;
    while left > 0 {
        let page = PAGE.min(usize::try_from(left).unwrap_or(PAGE));
        let events = log.read_all(position, page).await?;
        if events.is_empty() {
            tokio::time::sleep(POLL).await;
        }
        for event in events {
            position = event.position;
            left -= 1;
            output.line(&one_line(event, *output)?)?;
        }
    }
    Ok(())
}

async fn show(log: &LogReader, stream: &str, output: &Output) -> Result<(), CliError> {
    let id: StreamId = stream.parse().map_err(|error: domain::IdError| CliError::Usage(error.to_string()))?;
    let mut version = 0;
    loop {
        let events = log.read_stream(id, version, PAGE).await?;
        let Some(last) = events.last() else { break };
        version = last.version;
        for event in events {
            output.line(&one_line(event, *output)?)?;
        }
    }
    if version == 0 {
        return Err(CliError::NotFound { what: "stream", name: stream.to_owned() });
    }
    Ok(())
}

/// The event as a line of an export, or as a line for people.
fn one_line(event: RawEvent, output: Output) -> Result<String, CliError> {
    let line = EventLine::try_from(event)?;
    if output.is_json() {
        return Ok(serde_json::to_string(&line)?);
    }
    let at = line.metadata.recorded_at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let EventLine { position, stream, version, name, metadata, payload, .. } = line;
    Ok(format!("{position:>8}  {at}  {stream}@{version}  {name}  by {}  {}", metadata.actor, payload.get()))
}
