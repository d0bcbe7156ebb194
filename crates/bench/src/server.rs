//! The program under test, each time as a process of its own: the real server, and the payment provider's sandbox.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{Failure, http::Connection, store::Schema};

/// How long a process may take until it listens: on a long log it looks at its files first.
const START: Duration = Duration::from_secs(120);

/// What a product costs unless said. Minor units.
const PRICE_MINOR: u64 = 1_000;

/// The program beside this one, unless another is named.
pub(crate) fn program(named: Option<&PathBuf>) -> std::io::Result<PathBuf> {
    match named {
        Some(program) => Ok(program.clone()),
        None => Ok(std::env::current_exe()?.with_file_name("orderstream")),
    }
}

/// A process that listens; ended when dropped.
pub(crate) struct Listening {
    process: Child,
    pub(crate) address: String,
}

impl Listening {
    /// Has `command` listen on a free port, and waits until it does.
    fn start(mut command: Command, what: &str) -> Result<Self, Failure> {
        // Any free port: taken, given back, and used at once.
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let process =
            command.args(["--listen", &address]).spawn().map_err(|error| missing(&command, &error))?;
        let mut listening = Self { process, address };
        let deadline = Instant::now() + START;
        while std::net::TcpStream::connect(&listening.address).is_err() {
            if let Some(status) = listening.process.try_wait()? {
                return Err(format!("{what} ended before it listened ({status})").into());
            }
            if Instant::now() > deadline {
                return Err(format!("{what} did not come up within {} s", START.as_secs()).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(listening)
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing more to be done about either.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The server under load.
pub(crate) struct Server {
    listening: Listening,
    program: PathBuf,
    data: PathBuf,
    environment: Vec<(String, String)>,
}

impl Server {
    /// Starts it with its data in `data`, on files or on a database, with `settings` beside the defaults.
    pub(crate) fn start(
        program: &Path,
        data: &Path,
        database: Option<&Schema>,
        settings: &[(&str, String)],
    ) -> Result<Self, Failure> {
        let mut environment = vec![("ORDERSTREAM_DATA".to_owned(), data.display().to_string())];
        if let Some(database) = database {
            environment.push(("ORDERSTREAM_STORE".to_owned(), database.url.clone()));
            environment.push(("ORDERSTREAM_POSTGRES_SCHEMA".to_owned(), database.name.clone()));
        }
        environment.extend(settings.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let run = |arguments: &[&str]| {
            let mut command = command(program, &environment);
            command.args(arguments).stdout(Stdio::null());
            command
        };
        if database.is_some() {
            let mut migrate = run(&["migrate"]);
            if !migrate.status().map_err(|error| missing(&migrate, &error))?.success() {
                return Err("the tables could not be made".into());
            }
        }
        let listening = Listening::start(run(&["serve"]), "the server")?;
        Ok(Self { listening, program: program.to_owned(), data: data.to_owned(), environment })
    }

    pub(crate) fn address(&self) -> &str {
        &self.listening.address
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.listening.id()
    }

    /// Its data folder.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// A token of the program's own making.
    pub(crate) fn token(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = self.command().arg("token").args(arguments).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// The program, set up as the server is, without arguments yet.
    pub(crate) fn command(&self) -> Command {
        command(&self.program, &self.environment)
    }

    /// A product made to order, so that stock does not run out, and the body of an order of it.
    pub(crate) async fn order_body(&self, shop: &str, admin: &str) -> Result<String, Failure> {
        self.order_body_at(shop, admin, PRICE_MINOR).await
    }

    /// The same at a price. Minor units.
    pub(crate) async fn order_body_at(&self, shop: &str, admin: &str, price: u64) -> Result<String, Failure> {
        let mut connection = Connection::open(self.address()).await?;
        let product =
            serde_json::json!({ "name": "Bench", "price": { "amount_minor": price, "currency": "KRW" } });
        let path = format!("/v1/shops/{shop}/products");
        let listed = connection.send("POST", &path, admin, &product.to_string()).await?;
        if listed.status != 201 {
            let why = String::from_utf8_lossy(&listed.body);
            return Err(format!("{path} answered {}: {why}", listed.status).into());
        }
        let product: serde_json::Value = serde_json::from_slice(&listed.body)?;
        let body = serde_json::json!({
            "shop_id": shop,
            "lines": [{ "product_id": product["product_id"], "quantity": 1 }],
            "recipient": { "name": "Bench", "phone": "010-0000-0000", "address": "Seoul" },
            "payment_method": "tok_ok",
        });
        Ok(body.to_string())
    }
}

/// The payment provider's sandbox, which takes `latency` (such as `400..620` milliseconds) for an answer.
pub(crate) fn provider(program: &Path, data: &Path, latency: &str) -> Result<Listening, Failure> {
    let mut command = command(program, &[("ORDERSTREAM_DATA".to_owned(), data.display().to_string())]);
    command.args(["payment-sandbox", "--latency", latency]).stdout(Stdio::null());
    Listening::start(command, "the payment sandbox")
}

/// A server of this program's own that answers constants of these sizes.
pub(crate) fn constant(one: usize, many: usize) -> Result<Listening, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["constant", "--one", &one.to_string(), "--many", &many.to_string()]);
    Listening::start(command, "the server of constants")
}

fn command(program: &Path, environment: &[(String, String)]) -> Command {
    let mut command = Command::new(program);
    command.env_remove("ORDERSTREAM_STORE").env_remove("ORDERSTREAM_VIEWS").env("ORDERSTREAM_LOG", "warn");
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

fn missing(command: &Command, error: &std::io::Error) -> String {
    let program = Path::new(command.get_program()).display();
    format!("{program} cannot be started ({error}): build it with --release first")
}
