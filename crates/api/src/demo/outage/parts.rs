//! The parts of the platform as child processes.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use gateway::server::{SandboxClient, SandboxClientError};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// How long a part may take until it listens and is ready.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a killed process's share of the work stays its own. Milliseconds: short, since people watch.
const LEASE_MS: &str = "2000";

/// The parts besides the payment sandbox, and what runs in each.
const PARTS: [(&str, &str); 8] = [
    ("views", "views"),
    ("checkout", "process:checkout"),
    ("payments", "process:payments"),
    ("fulfilment", "process:fulfilment"),
    ("undoing", "process:cancellation,process:returns"),
    ("loyalty", "process:loyalty"),
    ("the rest", "process:booking,process:vouchers,process:notifications"),
    ("api", "api"),
];
/// The payment provider.
const SANDBOX: &str = "payment sandbox";

/// Why a part does not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum PartError {
    /// It cannot be started, watched or ended.
    #[error("{part}: {source}")]
    Io {
        /// Which part.
        part: String,
        /// Why.
        source: std::io::Error,
    },
    /// It ended, or did not get ready.
    #[error("{part} did not get ready: {said}")]
    NotReady {
        /// Which part.
        part: String,
        /// The end of its log.
        said: String,
    },
    /// A command failed.
    #[error("`orderstream {command}` failed: {said}")]
    Command {
        /// Its arguments.
        command: String,
        /// What it said.
        said: String,
    },
    /// No such part runs.
    #[error("{0} does not run")]
    NotRunning(String),
    /// The payment sandbox.
    #[error(transparent)]
    Sandbox(#[from] SandboxClientError),
}

/// One process. It is killed when this is dropped.
struct Part {
    name: String,
    url: String,
    child: Child,
}

/// All that run.
pub(super) struct Parts {
    store: String,
    schema: String,
    root: PathBuf,
    /// Where the payment sandbox listens: the same place whenever it is started.
    sandbox: String,
    running: Vec<Part>,
}

impl Parts {
    /// Creates the tables and starts everything.
    pub(super) async fn start(store: &str, schema: &str, root: PathBuf) -> Result<Self, PartError> {
        let (store, schema) = (store.to_owned(), schema.to_owned());
        let mut parts = Self { store, schema, root, sandbox: "127.0.0.1:0".to_owned(), running: Vec::new() };
        parts.command(&["migrate"]).await?;
        parts.start_sandbox().await?;
        for (name, _) in PARTS {
            parts.start_part(name).await?;
        }
        for (name, _) in PARTS {
            parts.ready(name).await?;
        }
        Ok(parts)
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.running.iter().map(|part| part.name.clone()).collect()
    }

    /// Where the part listens.
    pub(super) fn url(&self, name: &str) -> Result<String, PartError> {
        let part = self.running.iter().find(|part| part.name == name);
        part.map(|part| part.url.clone()).ok_or_else(|| PartError::NotRunning(name.to_owned()))
    }

    /// The data folder of the part.
    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.root.join(name.replace(' ', "-"))
    }

    /// Starts a part that does not run, or one more of its kind under the name `name 2`.
    pub(super) async fn start_part(&mut self, name: &str) -> Result<(), PartError> {
        let kind = name.trim_end_matches(|last: char| last.is_ascii_digit()).trim_end();
        let only = PARTS.iter().find(|(known, _)| *known == kind).map(|(_, only)| *only);
        let only = only.ok_or_else(|| PartError::NotRunning(name.to_owned()))?;
        let mut command = self.program(name);
        command.args(["serve", "--listen", "127.0.0.1:0", "--only", only]);
        self.running.push(self.spawn(name, command).await?);
        Ok(())
    }

    /// Waits until the part says that it is ready.
    pub(super) async fn ready(&self, name: &str) -> Result<(), PartError> {
        let url = format!("{}/readyz", self.url(name)?);
        let ready = async {
            loop {
                if reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, ready).await {
            Ok(()) => Ok(()),
            Err(_) => Err(PartError::NotReady { part: name.to_owned(), said: self.said(name) }),
        }
    }

    /// Starts the payment sandbox, where it was before if it was.
    pub(super) async fn start_sandbox(&mut self) -> Result<(), PartError> {
        let mut command = self.program(SANDBOX);
        command.args(["payment-sandbox", "--listen", &self.sandbox, "--latency", "5..15"]);
        let part = self.spawn(SANDBOX, command).await?;
        self.sandbox = part.url.trim_start_matches("http://").to_owned();
        self.running.push(part);
        Ok(())
    }

    /// The books of the payment sandbox.
    pub(super) fn books(&self) -> Result<SandboxClient, PartError> {
        Ok(SandboxClient::new(&self.url(SANDBOX)?)?)
    }

    /// Kills the payment sandbox.
    pub(super) async fn kill_sandbox(&mut self) -> Result<(), PartError> {
        self.kill(SANDBOX).await
    }

    /// Kills a part, as a power cut would.
    pub(super) async fn kill(&mut self, name: &str) -> Result<(), PartError> {
        let place = self.running.iter().position(|part| part.name == name);
        let mut part = self.running.remove(place.ok_or_else(|| PartError::NotRunning(name.to_owned()))?);
        part.child.kill().await.map_err(|source| PartError::Io { part: name.to_owned(), source })
    }

    /// Kills all.
    pub(super) async fn stop(mut self) {
        for mut part in self.running.drain(..) {
            // It may have ended by itself.
            let _ = part.child.kill().await;
        }
    }

    /// Runs a command to its end; gives what it printed.
    pub(super) async fn command(&self, arguments: &[&str]) -> Result<String, PartError> {
        let mut command = self.program("command");
        let output = command.args(arguments).output().await;
        let output = output.map_err(|source| PartError::Io { part: arguments.join(" "), source })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(PartError::Command { command: arguments.join(" "), said })
    }

    /// This program, with the settings of the demo and none of the caller's.
    fn program(&self, name: &str) -> Command {
        let program = std::env::current_exe().unwrap_or_else(|_| "orderstream".into());
        let mut command = Command::new(program);
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("ORDERSTREAM_") {
                command.env_remove(variable);
            }
        }
        command.env("ORDERSTREAM_STORE", &self.store).env("ORDERSTREAM_POSTGRES_SCHEMA", &self.schema);
        command.env("ORDERSTREAM_POSTGRES_CONNECTIONS", "6").env("ORDERSTREAM_POSTGRES_LEASE_MS", LEASE_MS);
        command.env("ORDERSTREAM_GATEWAY_URL", format!("http://{}", self.sandbox));
        command.env("ORDERSTREAM_DATA", self.folder(name)).env("ORDERSTREAM_ORDER_WAIT_MS", "5000");
        // A file in the caller's folder is not meant for these.
        command.current_dir(&self.root).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Starts a process and waits for the line that says where it listens.
    async fn spawn(&self, name: &str, mut command: Command) -> Result<Part, PartError> {
        let io = |source| PartError::Io { part: name.to_owned(), source };
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log(name)).map_err(io)?;
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().map_err(io)?;
        let mut lines = child.stdout.take().map(|out| BufReader::new(out).lines());
        let greeting = async {
            match &mut lines {
                Some(lines) => lines.next_line().await,
                None => Ok(None),
            }
        };
        let line = tokio::time::timeout(PATIENCE, greeting).await.unwrap_or(Ok(None)).map_err(io)?;
        let url = line.as_deref().and_then(|line| line.split(' ').find(|word| word.starts_with("http://")));
        match url {
            Some(url) => Ok(Part { name: name.to_owned(), url: url.to_owned(), child }),
            None => Err(PartError::NotReady { part: name.to_owned(), said: self.said(name) }),
        }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.root.join(format!("{}.log", name.replace(' ', "-")))
    }

    /// The end of the part's log.
    fn said(&self, name: &str) -> String {
        last_lines(&self.log(name))
    }
}

fn last_lines(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(3)..].join(" | ")
}
