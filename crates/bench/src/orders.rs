//! Paid orders per second over HTTP: the real server as a process of its own, the load from this one, on one machine.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::{http::Connection, stats::spread};

type Failure = Box<dyn std::error::Error>;

/// The `orders` case.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Customers who order at once, each waiting for the answer.
    #[arg(long, default_value_t = 128)]
    customers: usize,
    /// Seconds of each round.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Rounds; one more is run first to warm up.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// The shop to order from.
    #[arg(long, default_value = "phone")]
    shop: String,
    /// The server's program (default: `orderstream` beside this one).
    #[arg(long)]
    server: Option<PathBuf>,
}

/// Latencies beyond a minute count as a minute.
const LONGEST_MICROS: u64 = 60_000_000;

/// One round's yield.
struct Round {
    per_second: f64,
    latency: Histogram<u64>,
    refused: u64,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let program = match &options.server {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.with_file_name("orderstream"),
    };
    let data = tempfile::tempdir()?;
    let server = Server::start(&program, data.path())?;
    let token = server.token(&["--sub", "bench", "--role", "customer"])?;
    let admin = server.token(&["--sub", "bench-admin", "--role", "admin"])?;
    runtime.block_on(async {
        let body = Arc::new(order(&server, options, &admin).await?);
        let token = Arc::new(token);
        println!(
            "{} customers, {} s a round, shop {}, every order answered 201 (paid and confirmed)",
            options.customers, options.seconds, options.shop
        );
        println!(
            "{:>6} {:>12} {:>9} {:>9} {:>9} {:>8}",
            "round", "orders/s", "p50 ms", "p99 ms", "max ms", "refused"
        );
        let mut rates = Vec::new();
        for number in 0..=options.rounds {
            let round = round(&server.address, options, &token, &body).await?;
            let millis = |q: f64| round.latency.value_at_quantile(q) as f64 / 1000.0;
            let name = if number == 0 { "warm".to_owned() } else { number.to_string() };
            let (rate, refused) = (round.per_second, round.refused);
            println!(
                "{name:>6} {rate:>12.0} {:>9.2} {:>9.2} {:>9.2} {refused:>8}",
                millis(0.5),
                millis(0.99),
                millis(1.0)
            );
            if number > 0 {
                rates.push(rate);
            }
        }
        let spread = spread(&rates);
        println!("paid orders/s: median {:.0} ({:.0} to {:.0})", spread.median, spread.least, spread.most);
        drained(&server, &admin).await
    })
}

async fn round(
    address: &str,
    options: &Options,
    token: &Arc<String>,
    body: &Arc<String>,
) -> Result<Round, Failure> {
    let until = Instant::now() + Duration::from_secs(options.seconds);
    let begin = Instant::now();
    let customers: Vec<_> = (0..options.customers)
        .map(|_| {
            let (address, token, body) = (address.to_owned(), token.clone(), body.clone());
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await?;
                let mut latency =
                    Histogram::<u64>::new_with_bounds(1, LONGEST_MICROS, 3).expect("the bounds are in order");
                let mut refused = 0_u64;
                while Instant::now() < until {
                    let sent = Instant::now();
                    let answer = connection.send("POST", "/v1/orders", &token, &body).await?;
                    if answer.status == 201 {
                        latency
                            .saturating_record(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX));
                    } else {
                        if refused == 0 {
                            eprintln!("refused: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
                        }
                        refused += 1;
                    }
                }
                Ok::<_, std::io::Error>((latency, refused))
            })
        })
        .collect();
    let mut latency = Histogram::<u64>::new_with_bounds(1, LONGEST_MICROS, 3)?;
    let mut refused = 0;
    for customer in customers {
        let (one, no) = customer.await??;
        latency.add(one)?;
        refused += no;
    }
    Ok(Round { per_second: latency.len() as f64 / begin.elapsed().as_secs_f64(), latency, refused })
}

/// A product made to order, so that stock does not run out, and the body of an order of it.
async fn order(server: &Server, options: &Options, admin: &str) -> Result<String, Failure> {
    let mut connection = Connection::open(&server.address).await?;
    let product =
        serde_json::json!({ "name": "Bench", "price": { "amount_minor": 1000, "currency": "KRW" } });
    let path = format!("/v1/shops/{}/products", options.shop);
    let listed = connection.send("POST", &path, admin, &product.to_string()).await?;
    if listed.status != 201 {
        return Err(
            format!("{path} answered {}: {}", listed.status, String::from_utf8_lossy(&listed.body)).into()
        );
    }
    let product: serde_json::Value = serde_json::from_slice(&listed.body)?;
    let body = serde_json::json!({
        "shop_id": options.shop,
        "lines": [{ "product_id": product["product_id"], "quantity": 1 }],
        "recipient": { "name": "Bench", "phone": "010-0000-0000", "address": "Seoul" },
        "payment_method": "tok_ok",
    });
    Ok(body.to_string())
}

/// Waits until process managers and views have caught up, and says how long it took.
async fn drained(server: &Server, admin: &str) -> Result<(), Failure> {
    let begin = Instant::now();
    let mut connection = Connection::open(&server.address).await?;
    while begin.elapsed() < Duration::from_secs(60) {
        let answer = connection.send("GET", "/v1/admin/projections", admin, "").await?;
        let views: serde_json::Value = serde_json::from_slice(&answer.body)?;
        let behind =
            views["data"].as_array().map_or(0, |views| views.iter().filter_map(|v| v["lag"].as_u64()).sum());
        if answer.status == 200 && behind == 0 {
            println!("views had caught up {:.2} s after the last order", begin.elapsed().as_secs_f64());
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("the views did not catch up within a minute".into())
}

/// The server under load; ended when dropped.
struct Server {
    process: Child,
    program: PathBuf,
    data: PathBuf,
    address: String,
}

impl Server {
    fn start(program: &Path, data: &Path) -> Result<Self, Failure> {
        // Any free port: taken, given back, and used at once.
        let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let process = Command::new(program)
            .args(["serve", "--listen", &address, "--data"])
            .arg(data)
            .env("ORDERSTREAM_LOG", "warn")
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| {
                format!("{} cannot be started ({error}): build it with --release first", program.display())
            })?;
        let server = Self { process, program: program.to_owned(), data: data.to_owned(), address };
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(&server.address).is_err() {
            if Instant::now() > deadline {
                return Err("the server did not come up within 20 s".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    fn token(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = Command::new(&self.program)
            .arg("token")
            .args(arguments)
            .arg("--data")
            .arg(&self.data)
            .output()?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing more to be done about either.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
