//! The real program, run as a user runs it.
#![allow(dead_code, unreachable_pub)]

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

/// How long a platform may take until it is ready.
const PATIENCE: Duration = Duration::from_secs(20);

/// The program, with a clean environment of settings.
pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_orderstream"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ORDERSTREAM_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command on a data folder to its end.
pub fn run_in<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(data: &Path, arguments: I) -> Output {
    command().args(arguments).arg("--data").arg(data).output().unwrap()
}

/// Runs a command that has to work and returns what it printed.
#[track_caller]
pub fn result_in<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(data: &Path, arguments: I) -> String {
    let output = run_in(data, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that has to fail with this status and returns what it complained of.
#[track_caller]
pub fn failure_in<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(
    data: &Path,
    arguments: I,
    status: i32,
) -> String {
    let output = run_in(data, arguments);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{complaint}");
    complaint
}

/// A platform in a process of its own. Killed when dropped.
pub struct Serving {
    pub child: Child,
    pub url: String,
}

impl Serving {
    /// Starts on a free port and waits until it says where it listens, and is ready.
    #[track_caller]
    pub fn start(data: &Path, more: &[&str]) -> Self {
        Self::start_in(data, more, &[]).unwrap_or_else(|status| panic!("it ended: {status}"))
    }

    /// The same in an environment of settings.
    ///
    /// # Errors
    /// How it ended before it was ready.
    pub fn start_in(data: &Path, more: &[&str], environment: &[(&str, &str)]) -> Result<Self, ExitStatus> {
        let mut serve = command();
        serve.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(more);
        serve.envs(environment.iter().copied()).stderr(Stdio::null());
        Self::of(serve)
    }

    /// The same for a command that is to serve on a free port.
    ///
    /// # Errors
    /// How it ended before it was ready.
    pub fn of(mut command: Command) -> Result<Self, ExitStatus> {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://")) else {
            return Err(child.wait().unwrap());
        };
        let mut serving = Self { child, url: url.to_owned() };
        serving.wait_until_ready().map(|()| serving)
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Waits for `/readyz`; over a plain socket, so that it works inside and outside an asynchronous test.
    fn wait_until_ready(&mut self) -> Result<(), ExitStatus> {
        let address = self.url.strip_prefix("http://").unwrap().to_owned();
        let begun = Instant::now();
        loop {
            let answer = std::net::TcpStream::connect(&address).and_then(|mut socket| {
                write!(socket, "GET /readyz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
                let mut answer = String::new();
                socket.read_to_string(&mut answer).map(|_| answer)
            });
            if answer.as_ref().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Ok(());
            }
            if let Some(status) = self.ended() {
                return Err(status);
            }
            assert!(begun.elapsed() < PATIENCE, "not ready: {answer:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL: no chance to finish anything.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the exit status.
    pub fn terminate(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }

    /// A token made by the program itself.
    pub fn token(data: &Path, arguments: &[&str]) -> String {
        result_in(data, ["token"].iter().chain(arguments)).trim().to_owned()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
