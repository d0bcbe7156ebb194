//! One platform in parts: each a process of its own over one database, and the payment provider beside them.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use gateway::server::SandboxClient;
use scratch_postgres::Cluster;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::Mutex,
};

use crate::{binary, load::Load};

/// The parts, and what runs in each: two of everything. The first two are the doors of the load.
const PARTS: [(&str, &str); 6] = [
    ("api-1", "api"),
    ("api-2", "api"),
    ("processes-1", "processes"),
    ("processes-2", "processes"),
    ("views-1", "views"),
    ("views-2", "views"),
];
/// Where the tables are.
const SCHEMA: &str = "parts";
/// The payment provider.
pub(crate) const SANDBOX: &str = "sandbox";
/// How long the share of somebody who is gone stays taken. Milliseconds.
pub(crate) const LEASE_MS: u64 = 1_500;
/// How long an order waits before it is answered 202. Milliseconds.
const ORDER_WAIT_MS: u64 = 8_000;
/// How long a part may take to start, to get ready or to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// All parts. They are killed when this is dropped.
pub(crate) struct Platform {
    pub(crate) cluster: Arc<Cluster>,
    pub(crate) load: Arc<Load>,
    folder: TempDir,
    sandbox: String,
    parts: Vec<Part>,
}

struct Part {
    name: &'static str,
    /// None: the payment provider.
    only: Option<&'static str>,
    running: Mutex<Option<Running>>,
}

struct Running {
    child: Child,
    url: String,
    /// Whoever does not read what it prints would end it.
    _output: tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
}

impl Platform {
    /// Makes the tables, and starts everything.
    pub(crate) async fn start(cluster: Arc<Cluster>) -> Arc<Self> {
        let folder = tempfile::Builder::new().prefix("orderstream-parts-").tempdir().unwrap();
        let key = |part: &str| folder.path().join(part).join("signing.key");
        // One key for both: a token is good at either.
        let token = |arguments: &[&str]| binary::Serving::token(&folder.path().join("api-1"), arguments);
        let load = Arc::new(Load::new(token, 2, true));
        std::fs::create_dir(folder.path().join("api-2")).unwrap();
        std::fs::copy(key("api-1"), key("api-2")).unwrap();
        let kinds = PARTS.map(|(name, only)| (name, Some(only)));
        let parts = kinds.into_iter().chain([(SANDBOX, None)]);
        let parts = parts.map(|(name, only)| Part { name, only, running: Mutex::default() }).collect();
        let platform = Self { cluster, load, folder, sandbox: quiet_address(), parts };
        platform.result(&["migrate"]);
        platform.start_part(SANDBOX).await;
        futures::future::join_all(PARTS.iter().map(|(name, _)| platform.start_part(name))).await;
        platform.ready().await;
        Arc::new(platform)
    }

    /// Starts a part that does not run, again and again until it does: as long as it cannot, it has to say why.
    pub(crate) async fn start_part(&self, name: &str) {
        let begun = Instant::now();
        let part = self.part(name);
        let mut running = part.running.lock().await;
        while running.is_none() {
            match self.try_to_start(part).await {
                Ok(started) => {
                    if let Some(door) = PARTS.iter().take(2).position(|(door, _)| *door == name) {
                        self.load.moves_to(door, &started.url);
                    }
                    *running = Some(started);
                }
                Err(said) => {
                    println!("{name} does not start: {said}");
                    assert!(begun.elapsed() < PATIENCE, "{name} does not start: {said}");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }

    async fn try_to_start(&self, part: &Part) -> Result<Running, String> {
        let mut command = self.program(part.name);
        match part.only {
            Some(only) => command.args(["serve", "--listen", "127.0.0.1:0", "--only", only]),
            None => command.args(["payment-sandbox", "--listen", &self.sandbox, "--latency", "2..20"]),
        };
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log(part.name)).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(PATIENCE, output.next_line()).await;
        match line.unwrap_or_else(|_| panic!("{} neither starts nor ends", part.name)).unwrap() {
            Some(line) => {
                let url = line.split(' ').find(|word| word.starts_with("http://")).unwrap().to_owned();
                Ok(Running { child, url, _output: output })
            }
            None => {
                let status = child.wait().await.unwrap();
                let text = std::fs::read_to_string(self.log(part.name)).unwrap();
                let said = text.lines().last().unwrap_or_default().to_owned();
                assert_eq!(status.code(), Some(1), "{}: {said}", part.name);
                assert!(said.starts_with("orderstream: "), "{} ended without a word: {text}", part.name);
                Err(said)
            }
        }
    }

    /// SIGKILL.
    pub(crate) async fn kill(&self, name: &str) {
        if let Some(mut running) = self.part(name).running.lock().await.take() {
            running.child.kill().await.unwrap();
        }
    }

    /// SIGTERM: it ends what it has begun, and by itself.
    pub(crate) async fn terminate(&self, name: &str) {
        let mut running = self.part(name).running.lock().await;
        let Some(mut ending) = running.take() else { return };
        signal(&ending.child, "-TERM").await;
        let begun = Instant::now();
        let status = tokio::time::timeout(PATIENCE, ending.child.wait()).await;
        let status = status.unwrap_or_else(|_| panic!("{name} does not stop")).unwrap();
        assert_eq!(status.code(), Some(0), "{name} was to stop: {status}");
        println!("{name} stopped within {} ms", begun.elapsed().as_millis());
    }

    /// SIGSTOP, and SIGCONT after so long: by a process that does not end with us, so that nobody is left stopped.
    pub(crate) async fn pause(&self, name: &str, time: Duration) {
        let running = self.part(name).running.lock().await;
        if let Some(running) = &*running {
            let (pid, time) = (running.child.id().unwrap(), time.as_secs_f64());
            let script = format!("kill -STOP {pid}; sleep {time}; kill -CONT {pid}");
            let mut shell = Command::new("sh");
            assert!(shell.args(["-c", &script]).process_group(0).status().await.unwrap().success());
        }
    }

    /// What every part answers when it is asked whether it is ready.
    pub(crate) async fn readiness(&self) -> Vec<u16> {
        let asked = PARTS.map(|(name, _)| async move {
            let url = self.part(name).running.lock().await.as_ref().unwrap().url.clone();
            reqwest::get(format!("{url}/readyz")).await.unwrap().status().as_u16()
        });
        futures::future::join_all(asked).await
    }

    /// Waits until every part says that it is ready.
    pub(crate) async fn ready(&self) {
        for (name, _) in PARTS {
            let url = self.part(name).running.lock().await.as_ref().unwrap().url.clone();
            let begun = Instant::now();
            loop {
                let answer = match reqwest::get(format!("{url}/readyz")).await {
                    Ok(answer) if answer.status().is_success() => break,
                    Ok(answer) => answer.text().await.unwrap_or_default(),
                    Err(error) => error.to_string(),
                };
                assert!(begun.elapsed() < PATIENCE, "{name} does not get ready: {answer}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Stops all parts in good order.
    pub(crate) async fn stop(&self) {
        for part in &self.parts {
            self.terminate(part.name).await;
        }
    }

    /// The books of the payment provider.
    pub(crate) fn books(&self) -> SandboxClient {
        SandboxClient::new(&format!("http://{}", self.sandbox)).unwrap()
    }

    /// Runs a command that has to work beside the parts, and gives what it printed.
    pub(crate) fn result(&self, arguments: &[&str]) -> String {
        let output = self.program("command").into_std().args(arguments).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Nobody panicked.
    pub(crate) fn nobody_panicked(&self) {
        for part in &self.parts {
            let log = std::fs::read_to_string(self.log(part.name)).unwrap_or_default();
            let line = log.lines().find(|line| line.contains("panicked at"));
            assert_eq!(line, None, "{}", part.name);
        }
    }

    fn part(&self, name: &str) -> &Part {
        self.parts.iter().find(|part| part.name == name).unwrap()
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.log"))
    }

    fn program(&self, name: &str) -> Command {
        let mut command = binary::command();
        on_database(&mut command, &self.cluster.url("postgres"), SCHEMA, &self.folder.path().join(name));
        command.env("ORDERSTREAM_GATEWAY_URL", format!("http://{}", self.sandbox));
        command.env("ORDERSTREAM_POSTGRES_LEASE_MS", LEASE_MS.to_string());
        command.env("ORDERSTREAM_ORDER_WAIT_MS", ORDER_WAIT_MS.to_string());
        let mut command = Command::from(command);
        command.kill_on_drop(true);
        command
    }
}

impl Drop for Platform {
    /// Whoever fails leaves the logs of the parts.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            println!("the logs of the parts are in {}", self.folder.path().display());
        }
    }
}

/// The database ends as a crash would end it.
pub(crate) async fn stop_at_once(cluster: &Arc<Cluster>) {
    let cluster = cluster.clone();
    tokio::task::spawn_blocking(move || cluster.stop_at_once()).await.unwrap().unwrap();
}

/// The database is back.
pub(crate) async fn resume(cluster: &Arc<Cluster>) {
    let cluster = cluster.clone();
    tokio::task::spawn_blocking(move || cluster.resume()).await.unwrap().unwrap();
}

/// The program works on this schema.
pub(crate) fn on_database(command: &mut std::process::Command, url: &str, schema: &str, data: &Path) {
    command.env("ORDERSTREAM_STORE", url).env("ORDERSTREAM_POSTGRES_SCHEMA", schema);
    command.env("ORDERSTREAM_POSTGRES_CONNECTIONS", "6").env("ORDERSTREAM_DATA", data);
}

async fn signal(child: &Child, name: &str) {
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args([name, &pid]).status().await.unwrap().success());
}

/// An address that is free again whenever its owner is gone: below the ports that connections take.
fn quiet_address() -> String {
    let free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let port = std::iter::repeat_with(|| rand::random_range(20_000..32_000)).find(free).unwrap();
    format!("127.0.0.1:{port}")
}
