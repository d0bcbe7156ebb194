//! What is killed: one platform on one store, the payment provider that outlives it, and the people who use it.

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output, Stdio},
    sync::Arc,
};

use gateway::{
    Sandbox, SandboxOptions,
    server::{SandboxServer, SandboxServerOptions},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use scratch_postgres::Cluster;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::{
    binary::{self, Serving},
    load::{Load, Person, Scene, Who},
};

/// How many buy, reserve and eat at once.
const PEOPLE: [usize; 3] = [3, 3, 4];
/// How long a reservation waits for its payment: a charge that is not answered by then is voided. Seconds.
pub(crate) const PAY_WITHIN: u64 = 2;

/// How the program is set up: a provider that answers too late is given up soon, and tried again soon; whoever is killed is
/// missed soon.
const SETTINGS: [(&str, &str); 7] = [
    ("ORDERSTREAM_GATEWAY_DEADLINE_MS", "300"),
    ("ORDERSTREAM_GATEWAY_CONNECT_TIMEOUT_MS", "300"),
    ("ORDERSTREAM_GATEWAY_BREAKER_OPEN_MS", "100"),
    ("ORDERSTREAM_ORDER_WAIT_MS", "3000"),
    ("ORDERSTREAM_VIEW_WAIT_MS", "500"),
    ("ORDERSTREAM_POSTGRES_LEASE_MS", "500"),
    ("ORDERSTREAM_POSTGRES_CONNECTIONS", "6"),
];

/// Where the platform keeps what it knows.
#[derive(Clone)]
pub(crate) enum Store {
    Files,
    Postgres(Arc<Cluster>),
}

/// A platform that is killed again and again.
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) sandbox: Sandbox,
    pub(crate) load: Arc<Load>,
    /// A bug that is planted in whatever is killed; see `ORDERSTREAM_BUG`.
    pub(crate) bug: Option<&'static str>,
    scene: Option<Scene>,
    provider: SandboxServer,
    schema: String,
    folder: TempDir,
}

impl World {
    /// A fresh one, its scene set.
    pub(crate) async fn new(store: Store, bug: Option<&'static str>) -> Self {
        let folder = tempfile::Builder::new().prefix("orderstream-kill-").tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let sandbox = Sandbox::open(&folder.path().join("books.db"), SandboxOptions::default()).unwrap();
        let options = SandboxServerOptions::default();
        let provider = SandboxServer::start(sandbox.clone(), "127.0.0.1:0", options).await.unwrap();
        let load = Arc::new(Load::new(|arguments| Serving::token(&data, arguments), 1, false));
        let schema = format!("kill_{:016x}", rand::random::<u64>());
        let mut world = Self { store, sandbox, load, bug, scene: None, provider, schema, folder };
        if let Store::Postgres(_) = world.store {
            world.result(&["migrate"]);
        }
        let serving = world.start(world.program("serve")).unwrap_or_else(|status| world.has_failed(status));
        world.scene = Some(Scene::paid_within(&world.load, PAY_WITHIN).await);
        serving.kill();
        world
    }

    pub(crate) fn scene(&self) -> &Scene {
        self.scene.as_ref().expect("it is set with the world")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The program with its settings, told to do this.
    pub(crate) fn program(&self, what: &str) -> Command {
        let mut command = binary::command();
        command.arg(what).args(if what == "serve" { &["--listen", "127.0.0.1:0"][..] } else { &[] });
        command.env("ORDERSTREAM_DATA", self.data()).env("ORDERSTREAM_GATEWAY_URL", self.provider.url());
        command.envs(SETTINGS);
        if let Store::Postgres(cluster) = &self.store {
            command.env("ORDERSTREAM_STORE", cluster.url("postgres"));
            command.env("ORDERSTREAM_POSTGRES_SCHEMA", &self.schema);
        }
        command
    }

    /// Starts it and sends the load there.
    pub(crate) fn start(&self, mut command: Command) -> Result<Serving, ExitStatus> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log()).unwrap();
        let serving = tokio::task::block_in_place(|| {
            Serving::of({
                command.stderr(log);
                command
            })
        })?;
        self.load.moves_to(0, &serving.url);
        Ok(serving)
    }

    /// The report of the audit, which finds no violation.
    pub(crate) fn audit(&self) -> String {
        let output = self.run(&["events", "verify", "--json"]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("no report: {error}: {}", String::from_utf8_lossy(&output.stderr))
        });
        let violations = &report["violations"];
        assert!(violations.as_array().is_some_and(Vec::is_empty), "the audit finds {violations}");
        String::from_utf8(output.stdout).expect("it is JSON")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.program(arguments[0]);
        command.args(&arguments[1..]).stdin(Stdio::null());
        tokio::task::block_in_place(|| command.output()).unwrap()
    }

    /// Runs a command that has to work, without any bug, and gives what it printed.
    pub(crate) fn result(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let [said, complaint] =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        let beginning = || said.chars().take(2_000).collect::<String>();
        assert!(output.status.success(), "{}: {complaint}{}", arguments.join(" "), beginning());
        said
    }

    /// Everybody begins to work.
    pub(crate) fn everybody(&self, random: &mut StdRng) -> Vec<JoinHandle<()>> {
        let mut people = Vec::new();
        for (work, count) in PEOPLE.into_iter().enumerate() {
            for number in 0..count {
                let (load, scene) = (self.load.clone(), self.scene().clone());
                let random = StdRng::seed_from_u64(random.random());
                let person = Person { load, scene, who: Who::Customer(number % 3), random };
                people.push(tokio::spawn(person.works(work)));
            }
        }
        people
    }

    /// It ended by itself, where it was not to.
    pub(crate) fn has_failed(&self, status: ExitStatus) -> ! {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let end: Vec<&str> = log.lines().rev().take(3).collect();
        panic!("the program ended with {status}: {end:?}")
    }

    /// Nothing panicked in any life of the program.
    pub(crate) fn nobody_panicked(&self) {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let panics = log.lines().find(|line| line.contains("panicked at"));
        assert_eq!(panics, None, "{}", self.log().display());
    }

    pub(crate) async fn close(self) {
        self.provider.stop().await;
        self.sandbox.close().await;
        if let Store::Postgres(cluster) = &self.store {
            drop_schema(cluster, &self.schema).await;
        }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("server.log")
    }

    /// Whoever fails leaves what there is.
    pub(crate) fn keep(&mut self) -> &Path {
        self.folder.disable_cleanup(true);
        self.folder.path()
    }
}

/// Thousands of tables of worlds that are over would make the database slow.
async fn drop_schema(cluster: &Cluster, schema: &str) {
    use sqlx::Connection;
    let mut conn = sqlx::PgConnection::connect(&cluster.url("postgres")).await.unwrap();
    let sql = format!("SET client_min_messages = error; DROP SCHEMA {schema} CASCADE");
    sqlx::raw_sql(&sql).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}
