//! Opens the door: listens, answers, and closes in good order.

mod door;

use std::{borrow::Cow, net::SocketAddr, path::Path, time::Duration};

use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{Platform, Settings, StartError, data_dir::DataDir};

/// A platform that listens. [`Server::stop`] it; dropping it leaves what is under way undone.
pub struct Server {
    platform: Platform,
    address: SocketAddr,
    close: CancellationToken,
    listening: JoinHandle<()>,
    patience: Duration,
}

impl Server {
    /// Takes the data folder, listens, starts everything.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let mut data = DataDir::open(&settings)?;
        let not_listening = |source| StartError::Listen { listen: settings.listen.clone(), source };
        let listener = TcpListener::bind(&settings.listen).await.map_err(not_listening)?;
        let address = listener.local_addr().map_err(not_listening)?;
        data.announce(&address.to_string())?;
        let patience = settings.shutdown_wait();
        let platform = Platform::start_in(data, settings).await?;
        let close = CancellationToken::new();
        let serving = door::serve(listener, platform.app().clone(), platform.router(), close.clone());
        let listening = tokio::spawn(serving);
        Ok(Self { platform, address, close, listening, patience })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The start of every address: `http://127.0.0.1:8080`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it serves.
    #[must_use]
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Takes no new connections, ends what is under way (bounded), then shuts the platform down.
    pub async fn stop(mut self) {
        // Streams end by themselves when they see this.
        self.platform.app().stopping.cancel();
        self.close.cancel();
        if tokio::time::timeout(self.patience, &mut self.listening).await.is_err() {
            tracing::warn!("some connections did not end in time: they are cut");
            self.listening.abort();
        }
        self.platform.shutdown().await;
    }
}

/// Serves until the process is told to stop (SIGTERM, SIGINT).
///
/// # Errors
/// See [`StartError`].
pub async fn run(settings: Settings) -> Result<(), StartError> {
    let data = settings.data.clone();
    let parts = match settings.only.as_slice() {
        [] => format!("all but {}", settings.except.join(", ")),
        only => only.join(", "),
    };
    // Before anybody can know that it runs, so that no signal ends it the hard way.
    let stop = stop_signal();
    let server = Server::start(settings).await?;
    let program = std::env::args_os().next().unwrap_or_else(|| "orderstream".into());
    let greeting = if server.platform().app().settings.runs_api() {
        greeting(&server.url(), &program.to_string_lossy(), &data)
    } else {
        // Nobody has any business here but those who watch over it.
        format!("orderstream runs {parts} and listens on {0} - see {0}/readyz", server.url())
    };
    println!("{greeting}");
    stop.await;
    tracing::info!("stopping: finishing what is under way");
    server.stop().await;
    Ok(())
}

/// One line: where to look, and how to get in, with the program as it was started: it need not be on the PATH.
fn greeting(url: &str, program: &str, data: &Path) -> String {
    let program = quoted(program);
    let data = match data.to_str() {
        Some("./data") | None => String::new(),
        Some(data) => format!(" --data {}", quoted(data)),
    };
    format!(
        "orderstream listens on {url} - see {url}/docs; get a token: {program} token --sub alice --role customer{data}"
    )
}

/// The text as one word of a shell.
fn quoted(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:=@%,".contains(&byte) || !byte.is_ascii();
    if !text.is_empty() && text.bytes().all(plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''")).into()
}

/// Listens for SIGTERM and SIGINT from the call on; ends with the first of them.
#[cfg(unix)]
pub(crate) fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let caught = [SignalKind::terminate(), SignalKind::interrupt()].map(|kind| {
        signal(kind).inspect_err(|error| tracing::warn!(%error, ?kind, "a signal cannot be caught")).ok()
    });
    async move {
        let [mut terminate, mut interrupt] = caught;
        tokio::select! {
            Some(_) = next(&mut terminate) => {}
            Some(_) = next(&mut interrupt) => {}
            else => std::future::pending().await,
        }
    }
}

#[cfg(unix)]
async fn next(signal: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
    signal.as_mut()?.recv().await
}

#[cfg(not(unix))]
pub(crate) async fn stop_signal() {
    if let Err(error) = tokio::signal::ctrl_c().await {
        tracing::warn!(%error, "Ctrl-C cannot be caught");
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_names_the_program_as_it_was_started_and_the_folder_unless_it_is_the_usual_one() {
        let said = |program, data| greeting("http://h", program, Path::new(data));
        let command = "get a token: target/debug/orderstream token --sub alice --role customer";
        assert!(said("target/debug/orderstream", "./data").ends_with(command));
        assert!(said("orderstream", "/a b/it's").ends_with(r"customer --data '/a b/it'\''s'"));
        assert!(said("./my orderstream", "./data").contains("get a token: './my orderstream' token "));
    }
}
