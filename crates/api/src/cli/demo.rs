//! `demo`: plays the scenarios.

use std::path::PathBuf;

use super::{CliError, access, output::Output};
use crate::demo::{self, Place, Which};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Which scenarios.
    #[arg(default_value = "all")]
    which: Which,
    /// Play on a platform that runs, instead of one of its own.
    #[arg(long, value_name = "URL", conflicts_with = "store")]
    against: Option<String>,
    /// The database of the outage demo, in which it makes a schema of its own: postgres://…. Without it, it starts a
    /// PostgreSQL of its own from the programs that the machine has.
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// With --against: the data folder of that platform, whose key makes the tokens of the actors (default: ./data).
    #[arg(long, value_name = "DIR", env = "ORDERSTREAM_DEMO_DATA")]
    data: Option<PathBuf>,
}

pub(super) async fn run(args: Args, output: &Output) -> Result<(), CliError> {
    if output.is_json() {
        let why = "demo tells a story to people and has no --json; its exit status says whether all went as promised";
        return Err(CliError::Usage(why.to_owned()));
    }
    let place = match args.against {
        None => Place::Scratch { store: args.store },
        Some(url) => Place::Against { url, data: access::Place::in_folder(args.data).settings()?.data },
    };
    Ok(demo::run(args.which, place).await?)
}
