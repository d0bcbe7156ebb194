//! Paid orders per second over HTTP: the real server as a process of its own, the load from this one, on one machine.
//! With PostgreSQL, a server on files takes its turn in every round, for comparison.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;

use crate::{
    http::Connection,
    server::{self, Server},
    stats::spread,
    store::{self, Store},
};

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
    /// Where everything is kept: sqlite, postgres (a scratch server, started and ended here), or postgres:URL (a server
    /// that is there; the case works in a schema of its own and removes it). PostgreSQL is measured beside SQLite.
    #[arg(long, default_value = "sqlite")]
    store: Store,
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
    let program = server::program(options.server.as_ref())?;
    let sqlite = || Candidate::start(&program, None);
    let Store::Postgres(url) = &options.store else {
        return runtime.block_on(compare(options, vec![sqlite()?]));
    };
    let database = store::Server::start(url.as_deref()).map_err(|error| error as Failure)?;
    println!("{}", runtime.block_on(database.describe()).map_err(|error| error as Failure)?);
    let candidates = vec![sqlite()?, Candidate::start(&program, Some(&database))?];
    let done = runtime.block_on(compare(options, candidates));
    // Also after a failure, whose reason is worth more than that of this.
    let cleared = runtime.block_on(database.clear()).map_err(|error| error as Failure);
    done.and(cleared)
}

/// A server that takes orders, and what it yielded.
struct Candidate {
    store: &'static str,
    server: Server,
    token: Arc<String>,
    admin: String,
    rates: Vec<f64>,
    _data: tempfile::TempDir,
}

impl Candidate {
    /// On files, or on a database.
    fn start(program: &Path, database: Option<&store::Server>) -> Result<Self, Failure> {
        let data = tempfile::tempdir()?;
        // All clients are one customer here.
        let settings = [("ORDERSTREAM_ADMISSION_CUSTOMERS_COMMANDS_PER_SECOND", "0".to_owned())];
        let server = Server::start(program, data.path(), database, &settings)?;
        let token = Arc::new(server.token(&["--sub", "bench", "--role", "customer"])?);
        let admin = server.token(&["--sub", "bench-admin", "--role", "admin"])?;
        let store = if database.is_some() { "postgres" } else { "sqlite" };
        Ok(Self { store, server, token, admin, rates: Vec::new(), _data: data })
    }
}

async fn compare(options: &Options, mut candidates: Vec<Candidate>) -> Result<(), Failure> {
    println!(
        "{} customers, {} s a round, shop {}, every order answered 201 (paid and confirmed)",
        options.customers, options.seconds, options.shop
    );
    println!(
        "{:>9} {:>6} {:>12} {:>9} {:>9} {:>9} {:>8} {:>14}",
        "store", "round", "orders/s", "p50 ms", "p99 ms", "max ms", "refused", "views behind s"
    );
    let mut bodies = Vec::new();
    for candidate in &candidates {
        bodies.push(Arc::new(candidate.server.order_body(&options.shop, &candidate.admin).await?));
    }
    for number in 0..=options.rounds {
        for (candidate, body) in candidates.iter_mut().zip(&bodies) {
            let round = round(candidate.server.address(), options, &candidate.token, body).await?;
            let millis = |q: f64| round.latency.value_at_quantile(q) as f64 / 1000.0;
            // Whoever comes next shall have the machine to itself.
            let behind = drained(candidate).await?.as_secs_f64();
            let name = if number == 0 { "warm".to_owned() } else { number.to_string() };
            let (store, rate, refused) = (candidate.store, round.per_second, round.refused);
            println!(
                "{store:>9} {name:>6} {rate:>12.0} {:>9.2} {:>9.2} {:>9.2} {refused:>8} {behind:>14.2}",
                millis(0.5),
                millis(0.99),
                millis(1.0)
            );
            if number > 0 {
                candidate.rates.push(rate);
            }
        }
    }
    for candidate in &candidates {
        println!("{}: paid orders/s: median {}", candidate.store, spread(&candidate.rates));
    }
    if let [first, second] = candidates.as_slice() {
        let ratios: Vec<f64> = second.rates.iter().zip(&first.rates).map(|(s, f)| s / f).collect();
        println!("{} against {}, of the same round: {}", second.store, first.store, spread(&ratios));
    }
    Ok(())
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

/// Waits until the views have caught up; how long it took.
async fn drained(candidate: &Candidate) -> Result<Duration, Failure> {
    let begin = Instant::now();
    let mut connection = Connection::open(candidate.server.address()).await?;
    while begin.elapsed() < Duration::from_secs(60) {
        let answer = connection.send("GET", "/v1/admin/projections", &candidate.admin, "").await?;
        let views: serde_json::Value = serde_json::from_slice(&answer.body)?;
        let behind =
            views["data"].as_array().map_or(0, |views| views.iter().filter_map(|v| v["lag"].as_u64()).sum());
        if answer.status == 200 && behind == 0 {
            return Ok(begin.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("the views did not catch up within a minute".into())
}
