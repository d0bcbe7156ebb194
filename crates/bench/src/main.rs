//! Measurements of orderstream against the limit of the machine it runs on, and against others. Each case has its
//! reference in the same run; a figure in the README or in docs/BENCHMARKS.md is one that a case here prints.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod all;
mod cases;
mod context;
mod dataset;
mod drive;
mod history;
mod http;
mod machine;
mod open_loop;
mod platform;
mod report;
mod server;
mod stats;
mod store;
mod tokens;
mod usage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Why a measurement did not come about.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The allocator of the program that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Measures orderstream. Build with --release.")]
struct Arguments {
    #[command(flatten)]
    common: context::Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Every case, in one table.
    All(all::Options),
    /// Commands through the executor, by 1 to 256 callers: against bare batched inserts, cqrs-es, an INSERT per event.
    Append(cases::append::Options),
    /// Commands on one hot aggregate, against the same on distinct ones.
    Hot(cases::hot::Options),
    /// Paid orders over HTTP, from placed to confirmed.
    Orders(cases::orders::Options),
    /// Paid orders over HTTP, from placed to delivered, with everything on.
    Delivered(cases::delivered::Options),
    /// The orders view over HTTP, against a route that answers a constant.
    Reads(cases::reads::Options),
    /// Rebuild of the views, against reading and decoding the log; and memory.
    Rebuild(cases::rebuild::Options),
    /// The same orders on a long log and on an empty one; and memory.
    Growth(cases::growth::Options),
    /// How long after its answer an order is in the view.
    Lag(cases::lag::Options),
    /// A slow provider under the originals' load, and ten times as much as can be paid.
    Payments(cases::payments::Options),
    /// Answers constants over HTTP: the other side of `reads`.
    #[command(hide = true)]
    Constant(cases::reads::constant::Options),
    /// Rebuilds once, alone in its process: a part of `rebuild`.
    #[command(hide = true)]
    RebuildOnce(cases::rebuild::once::Options),
}

fn main() -> ExitCode {
    let Arguments { common, command } = Arguments::parse();
    let done = match command {
        Command::Constant(options) => cases::reads::constant::run(&options).map(|()| true),
        Command::RebuildOnce(options) => cases::rebuild::once::run(&options).map(|()| true),
        Command::All(options) => all::run(&common, &options),
        Command::Append(options) => all::one(&common, Box::new(options)),
        Command::Hot(options) => all::one(&common, Box::new(options)),
        Command::Orders(options) => all::one(&common, Box::new(options)),
        Command::Delivered(options) => all::one(&common, Box::new(options)),
        Command::Reads(options) => all::one(&common, Box::new(options)),
        Command::Rebuild(options) => all::one(&common, Box::new(options)),
        Command::Growth(options) => all::one(&common, Box::new(options)),
        Command::Lag(options) => all::one(&common, Box::new(options)),
        Command::Payments(options) => all::one(&common, Box::new(options)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
