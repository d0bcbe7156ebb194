//! Case `growth`: the same orders on a long log and on an empty one.

use super::{Case, callers, seconds};
use crate::{
    Failure,
    context::Context,
    dataset,
    drive::drive,
    platform::Platform,
    report::{Bound, CaseReport, Goal, Latency, Row},
    stats::{grouped, latencies, millis},
    usage,
};

/// Options of the case.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Events of the long log. It takes minutes to make, and is kept in the cache: about two
    /// kilobytes an event, views included.
    #[arg(long, default_value_t = 10_000_000)]
    pub(crate) log_events: u64,
    /// Customers who order at once, each waiting for the answer.
    #[arg(long, default_value_t = 128, value_parser = callers)]
    customers: usize,
    /// Seconds of each measurement; a quarter more is run first to warm up.
    #[arg(long, default_value_t = 4.0, value_parser = seconds)]
    seconds: f64,
    /// Seconds of orders on each log before the first round, until the program's caches are full: they hold the latest
    /// sixteen thousand aggregates of each kind, and rows of views.
    #[arg(long, default_value_t = 20.0, value_parser = seconds)]
    fill: f64,
    /// Rounds, each with both logs.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// The long log may differ by so much from the empty one.
const WITHIN: f64 = 0.1;
const SHOP: &str = "phone";
const STORE: &str = "SQLite";

/// A log, and what was seen on it.
struct Side<'c> {
    platform: Platform<'c>,
    rates: Vec<f64>,
    p50: Vec<f64>,
    memory_mib: Vec<f64>,
    latency: hdrhistogram::Histogram<u64>,
}

impl<'c> Side<'c> {
    fn new(platform: Platform<'c>) -> Self {
        Self { platform, rates: Vec::new(), p50: Vec::new(), memory_mib: Vec::new(), latency: latencies() }
    }

    async fn round(&mut self, customers: usize, seconds: f64) -> Result<(), Failure> {
        self.platform.settled().await?;
        let customers = self.platform.customers(customers, SHOP).await?;
        let run = drive(customers, seconds).await?;
        self.platform.settled().await?;
        self.rates.push(run.per_second);
        self.p50.push(millis(&run.latency, 0.5));
        self.memory_mib.push(usage::memory_mib(self.platform.server.id()));
        self.latency.add(run.latency)?;
        Ok(())
    }
}

impl Case for Options {
    fn name(&self) -> &'static str {
        "growth"
    }

    fn make_quick(&mut self) {
        (self.log_events, self.customers, self.seconds, self.rounds) = (8_000, 16, 0.5, 1);
        self.fill = 0.5;
    }

    fn run(&self, context: &Context) -> Result<CaseReport, Failure> {
        context.block_on(self.measure(context))
    }
}

impl Options {
    async fn measure(&self, context: &Context) -> Result<CaseReport, Failure> {
        let data = dataset::data(context, self.log_events).await?;
        let mut long = Side::new(dataset::platform(context, &data).await?);
        let mut empty = Side::new(Platform::on_files(context)?);
        let events = grouped(&long.platform.settled().await?.to_string());
        let at_start =
            [&long, &empty].map(|side| format!("{:.0} MiB", usage::memory_mib(side.platform.server.id())));
        for side in [&long, &empty] {
            drive(side.platform.customers(self.customers, SHOP).await?, self.fill).await?;
        }
        for round in 0..self.rounds.max(1) {
            // Every other round the other way round.
            let sides = if round % 2 == 0 { [&mut long, &mut empty] } else { [&mut empty, &mut long] };
            for side in sides {
                side.round(self.customers, self.seconds).await?;
            }
            eprintln!("  round {} of {}", round + 1, self.rounds.max(1));
        }
        let one = Goal::Ratio(Bound::OneWithin(WITHIN));
        let rows = vec![
            Row::alone(format!("placed to confirmed, {events} events"), STORE, "orders/s", long.rates)
                .against("an empty log", empty.rates)
                .goal(one),
            Row::alone(format!("latency p50, {events} events"), STORE, "ms", long.p50)
                .against("an empty log", empty.p50),
            Row::alone(format!("memory after a round, {events} events"), STORE, "MiB", long.memory_mib)
                .against("an empty log", empty.memory_mib),
        ];
        let quantiles = vec![
            Latency::of(format!("placed to confirmed, {events} events"), STORE, &long.latency),
            Latency::of("placed to confirmed, an empty log", STORE, &empty.latency),
        ];
        let [long_at_start, empty_at_start] = at_start;
        long.platform.end().await?;
        empty.platform.end().await?;
        Ok(CaseReport {
            name: self.name(),
            title: "the same orders on a long log and on an empty one".to_owned(),
            how: vec![
                format!(
                    "{} customers order as in `orders`, for {} s after a quarter more to warm up, in turn on a \
                     platform whose log holds {events} events and on one that began with none; both run all the time, \
                     the other one idle.",
                    self.customers, self.seconds
                ),
                "The long log is made of orders that went the whole way; its views are up to date, and its process \
                 managers have handled all of it."
                    .to_owned(),
                format!(
                    "Memory is what the server's process holds (VmRSS) after each round; both had taken orders for {} s \
                     before the first, to fill their caches.",
                    self.fill
                ),
            ],
            rows,
            latencies: quantiles,
            figures: vec![
                ("memory before the first round, long log".to_owned(), long_at_start),
                ("memory before the first round, empty log".to_owned(), empty_at_start),
            ],
        })
    }
}
