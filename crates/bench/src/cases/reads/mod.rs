//! Case `reads`: the orders view over HTTP, by id and by list, against a route that answers a constant of the same size.

pub(crate) mod constant;

use std::sync::Arc;

use super::{Case, callers, seconds};
use crate::{
    Failure,
    context::Context,
    dataset,
    drive::{Caller, drive},
    history,
    http::{Connection, request},
    platform::Platform,
    report::{CaseReport, Latency, Row},
    server,
    stats::latencies,
};

/// Options of the case.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Readers who read at once, each over a connection of their own.
    #[arg(long, default_value_t = 64, value_parser = callers)]
    readers: usize,
    /// Seconds of each measurement; a quarter more is run first to warm up.
    #[arg(long, default_value_t = 2.5, value_parser = seconds)]
    seconds: f64,
    /// Rounds, each with both sides.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Events of the log that the view was folded from: about 17 make an order.
    #[arg(long, default_value_t = 1_800_000)]
    events: u64,
}

/// Orders of one page of a list.
const PAGE: usize = 20;
/// Different requests that each kind of reader takes turns with.
const DIFFERENT: usize = 50_000;

const STORE: &str = "SQLite";

/// What is read.
const KINDS: [&str; 2] = ["by id", "list of 20"];

impl Case for Options {
    fn name(&self) -> &'static str {
        "reads"
    }

    fn make_quick(&mut self) {
        (self.readers, self.seconds, self.rounds, self.events) = (8, 0.2, 1, 8_000);
    }

    fn run(&self, context: &Context) -> Result<CaseReport, Failure> {
        context.block_on(self.measure(context))
    }
}

impl Options {
    async fn measure(&self, context: &Context) -> Result<CaseReport, Failure> {
        let data = dataset::data(context, self.events).await?;
        let orders = dataset::orders(&data.join("log.db"))?;
        let platform = dataset::platform(context, &data).await?;
        let requests = requests(&platform, &orders)?;
        let sizes = [size(&platform, &requests[0]).await?, size(&platform, &requests[1]).await?];
        let constants = server::constant(sizes[0], sizes[1])?;
        let constant =
            ["/one", "/many"].map(|path| Arc::new(vec![request("GET", path, &platform.admin, "")]));

        let (mut ours, mut theirs) = (KINDS.map(|_| Vec::new()), KINDS.map(|_| Vec::new()));
        let (mut our_latency, mut their_latency) = (KINDS.map(|_| latencies()), KINDS.map(|_| latencies()));
        for round in 0..self.rounds.max(1) {
            for kind in 0..KINDS.len() {
                let run = self.read(platform.server.address(), &requests[kind]).await?;
                ours[kind].push(run.per_second);
                our_latency[kind].add(run.latency)?;
                let run = self.read(&constants.address, &constant[kind]).await?;
                theirs[kind].push(run.per_second);
                their_latency[kind].add(run.latency)?;
            }
            eprintln!("  round {} of {}", round + 1, self.rounds.max(1));
        }
        let (mut rows, mut quantiles) = (Vec::new(), Vec::new());
        for (kind, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
            let constant = format!("a constant of {} bytes", sizes[kind]);
            quantiles.push(Latency::of(KINDS[kind], STORE, &our_latency[kind]));
            quantiles.push(Latency::of(constant.clone(), "-", &their_latency[kind]));
            rows.push(Row::alone(KINDS[kind], STORE, "reads/s", ours).against(constant, theirs));
        }
        platform.end().await?;
        Ok(CaseReport {
            name: self.name(),
            title: "the orders view over HTTP".to_owned(),
            how: vec![
                format!(
                    "{} readers, each over a kept connection, read orders at random of a store with {} orders: one by \
                     its id, or a customer's newest {PAGE}; {} s of each measurement count, after a quarter more to \
                     warm up.",
                    self.readers,
                    orders.len(),
                    self.seconds
                ),
                "Every read has its token verified, its view looked at and what is personal fetched from where it is \
                 kept."
                    .to_owned(),
                "Reference: the same client and connections, and an axum route in a process of its own that answers \
                 a constant of the same size."
                    .to_owned(),
            ],
            rows,
            latencies: quantiles,
            figures: vec![("orders in the view".to_owned(), orders.len().to_string())],
        })
    }

    async fn read(
        &self,
        address: &str,
        requests: &Arc<Vec<Vec<u8>>>,
    ) -> Result<crate::drive::Yield, Failure> {
        let mut readers = Vec::new();
        for number in 0..self.readers {
            let connection = Connection::open(address).await?;
            let next = number * requests.len() / self.readers;
            readers.push(Reader { connection, requests: requests.clone(), next });
        }
        let run = drive(readers, self.seconds).await?;
        if run.refused > 0 {
            return Err(format!("{} reads were not answered 200", run.refused).into());
        }
        Ok(run)
    }
}

/// Requests of both kinds, in an order without a pattern.
fn requests(platform: &Platform<'_>, orders: &[domain::OrderId]) -> Result<[Arc<Vec<Vec<u8>>>; 2], Failure> {
    if orders.is_empty() {
        return Err("there is no order to read".into());
    }
    // A step that has no divisor in common with the number comes by all of them.
    let step = 7_919;
    let one = (0..orders.len().min(DIFFERENT)).map(|number| {
        let path = format!("/v1/orders/{}", orders[number * step % orders.len()]);
        request("GET", &path, &platform.admin, "")
    });
    let mut many = Vec::new();
    for number in 0..history::CUSTOMERS {
        let token = platform.signer.token(&history::customer(number), "customer")?;
        many.push(request("GET", &format!("/v1/orders?limit={PAGE}"), &token, ""));
    }
    Ok([Arc::new(one.collect()), Arc::new(many)])
}

/// Bytes of the first answer's body.
async fn size(platform: &Platform<'_>, requests: &[Vec<u8>]) -> Result<usize, Failure> {
    let mut connection = Connection::open(platform.server.address()).await?;
    let answer = connection.send_prepared(requests.first().ok_or("nothing to read")?).await?;
    match answer.status {
        200 => Ok(answer.body.len()),
        status => Err(format!("a read was answered {status}").into()),
    }
}

struct Reader {
    connection: Connection,
    requests: Arc<Vec<Vec<u8>>>,
    next: usize,
}

impl Caller for Reader {
    async fn once(&mut self) -> Result<bool, Failure> {
        let request = &self.requests[self.next % self.requests.len()];
        self.next += 1;
        Ok(self.connection.send_prepared(request).await?.status == 200)
    }
}
