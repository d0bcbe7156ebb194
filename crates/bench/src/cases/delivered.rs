//! Case `delivered`: paid orders over HTTP, from placed to delivered, with everything on that a shop can have.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::{OrderId, order::delivery_of};
use hdrhistogram::Histogram;

use super::{
    Case,
    append::Place,
    callers,
    orders::{LIMIT_SECONDS, Orders},
    seconds,
};
use crate::{
    Failure,
    context::Context,
    drive::{Caller, drive},
    http::{Connection, request},
    platform::Platform,
    report::{CaseReport, Latency},
    stats::{latencies, record},
};

/// Options of the case.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Orders that are under way at once, each with a customer and somebody of the shop's staff.
    #[arg(long, default_value_t = 128, value_parser = callers)]
    orders: usize,
    /// Seconds of each round; a quarter more is run first to warm up.
    #[arg(long, default_value_t = 4.0, value_parser = seconds)]
    seconds: f64,
    /// Rounds, on every store.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// A shop that prepares, earns its customers coupons, takes goods back and tells customers of everything.
const SHOP: &str = "pizza";
/// What the staff does, in order.
const STEPS: [&str; 4] = ["accept", "prepare", "ship", "complete"];
/// How soon the staff looks again for a delivery that is not there yet.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How long it may take until it is there.
const PATIENCE: Duration = Duration::from_secs(30);

impl Case for Options {
    fn name(&self) -> &'static str {
        "delivered"
    }

    fn make_quick(&mut self) {
        (self.orders, self.seconds, self.rounds) = (8, 0.8, 1);
    }

    fn run(&self, context: &Context) -> Result<CaseReport, Failure> {
        context.block_on(self.measure(context))
    }
}

impl Options {
    async fn measure(&self, context: &Context) -> Result<CaseReport, Failure> {
        let how = vec![
            format!(
                "{} pairs of a customer and somebody of the staff of the shop {SHOP}, which prepares, gives \
                 coupons for large orders, takes goods back for a day and tells customers of every step: the \
                 customer orders and waits for 201, the staff accepts, prepares, ships and completes the delivery \
                 as soon as it is there; then the pair begins anew.",
                self.orders
            ),
            format!(
                "Counted when the delivery is completed; {} s of each round count, after a quarter more to warm \
                 up. Five requests an order. All views and process managers run.",
                self.seconds
            ),
            "Reference: bare batched inserts of the last events of this very log (events/s, batches of 256), \
             divided by the events that an order led to in this round."
                .to_owned(),
        ];
        let mut report = CaseReport::new(
            self.name(),
            "paid orders over HTTP, from placed to delivered, with everything on",
            how,
        );
        for place in Place::all(context)? {
            self.on(Platform::at(context, place, self.name())?, &mut report).await?;
        }
        Ok(report)
    }

    async fn on(&self, platform: Platform<'_>, report: &mut CaseReport) -> Result<(), Failure> {
        let (store, mut seen, mut whole) = (platform.store, Orders::default(), latencies());
        let confirmed = Arc::new(Mutex::new(latencies()));
        for round in 0..self.rounds.max(1) {
            let before = platform.settled().await?;
            let pairs = pairs(&platform, self.orders, &confirmed).await?;
            let run = drive(pairs, self.seconds).await?;
            let events = platform.settled().await? - before;
            seen.add(&run, events, platform.log_limit(LIMIT_SECONDS).await?);
            whole.add(run.latency)?;
            eprintln!("  {store}, round {} of {}", round + 1, self.rounds.max(1));
        }
        let first_half = {
            let confirmed = confirmed.lock().unwrap_or_else(PoisonError::into_inner);
            Latency::of("placed to confirmed, beside that and warming up", store, &confirmed)
        };
        report.rows.push(seen.row("placed to delivered", store));
        report.latencies.push(Latency::of("placed to delivered", store, &whole));
        report.latencies.push(first_half);
        report.figures.extend(seen.figures(store));
        platform.end().await
    }
}

async fn pairs(
    platform: &Platform<'_>,
    how_many: usize,
    confirmed: &Arc<Mutex<Histogram<u64>>>,
) -> Result<Vec<Pair>, Failure> {
    // Dear enough to earn a coupon.
    let body = platform.server.order_body_at(SHOP, &platform.admin, 20_000).await?;
    let staff = platform.server.token(&["--sub", "bench-staff", "--role", "shop", "--shop", SHOP])?;
    let mut pairs = Vec::new();
    for number in 0..how_many {
        let token = platform.signer.token(&format!("bench-{number}"), "customer")?;
        pairs.push(Pair {
            connection: Connection::open(platform.server.address()).await?,
            order: request("POST", "/v1/orders", &token, &body),
            staff: staff.clone(),
            confirmed: confirmed.clone(),
        });
    }
    Ok(pairs)
}

/// A customer, and somebody who sees to the delivery.
struct Pair {
    connection: Connection,
    order: Vec<u8>,
    staff: String,
    /// Latencies of the first half, of all pairs.
    confirmed: Arc<Mutex<Histogram<u64>>>,
}

impl Caller for Pair {
    async fn once(&mut self) -> Result<bool, Failure> {
        let begin = Instant::now();
        let placed = self.connection.send_prepared(&self.order).await?;
        if placed.status != 201 {
            return Ok(false);
        }
        record(&mut self.confirmed.lock().unwrap_or_else(PoisonError::into_inner), begin.elapsed());
        let order = placed.text("order_id").ok_or("an order without an id")?;
        let delivery = delivery_of(OrderId::from_uuid(order.parse()?));
        for step in STEPS {
            self.take(&format!("/v1/deliveries/{delivery}/{step}")).await?;
        }
        Ok(true)
    }
}

impl Pair {
    /// A step of the staff. The delivery is there a moment after the order is confirmed.
    async fn take(&mut self, path: &str) -> Result<(), Failure> {
        let begin = Instant::now();
        loop {
            let answer = self.connection.send("POST", path, &self.staff, "").await?;
            match answer.status {
                200 => return Ok(()),
                404 | 503 if begin.elapsed() < PATIENCE => tokio::time::sleep(LOOK_AGAIN).await,
                status => {
                    let why = String::from_utf8_lossy(&answer.body);
                    return Err(format!("{path} answered {status}: {why}").into());
                }
            }
        }
    }
}
