//! Measurements of orderstream against the limit of the machine it runs on. Each case prints a table and how it was
//! made; a figure in the README is one that a case here prints.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod append;
mod history;
mod http;
mod orders;
mod payments;
mod rebuild;
mod server;
mod stats;
mod store;
mod tokens;
mod usage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The allocator of the program that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(about = "Measures orderstream. Build with --release.")]
struct Arguments {
    #[command(subcommand)]
    case: Case,
}

#[derive(Subcommand)]
enum Case {
    /// Commands per second through the executor, against bare inserts of the same rows; on PostgreSQL also against
    /// cqrs-es with postgres-es.
    Append(append::Options),
    /// Paid orders per second over HTTP, the server in a process of its own.
    Orders(orders::Options),
    /// The originals' load on slow payments, with their figures beside ours, and ten times as much as can be paid.
    Payments(payments::Options),
    /// Rebuild of all views: events per second, and memory.
    Rebuild(rebuild::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().case {
        Case::Append(options) => append::run(&options),
        Case::Orders(options) => orders::run(&options),
        Case::Payments(options) => payments::run(&options),
        Case::Rebuild(options) => rebuild::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
