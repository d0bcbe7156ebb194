//! Case `append`: what deciding, encoding, queueing and answering cost on top of the disk, for either store.

mod giver;
mod postgres;
mod sqlite;

use std::{error::Error, path::PathBuf};

use crate::store::Store;

/// Options of the case.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the log is: sqlite, postgres (a scratch server, started and ended here), or postgres:URL (a server that is
    /// there; the case works in a schema of its own and removes it).
    #[arg(long, default_value = "sqlite")]
    store: Store,
    /// How often everything is measured [default: 5; fewer on PostgreSQL where that takes more than a minute].
    #[arg(long)]
    rounds: Option<usize>,
    /// Callers who wait at once, each for the answer to its own command: so many numbers, so many measurements.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256], value_parser = callers)]
    callers: Vec<usize>,
    /// SQLite: events of the measurement with the most callers; the others write fewer.
    #[arg(long, default_value_t = 40_000)]
    events: usize,
    /// SQLite: a folder on the disk to be measured. A scratch PostgreSQL server goes where TMPDIR says.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// PostgreSQL: seconds of each measurement.
    #[arg(long, default_value_t = 0.4, value_parser = seconds)]
    seconds: f64,
    /// PostgreSQL: most commits of one batch of the log [default: the log's own].
    #[arg(long, value_parser = callers)]
    batch: Option<usize>,
}

/// Rounds, unless said.
const ROUNDS: usize = 5;

impl Options {
    fn rounds(&self) -> usize {
        self.rounds.unwrap_or(ROUNDS).max(1)
    }

    fn most_callers(&self) -> usize {
        self.callers.iter().copied().max().unwrap_or(1)
    }
}

fn callers(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(callers @ 1..=10_000) => Ok(callers),
        _ => Err("write a number from 1 to 10000".to_owned()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.1..=600.0).contains(&seconds) => Ok(seconds),
        _ => Err("write a number from 0.1 to 600".to_owned()),
    }
}

/// Measures and prints.
pub(crate) fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    match &options.store {
        Store::Sqlite => sqlite::run(options),
        Store::Postgres(server) => postgres::run(options, server.as_deref()),
    }
}
