//! Case `lag`: how long after it was answered an order is in the view, as a client sees it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

use super::{Case, append::Place, callers, seconds};
use crate::{
    Failure,
    context::Context,
    drive::drive,
    http::request,
    open_loop::Pool,
    platform::Platform,
    report::{CaseReport, Latency, Row},
    stats::{latencies, millis, record, spread},
};

/// Options of the case.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Customers who order at once, to find the peak.
    #[arg(long, default_value_t = 128, value_parser = callers)]
    customers: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 3.0, value_parser = seconds)]
    seconds: f64,
    /// Rounds, each with every load.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// The shop to order from.
    #[arg(long, default_value = "phone")]
    shop: String,
}

/// Loads, as shares of the peak.
const SHARES: [f64; 2] = [0.5, 0.9];
/// Orders a second whose view is looked at.
const LOOKED_AT: f64 = 150.0;
/// Most connections for orders and reads.
const CONNECTIONS: usize = 1_000;
/// Who has waited so long for an answer goes away.
const GIVE_UP: Duration = Duration::from_secs(30);

impl Case for Options {
    fn name(&self) -> &'static str {
        "lag"
    }

    fn make_quick(&mut self) {
        (self.customers, self.seconds, self.rounds) = (8, 0.4, 1);
    }

    fn run(&self, context: &Context) -> Result<CaseReport, Failure> {
        context.block_on(self.measure(context))
    }
}

/// What was seen under one load, in all rounds.
struct Seen {
    /// From the answer of the order to that of the read that had to see it.
    visible: Histogram<u64>,
    /// The same read once more.
    again: Histogram<u64>,
    p50: [Vec<f64>; 2],
    p99: [Vec<f64>; 2],
    unanswered: u64,
}

impl Seen {
    fn new() -> Self {
        let rounds = || [Vec::new(), Vec::new()];
        Self { visible: latencies(), again: latencies(), p50: rounds(), p99: rounds(), unanswered: 0 }
    }

    fn add(&mut self, looks: Vec<Option<Look>>) -> Result<(), Failure> {
        let (mut visible, mut again) = (latencies(), latencies());
        for look in looks {
            let Some(look) = look else {
                self.unanswered += 1;
                continue;
            };
            if let (Some(first), Some(second)) = (look.visible, look.again) {
                record(&mut visible, first);
                record(&mut again, second);
            }
        }
        for (index, round) in [&visible, &again].into_iter().enumerate() {
            self.p50[index].push(millis(round, 0.5));
            self.p99[index].push(millis(round, 0.99));
        }
        self.visible.add(visible)?;
        self.again.add(again)?;
        Ok(())
    }
}

impl Options {
    async fn measure(&self, context: &Context) -> Result<CaseReport, Failure> {
        let how = vec![
            format!(
                "Orders come evenly at 50 % and at 90 % of the peak, which {} customers who wait for answers found \
                 just before, whether or not earlier ones are answered; {} s of each load in every round.",
                self.customers, self.seconds
            ),
            format!(
                "Of some orders, about {LOOKED_AT} a second, the view is read as soon as their 201 is there, with \
                 `min_position` as the answer named it: the read is answered once the view holds the order. \
                 Measured from one answer to the other; a 201 itself does not wait for the view."
            ),
            "Reference: the same read once more, when the order is in the view for certain. The difference is \
             the lag."
                .to_owned(),
        ];
        let mut report =
            CaseReport::new(self.name(), "from an order's answer until the order is in the view", how);
        for place in Place::all(context)? {
            let platform = Platform::at(context, place, self.name())?;
            self.on(&platform, &mut report).await?;
            platform.end().await?;
        }
        Ok(report)
    }

    async fn on(&self, platform: &Platform<'_>, report: &mut CaseReport) -> Result<(), Failure> {
        let (store, mut seen, mut peaks) = (platform.store, SHARES.map(|_| Seen::new()), Vec::new());
        let people = People::of(platform, self.customers, &self.shop).await?;
        for round in 0..self.rounds.max(1) {
            let customers = platform.customers(self.customers, &self.shop).await?;
            let peak = drive(customers, self.seconds.min(2.0)).await?.per_second;
            peaks.push(peak);
            platform.settled().await?;
            for (share, seen) in SHARES.into_iter().zip(&mut seen) {
                let looks = people.order(platform.server.address(), peak * share, self.seconds).await;
                seen.add(looks)?;
                platform.settled().await?;
            }
            eprintln!("  {store}, round {} of {}", round + 1, self.rounds.max(1));
        }
        report.figures.push((format!("peak, orders/s, {store}"), spread(&peaks).to_string()));
        for (share, seen) in SHARES.into_iter().zip(seen) {
            let load = format!("{:.0} % of the peak", share * 100.0);
            let [p50, p50_again] = seen.p50;
            let [p99, p99_again] = seen.p99;
            let again = "the same read again";
            let row =
                |what: &str, ours| Row::alone(format!("until visible, {what}, {load}"), store, "ms", ours);
            report.rows.push(row("p50", p50).against(format!("{again}, p50"), p50_again));
            report.rows.push(row("p99", p99).against(format!("{again}, p99"), p99_again));
            report.latencies.push(Latency::of(format!("until visible, {load}"), store, &seen.visible));
            report.latencies.push(Latency::of(format!("{again}, {load}"), store, &seen.again));
            let what = format!("orders not answered 201, {load}, {store}");
            report.figures.push((what, seen.unanswered.to_string()));
        }
        Ok(())
    }
}

/// Customers with their requests.
struct People {
    orders: Vec<Arc<[u8]>>,
    tokens: Vec<Arc<str>>,
}

/// What became of an order; the reads only if its view was looked at.
struct Look {
    visible: Option<Duration>,
    again: Option<Duration>,
}

impl People {
    async fn of(platform: &Platform<'_>, how_many: usize, shop: &str) -> Result<Self, Failure> {
        let body = platform.server.order_body(shop, &platform.admin).await?;
        let (mut orders, mut tokens) = (Vec::<Arc<[u8]>>::new(), Vec::<Arc<str>>::new());
        for number in 0..how_many.max(1) {
            let token = platform.signer.token(&format!("lag-{number}"), "customer")?;
            orders.push(request("POST", "/v1/orders", &token, &body).into());
            tokens.push(token.into());
        }
        Ok(Self { orders, tokens })
    }

    /// Orders evenly for `seconds`; none for what was not answered as it should.
    async fn order(&self, address: &str, per_second: f64, seconds: f64) -> Vec<Option<Look>> {
        let pool = Arc::new(Pool::new(address, CONNECTIONS));
        let every = (per_second / LOOKED_AT).ceil().max(1.0) as usize;
        let (begin, mut sent, mut looks) = (Instant::now(), JoinSet::new(), Vec::new());
        for number in 0..(per_second * seconds) as usize {
            let at = begin + Duration::from_secs_f64(number as f64 / per_second);
            tokio::time::sleep_until(at.into()).await;
            let person = number % self.orders.len();
            let (order, token) = (self.orders[person].clone(), self.tokens[person].clone());
            let (pool, look) = (pool.clone(), number.is_multiple_of(every));
            sent.spawn(async move {
                tokio::time::timeout(GIVE_UP, order_and_look(&pool, &order, &token, look)).await.ok()?
            });
            while let Some(done) = sent.try_join_next() {
                looks.push(done.ok().flatten());
            }
        }
        while let Some(done) = sent.join_next().await {
            looks.push(done.ok().flatten());
        }
        looks
    }
}

async fn order_and_look(pool: &Pool, order: &[u8], token: &str, look: bool) -> Option<Look> {
    let answer = pool.send(order).await.ok()?;
    let answered = Instant::now();
    if answer.status != 201 {
        return None;
    }
    if !look {
        return Some(Look { visible: None, again: None });
    }
    let (id, position) = (answer.text("order_id")?, answer.position.as_deref()?);
    let read = request("GET", &format!("/v1/orders/{id}?min_position={position}"), token, "");
    let first = pool.send(&read).await.ok()?;
    let visible = answered.elapsed();
    let begin = Instant::now();
    let second = pool.send(&read).await.ok()?;
    let again = begin.elapsed();
    (first.status == 200 && second.status == 200)
        .then_some(Look { visible: Some(visible), again: Some(again) })
}
