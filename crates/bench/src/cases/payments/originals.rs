//! The originals' load: 100 users who each wait for a payment that takes 400 to 620 ms, against a deadline of 610 ms.

use std::{sync::Arc, time::Duration};

use super::{
    books::{Books, Findings},
    goals::{at_least, none},
    teller::Calls,
    users::{Load, drive},
    world::{Customer, Setup, World},
};
use crate::{
    Failure,
    report::{Latency, Row},
    stats::millis,
    usage::Meter,
};

/// Of the orders, so many must end paid. Per cent.
const PAID: f64 = 99.9;
/// Of what the users could do at most, so much must be done.
const OF_IDEAL: f64 = 0.9;

/// The beginning of a run, in which nobody can have been answered yet and connections are made, says nothing about how
/// many orders a second are done. It counts for everything else.
const WARM: Duration = Duration::from_secs(1);

/// What an original showed of 100 users in 10 seconds. How long it was follows from answered and per second: neither had a
/// run of a minute to show, so ours is compared with these as well.
///
/// *Source*: SCENARIOS, "Operation"; calls answered of calls made, orders a second, mean answer.
struct Original {
    answered: u64,
    calls: u64,
    per_second: f64,
    mean_secs: f64,
}

const ORIGINALS: [Original; 2] = [
    Original { answered: 152, calls: 188, per_second: 15.73, mean_secs: 4.92 },
    Original { answered: 93, calls: 115, per_second: 9.43, mean_secs: 7.54 },
];

/// A run.
pub(super) struct Run {
    seconds: u64,
    users: usize,
    /// What the provider was told to take on average. Seconds.
    told_mean_secs: f64,
    load: Load,
    calls: Calls,
    found: Findings,
    repeated_calls: u64,
    drained: Duration,
    /// Of server, provider and this program. Cores.
    cores: Vec<f64>,
}

/// Runs for so many seconds on fresh processes.
pub(super) async fn run(setup: &Setup, users: usize, seconds: u64) -> Result<Run, Failure> {
    eprintln!("{users} users for {seconds} s");
    let world = World::start(setup, true).await?;
    let customers: Arc<Vec<Customer>> = world.customers(users)?;
    let meter = Meter::of(&[world.server.id(), world.provider.id(), std::process::id()]);
    let load =
        drive(&world, &customers, users, WARM, Duration::from_secs(seconds).saturating_sub(WARM)).await?;
    let cores = meter.cores();
    eprintln!("  waiting until everything under way has ended");
    let drained = world.drained().await?;
    let calls = world.teller.as_ref().map(super::teller::Teller::calls).unwrap_or_default();
    let books = Books::read(&world).await?;
    Ok(Run {
        seconds,
        users,
        told_mean_secs: setup.mean_latency_secs(),
        load,
        calls,
        found: books.compare(),
        repeated_calls: books.repeated_calls,
        drained,
        cores,
    })
}

impl Run {
    /// What users who only ever waited for the provider would do in a second.
    fn ideal(&self) -> f64 {
        let seen = self.calls.mean_charge_secs();
        self.users as f64 / if seen > 0.0 { seen } else { self.told_mean_secs }
    }

    fn of_ideal(&self) -> f64 {
        self.load.per_second() / self.ideal()
    }

    fn share(&self, part: u64, of: u64) -> f64 {
        if of == 0 { 0.0 } else { part as f64 * 100.0 / of as f64 }
    }

    fn paid_share(&self) -> f64 {
        self.share(self.found.paid, self.found.placed)
    }

    pub(super) fn goals(&self, store: &'static str) -> Vec<Row> {
        let of = |what: &str| format!("{}: {what}", self.name());
        let found = &self.found;
        vec![
            at_least(of("orders that ended paid"), store, "%", self.paid_share(), PAID),
            at_least(
                of("throughput against users / mean payment latency"),
                store,
                "-",
                self.of_ideal(),
                OF_IDEAL,
            ),
            none(of("charged twice"), store, found.charged_twice),
            none(of("charged without an order"), store, found.charged_without_order),
            none(of("paid without a charge"), store, found.paid_without_charge),
            none(of("orders of which log and HTTP tell different things"), store, found.disagreeing),
        ]
    }

    fn name(&self) -> String {
        format!("{} users, {} s", self.users, self.seconds)
    }

    pub(super) fn latency(&self, store: &'static str) -> Latency {
        Latency::of(format!("{}: placed to decided", self.name()), store, &self.load.latency)
    }

    pub(super) fn figures(&self) -> Vec<(String, String)> {
        let (load, calls, found) = (&self.load, &self.calls, &self.found);
        let mut figures = Vec::new();
        let mut own = |what: &str, ours: String| figures.push((format!("{}: {what}", self.name()), ours));
        let theirs = |tell: fn(&Original) -> String| {
            let [first, second] = ORIGINALS.each_ref().map(tell);
            format!("; the originals in 10 s: {first}, {second}")
        };
        let answered = load.count(201);
        own("calls", format!("{}{}", load.calls(), theirs(|o| o.calls.to_string())));
        own(
            "answered within the call (201)",
            format!(
                "{answered} ({:.2} %){}",
                self.share(answered, load.calls()),
                theirs(|o| format!("{} ({:.2} %)", o.answered, o.answered as f64 * 100.0 / o.calls as f64))
            ),
        );
        own("answered later (202, then asked for)", load.count(202).to_string());
        for ((status, code), count) in load.answers.iter().filter(|((status, _), _)| *status >= 400) {
            own(&format!("answered {status} {code}"), count.to_string());
        }
        own("broken", load.broken.to_string());
        own("orders placed / ended paid", format!("{} / {}", found.placed, found.paid));
        own(
            "orders/s (but for the first second)",
            format!("{:.2}{}", load.per_second(), theirs(|o| format!("{:.2}", o.per_second))),
        );
        own(
            "latency, mean",
            format!(
                "{:.0} ms{}",
                load.latency.mean() / 1_000.0,
                theirs(|o| format!("{:.0} ms", o.mean_secs * 1_000.0))
            ),
        );
        own("latency, p95", format!("{:.0} ms", millis(&load.latency, 0.95)));
        own(
            "mean payment latency, as the provider gave it (as it was told to)",
            format!("{:.1} ms ({:.1} ms)", calls.mean_charge_secs() * 1_000.0, self.told_mean_secs * 1_000.0),
        );
        own("ideal: users / mean payment latency", format!("{:.2}/s", self.ideal()));
        own(
            "calls to the provider: charges / look-ups / voids / others",
            format!("{} / {} / {} / {}", calls.charges, calls.look_ups, calls.voids, calls.others),
        );
        own("unknown outcomes (given up before answer)", calls.given_up.to_string());
        own("calls with a key that was used before (ledger)", self.repeated_calls.to_string());
        own("all decided, after the last answer", format!("{:.1} s", self.drained.as_secs_f64()));
        let cores: Vec<String> = self.cores.iter().map(|cores| format!("{cores:.2}")).collect();
        own("cores used: server / provider / load", cores.join(" / "));
        figures
    }
}
