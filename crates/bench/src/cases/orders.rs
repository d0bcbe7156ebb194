//! Case `orders`: paid orders over HTTP, from placed to confirmed. The real server is a process of its own, the load comes
//! from this one, on one machine.

use super::{Case, append::Place, callers, seconds};
use crate::{
    Failure,
    context::Context,
    drive::drive,
    platform::Platform,
    report::{CaseReport, Latency, Row},
    stats::{latencies, spread},
};

/// Options of the case.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Customers who order at once, each waiting for the answer.
    #[arg(long, default_value_t = 128, value_parser = callers)]
    customers: usize,
    /// Seconds of each round; a quarter more is run first to warm up.
    #[arg(long, default_value_t = 4.0, value_parser = seconds)]
    seconds: f64,
    /// Rounds, on every store.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The shop to order from: one whose customers pay with the order.
    #[arg(long, default_value = "phone")]
    shop: String,
}

/// Seconds of bare inserts on PostgreSQL.
pub(super) const LIMIT_SECONDS: f64 = 0.6;

impl Case for Options {
    fn name(&self) -> &'static str {
        "orders"
    }

    fn make_quick(&mut self) {
        (self.customers, self.seconds, self.rounds) = (16, 0.5, 1);
    }

    fn run(&self, context: &Context) -> Result<CaseReport, Failure> {
        context.block_on(self.measure(context))
    }
}

impl Options {
    async fn measure(&self, context: &Context) -> Result<CaseReport, Failure> {
        let how = vec![
            format!(
                "{} customers of the shop {}, one line each, order again as soon as they are answered 201: stock \
                 reserved, payment captured by the sandbox inside the process (5 to 15 ms), order confirmed; {} s \
                 of each round count, after a quarter more to warm up.",
                self.customers, self.shop, self.seconds
            ),
            "Server and load are two processes on one machine; every view and every process manager runs."
                .to_owned(),
            "Reference: bare batched inserts of the last events of this very log (events/s, batches of 256), \
             divided by the events that an order led to in this round, delivery and messages included."
                .to_owned(),
        ];
        let mut report = CaseReport::new(self.name(), "paid orders over HTTP, from placed to confirmed", how);
        for place in Place::all(context)? {
            self.on(Platform::at(context, place, self.name())?, &mut report).await?;
        }
        Ok(report)
    }

    async fn on(&self, platform: Platform<'_>, report: &mut CaseReport) -> Result<(), Failure> {
        let (store, mut seen, mut latency) = (platform.store, Orders::default(), latencies());
        for round in 0..self.rounds.max(1) {
            let before = platform.settled().await?;
            let customers = platform.customers(self.customers, &self.shop).await?;
            let run = drive(customers, self.seconds).await?;
            // Whoever comes next shall have the machine to itself.
            let events = platform.settled().await? - before;
            seen.add(&run, events, platform.log_limit(LIMIT_SECONDS).await?);
            latency.add(run.latency)?;
            eprintln!("  {store}, round {} of {}", round + 1, self.rounds.max(1));
        }
        report.rows.push(seen.row("placed to confirmed", store));
        report.latencies.push(Latency::of("placed to confirmed", store, &latency));
        report.figures.extend(seen.figures(store));
        platform.end().await
    }
}

/// Orders of all rounds on one store, and what the log could do.
#[derive(Default)]
pub(super) struct Orders {
    pub(super) rates: Vec<f64>,
    limits: Vec<f64>,
    events_per_order: Vec<f64>,
    refused: u64,
}

impl Orders {
    pub(super) fn add(&mut self, run: &crate::drive::Yield, events: u64, limit: f64) {
        self.rates.push(run.per_second);
        self.limits.push(limit);
        self.events_per_order.push(events as f64 / run.done.max(1) as f64);
        self.refused += run.refused;
    }

    pub(super) fn row(&self, what: &str, store: &'static str) -> Row {
        let most = self.limits.iter().zip(&self.events_per_order).map(|(limit, events)| limit / events);
        Row::alone(what, store, "orders/s", self.rates.clone())
            .against("log limit / events per order", most.collect())
    }

    pub(super) fn figures(&self, store: &str) -> Vec<(String, String)> {
        vec![
            (format!("events per order, {store}"), spread(&self.events_per_order).to_string()),
            (format!("log limit, events/s, {store}"), spread(&self.limits).to_string()),
            (format!("orders not answered 201, {store}"), self.refused.to_string()),
        ]
    }
}
