//! The program's own log: on stderr, so that stdout holds results only.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging. `ORDERSTREAM_LOG` sets the level (`debug`, `eventlog=trace`, …); a server says more than a command.
pub(super) fn start(serving: bool) {
    let default = if serving { "info" } else { "warn" };
    let filter = EnvFilter::try_from_env("ORDERSTREAM_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(!no_colour && std::io::stderr().is_terminal())
        .try_init();
    // Only a second start fails, and then the first one does the work.
    drop(started);
}
