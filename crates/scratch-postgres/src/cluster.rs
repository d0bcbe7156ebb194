//! One server.

use std::{
    io,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::Binaries;

/// The superuser of a scratch server, and its password.
const USER: &str = "orderstream";
const PASSWORD: &str = "scratch";
/// How long a server may take to begin or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Keeps the server as a child and ends it, and its folder, when our end of the pipe is closed: also when we are killed.
const WATCHDOG: &str = r#"
folder=$1; shift
"$@" >"$folder/server.log" 2>&1 &
server=$!
cat >/dev/null
kill -QUIT "$server" 2>/dev/null
wait "$server"
[ -e "$folder/keep" ] || rm -rf "$folder"
"#;

/// Why a scratch server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A program or a folder.
    #[error("a scratch PostgreSQL server cannot be set up: {0}")]
    Io(#[from] io::Error),
    /// A program ended with an error.
    #[error("{program} failed: {said}")]
    Program {
        /// Which.
        program: &'static str,
        /// What it said.
        said: String,
    },
    /// It does not answer.
    #[error("the scratch PostgreSQL server did not start within a minute: {log}")]
    Silent {
        /// The end of its log.
        log: String,
    },
}

/// How a scratch server is run.
#[derive(Clone, Debug, Default)]
pub struct ClusterOptions {
    /// Whether a commit is on disk when it is answered. Tests do without; a benchmark must not.
    pub durable: bool,
    /// Further settings, as in `postgresql.conf`.
    pub settings: Vec<(String, String)>,
}

/// A server in a temporary folder, listening on 127.0.0.1. It ends when this is dropped or our process ends.
#[derive(Debug)]
pub struct Cluster {
    binaries: Binaries,
    folder: PathBuf,
    port: u16,
    options: ClusterOptions,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    watchdog: Child,
    /// Closing it ends the server.
    _alive: ChildStdin,
}

impl Cluster {
    /// Sets a server up and starts it. Blocks for some seconds.
    ///
    /// # Errors
    /// See [`ClusterError`].
    pub fn start(binaries: Binaries, options: ClusterOptions) -> Result<Self, ClusterError> {
        let folder = tempfile::Builder::new().prefix("orderstream-pg-").tempdir()?.keep();
        binaries.hand_over(&folder)?;
        let password = folder.join("password");
        std::fs::write(&password, PASSWORD)?;
        let mut initdb = binaries.command("initdb");
        initdb.arg("--pgdata").arg(folder.join("data")).arg("--pwfile").arg(&password);
        initdb.args(["--username", USER, "--auth", "scram-sha-256", "--encoding", "UTF8"]);
        initdb.args(["--locale", "C", "--no-sync"]);
        succeed("initdb", initdb.current_dir(&folder))?;
        let cluster = Self { binaries, folder, port: free_port()?, options, running: Mutex::default() };
        cluster.resume()?;
        Ok(cluster)
    }

    /// Starts the server again after [`Cluster::stop_at_once`], on the same port with the same data.
    ///
    /// # Errors
    /// See [`ClusterError`].
    pub fn resume(&self) -> Result<(), ClusterError> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.is_some() {
            return Ok(());
        }
        // The watchdog must not remove what is to be resumed; the marker goes once the server runs.
        let mut shell = self.binaries.as_server_user(Command::new("/bin/sh"));
        shell.args(["-c", WATCHDOG, "watchdog"]).arg(&self.folder);
        shell.arg(self.binaries.path_of("postgres")).arg("-D").arg(self.data());
        shell.arg("-k").arg(&self.folder).args(["-p", &self.port.to_string()]);
        for (name, value) in self.settings() {
            shell.arg("-c").arg(format!("{name}={value}"));
        }
        // In a group of its own: what ends all of us at once (Ctrl-C, `timeout`) must not end it before it has cleared up.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut shell, 0);
        let mut watchdog = shell
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let alive = watchdog.stdin.take().ok_or_else(|| io::Error::other("no pipe to the server"))?;
        *running = Some(Running { watchdog, _alive: alive });
        drop(running);
        self.wait_until_ready()?;
        remove_if_there(&self.folder.join("keep"))?;
        Ok(())
    }

    /// Ends the server as a crash would: no connection is told anything. Its data stay.
    ///
    /// # Errors
    /// See [`ClusterError`].
    pub fn stop_at_once(&self) -> Result<(), ClusterError> {
        std::fs::write(self.folder.join("keep"), "")?;
        self.end();
        Ok(())
    }

    /// The address of a database of this server.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder that holds everything of it; `server.log` is its log.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn settings(&self) -> Vec<(String, String)> {
        let mut settings = vec![("listen_addresses".to_owned(), "127.0.0.1".to_owned())];
        if !self.options.durable {
            let fast = [("fsync", "off"), ("full_page_writes", "off")];
            settings.extend(fast.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        settings.extend(self.options.settings.iter().cloned());
        settings
    }

    fn wait_until_ready(&self) -> Result<(), ClusterError> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.is_ready() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        let log = log.lines().rev().take(3).collect::<Vec<_>>().join(" | ");
        Err(ClusterError::Silent { log })
    }

    /// Whether it is past recovery and takes queries, as the eighth line of its pid file says.
    fn is_ready(&self) -> bool {
        let status = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let ready = status.lines().nth(7).is_some_and(|line| line.trim_end() == "ready");
        ready && TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    fn end(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Running { mut watchdog, _alive }) = running {
            drop(_alive);
            // An error means that it is gone already.
            let _ = watchdog.wait();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end();
        // Whoever was stopped to be resumed, and was not.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> io::Result<u16> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr().map(|address| address.port())
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn succeed(program: &'static str, command: &mut Command) -> Result<(), ClusterError> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ClusterError::Program { program, said })
}
