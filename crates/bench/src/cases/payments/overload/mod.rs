//! Ten times as much as can be paid: what is taken on, what is refused, and how soon all is as before.
//!
//! ```text
//!   peak: users wait for answers   | normal | overload: ten times the peak | normal again
//!   (as many as calls to the       | half   | open loop, for some seconds  | until the end
//!   provider, then an eighth more) | of it  |                              |
//! ```
//!
//! Goodput is counted by the log: orders that became deals in that time, whatever their callers were told.

mod recovery;
mod report;
mod watch;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use hdrhistogram::Histogram;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    books::{Books, Findings},
    users::{Load, drive},
    world::{Customer, Setup, World},
};
use crate::{
    Failure,
    http::request,
    open_loop::{Outcome, Pool, Sample, Segment, offer},
    stats::{latencies, record},
};

/// The peak: warming up, and measured, with each number of users.
const PEAK: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(5));
/// Until the peak's orders are over.
const PAUSE: Duration = Duration::from_secs(2);
/// Normal load: before, and after.
const BEFORE: Duration = Duration::from_secs(6);
const AFTER: Duration = Duration::from_secs(15);
/// Of that before, so much is not looked at.
const SETTLE: Duration = Duration::from_secs(1);
/// Normal load is so much of the peak.
const NORMAL: f64 = 0.5;
/// Reads beside it all: a second, and connections for them.
const READS: (f64, usize) = (20.0, 32);

/// What is offered.
#[derive(clap::Args)]
pub(crate) struct Offered {
    /// Overload: so many times the peak.
    #[arg(long, default_value_t = 10.0)]
    times: f64,
    /// Overload: seconds of it.
    #[arg(long, default_value_t = 15)]
    overload_seconds: u64,
    /// Overload: customers who take turns, so that what one of them may ask decides nothing.
    #[arg(long, default_value_t = 2_000)]
    customers: usize,
    /// Overload: most connections for orders.
    #[arg(long, default_value_t = 2_000)]
    connections: usize,
}

/// The best that users who wait for answers got.
struct Peak {
    users: usize,
    per_second: f64,
    latency: Histogram<u64>,
}

/// A part of the time, since the beginning.
#[derive(Clone, Copy)]
struct Span {
    from: Duration,
    to: Duration,
}

impl Span {
    fn contains(&self, at: Duration) -> bool {
        (self.from..self.to).contains(&at)
    }

    fn seconds(&self) -> f64 {
        (self.to - self.from).as_secs_f64()
    }
}

/// What was seen.
pub(super) struct Seen {
    peak: Peak,
    offered: f64,
    normal: f64,
    before: Span,
    over: Span,
    after: Span,
    orders: Vec<Order>,
    reads: Vec<Sample>,
    /// Deals a second by the log, in the overload.
    goodput: f64,
    recovered: Option<Duration>,
    memory_mib: (f64, f64),
    cores: Vec<f64>,
    connections: usize,
    drained: Duration,
    found: Findings,
    /// Orders on the log of which nobody was told, and requests that broke, which may be why.
    untold: u64,
}

/// A request for an order.
struct Order {
    sample: Sample,
    /// How long it took until it was a deal; none if it never was.
    paid: Option<Duration>,
}

pub(super) async fn run(setup: &Setup, offered: &Offered) -> Result<Seen, Failure> {
    let world = World::start(setup, false).await?;
    let customers = world.customers(offered.customers.max(1))?;
    let (peak, mut told) = peak(setup, &world, &customers).await?;
    tokio::time::sleep(PAUSE).await;

    let (normal, much) = (peak.per_second * NORMAL, peak.per_second * offered.times);
    eprintln!("{normal:.0}, then {much:.0}, then {normal:.0} orders/s whatever is answered");
    let overload = Duration::from_secs(offered.overload_seconds);
    let segments = [(normal, BEFORE), (much, overload), (normal, AFTER)]
        .map(|(per_second, length)| Segment { per_second, length });
    let before = Span { from: SETTLE, to: BEFORE };
    let over = Span { from: BEFORE, to: BEFORE + overload };
    let after = Span { from: over.to, to: over.to + AFTER };

    let (begin, began) = (Instant::now(), Utc::now());
    let stop = CancellationToken::new();
    let processes = vec![world.server.id(), world.provider.id(), std::process::id()];
    let looks = tokio::spawn(watch::watch(processes, begin, stop.clone()));
    let reads = tokio::spawn(read_beside(&world, &customers, &told, begin, after.to));
    let requests: Vec<Arc<[u8]>> =
        customers.iter().map(|customer| customer.order.as_slice().into()).collect();
    let pool = Arc::new(Pool::new(world.server.address(), offered.connections.max(1)));
    let samples =
        offer(pool.clone(), begin, &segments, |number| requests[number % requests.len()].clone()).await;
    let reads = reads.await?;
    stop.cancel();
    let looks = looks.await?;

    eprintln!("  waiting until everything under way has ended");
    let drained = world.drained().await?;
    let books = Books::read(&world).await?;
    let wall = |at: Duration| began + at;
    let orders: Vec<Order> = samples.into_iter().map(|sample| judged(sample, &books, began)).collect();
    told.extend(orders.iter().filter_map(|order| order.sample.order()));
    Ok(Seen {
        offered: much,
        normal,
        goodput: books.confirmed_within(wall(over.from), wall(over.to)) as f64 / over.seconds(),
        recovered: recovery::after(&orders, before, after, normal),
        memory_mib: (watch::memory_mib(&looks, over.from), watch::memory_mib(&looks, over.to)),
        cores: watch::cores(&looks, over.from, over.to),
        connections: pool.opened(),
        untold: untold(&books, &told),
        found: books.compare(),
        peak,
        before,
        over,
        after,
        orders,
        reads,
        drained,
    })
}

/// As many users as calls may be under way, and an eighth more, so that no place is ever empty: which yields more.
async fn peak(
    setup: &Setup,
    world: &World,
    customers: &Arc<Vec<Customer>>,
) -> Result<(Peak, HashSet<Uuid>), Failure> {
    let (mut best, mut told): (Option<Peak>, HashSet<Uuid>) = (None, HashSet::new());
    for users in [setup.places, setup.places + setup.places.div_ceil(8)] {
        let load: Load = drive(world, customers, users, PEAK.0, PEAK.1).await?;
        let per_second = load.per_second();
        eprintln!("{users} users who wait for answers: {per_second:.0} orders/s");
        told.extend(&load.told);
        if best.as_ref().is_none_or(|best| best.per_second < per_second) {
            best = Some(Peak { users, per_second, latency: load.latency });
        }
    }
    match best {
        Some(peak) if peak.per_second >= 1.0 => Ok((peak, told)),
        _ => Err("no order was paid: there is no peak to go beyond".into()),
    }
}

/// Orders of theirs that customers read, and lists of them, in turn.
fn read_beside(
    world: &World,
    customers: &[Customer],
    orders: &HashSet<Uuid>,
    begin: Instant,
    length: Duration,
) -> impl Future<Output = Vec<Sample>> + use<> {
    let one = orders.iter().take(100).map(|order| (format!("/v1/orders/{order}"), world.admin.as_str()));
    let many = customers
        .iter()
        .take(100)
        .map(|customer| ("/v1/orders?limit=20".to_owned(), customer.token.as_str()));
    let pairs = one.zip(many).flat_map(|(one, many)| [one, many]);
    let requests: Vec<Arc<[u8]>> =
        pairs.map(|(path, token)| request("GET", &path, token, "").into()).collect();
    let pool = Arc::new(Pool::new(world.server.address(), READS.1));
    async move {
        let segments = [Segment { per_second: READS.0, length }];
        offer(pool, begin, &segments, |number| requests[number % requests.len()].clone()).await
    }
}

/// What the log says of the order that came of a request.
fn judged(sample: Sample, books: &Books, began: DateTime<Utc>) -> Order {
    let confirmed = sample.order().and_then(|order| books.confirmed(order));
    let paid = confirmed.map(|at| match sample.outcome {
        Outcome::Paid(_) => sample.took,
        // Its caller saw it at some time after this.
        _ => (at - began).to_std().unwrap_or_default().saturating_sub(sample.at).max(sample.took),
    });
    Order { sample, paid }
}

impl Sample {
    /// The order that its answer named.
    fn order(&self) -> Option<Uuid> {
        match &self.outcome {
            Outcome::Paid(order) | Outcome::Later(order) => Some(*order),
            Outcome::Refused { order, .. } => *order,
            Outcome::Read | Outcome::Broken => None,
        }
    }
}

fn untold(books: &Books, told: &HashSet<Uuid>) -> u64 {
    books.on_log().filter(|order| !told.contains(order)).count() as u64
}

impl Seen {
    /// Latencies until orders were deals.
    fn paid(&self, span: Span) -> Histogram<u64> {
        let mut all = latencies();
        for order in self.orders.iter().filter(|order| span.contains(order.sample.at)) {
            if let Some(paid) = order.paid {
                record(&mut all, paid);
            }
        }
        all
    }

    /// Latencies of refusals, by status and code.
    fn refused(&self, span: Span) -> HashMap<(u16, String), Histogram<u64>> {
        let mut all = HashMap::new();
        for Order { sample, .. } in self.orders.iter().filter(|order| span.contains(order.sample.at)) {
            if let Outcome::Refused { status, code, .. } = &sample.outcome {
                record(all.entry((*status, code.clone())).or_insert_with(latencies), sample.took);
            }
        }
        all
    }

    fn broken(&self) -> u64 {
        let all = self.orders.iter().map(|order| &order.sample).chain(&self.reads);
        all.filter(|sample| sample.outcome == Outcome::Broken).count() as u64
    }
}
