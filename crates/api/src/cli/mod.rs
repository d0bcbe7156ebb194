//! The command line: one file per command. Results go to stdout, everything else to stderr; the exit status is 0 when
//! it worked, 1 when it did not, 2 when it was called wrongly.

mod access;
mod demo;
mod error;
mod events;
mod health;
mod logging;
mod migrate;
mod openapi;
mod output;
mod payment_sandbox;
mod payments;
mod progress;
mod projections;
mod remote;
mod sagas;
mod serve;
mod token;
mod transfer;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use error::CliError;
use output::Output;

use crate::settings::Flags;

/// An event-sourced order platform in one program.
#[derive(Debug, Parser)]
#[command(name = "orderstream", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// Print results as JSON where a program may want to read them.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Flags,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the platform (this is also what happens without a command).
    Serve(Flags),
    /// Play the scenarios of a shop over HTTP and tell what happens.
    Demo(demo::Args),
    /// Views: how they do, fold them again, check them.
    #[command(subcommand)]
    Projections(projections::Command),
    /// The event log: follow it, show a stream, move it as text.
    #[command(subcommand)]
    Events(events::Command),
    /// Process managers: what they work on and what is stuck.
    #[command(subcommand)]
    Sagas(sagas::Command),
    /// Payments: our log against the provider's books.
    #[command(subcommand)]
    Payments(payments::Command),
    /// Print a token for the HTTP interface.
    Token(token::Args),
    /// Run the stand-in payment provider, a server of its own that moves no money.
    PaymentSandbox(payment_sandbox::Args),
    /// Ask a running process whether it is ready; exit with 1 if it is not.
    Health(health::Args),
    /// Print the OpenAPI document.
    Openapi,
    /// Create or migrate the databases and say which schema they have.
    Migrate(access::Place),
}

/// Reads the arguments, does what they say, and returns the exit status.
#[must_use]
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout with status 0, wrong usage to stderr with status 2.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let command = cli.command.unwrap_or(Command::Serve(cli.serve));
    logging::start(matches!(command, Command::Serve(_) | Command::PaymentSandbox(_)));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("orderstream: no threads to work with: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(carry_out(command, Output::new(cli.json))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("orderstream: {error}");
            ExitCode::from(error.exit_status())
        }
    }
}

async fn carry_out(command: Command, output: Output) -> Result<(), CliError> {
    match command {
        Command::Serve(flags) => serve::run(&flags).await,
        Command::Demo(args) => demo::run(args, &output).await,
        Command::Projections(command) => projections::run(command, &output).await,
        Command::Events(command) => events::run(command, &output).await,
        Command::Sagas(command) => sagas::run(command, &output).await,
        Command::Payments(command) => payments::run(command, &output).await,
        Command::Token(args) => token::run(args, &output),
        Command::PaymentSandbox(args) => payment_sandbox::run(args).await,
        Command::Health(args) => health::run(args, &output).await,
        Command::Openapi => openapi::run(&output),
        Command::Migrate(place) => migrate::run(&place, &output).await,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_what_happens_without_a_command() {
        let cli = Cli::try_parse_from(["orderstream", "--listen", "127.0.0.1:0"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.serve.listen.as_deref(), Some("127.0.0.1:0"));
    }

    #[test]
    fn json_may_stand_behind_the_command() {
        assert!(Cli::try_parse_from(["orderstream", "projections", "list", "--json"]).unwrap().json);
    }
}
