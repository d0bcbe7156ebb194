//! The originals' load: 100 users who each wait for a payment that takes 400 to 620 ms, against a deadline of 610 ms.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{
    books::{Books, Findings},
    goals::Goal,
    teller::Calls,
    users::{Load, drive, millis},
    world::{Customer, Setup, World},
};
use crate::usage::Meter;

type Failure = Box<dyn std::error::Error>;

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

    pub(super) fn goals(&self) -> Vec<Goal> {
        let of = |what: &str| format!("{} users, {} s: {what}", self.users, self.seconds);
        vec![
            Goal::at_least(of("orders that ended paid"), self.paid_share(), PAID, " %"),
            Goal::at_least(
                of("throughput against users / mean payment latency"),
                self.of_ideal(),
                OF_IDEAL,
                "",
            ),
            Goal::none(of("charged twice"), self.found.charged_twice),
            Goal::none(of("charged without an order"), self.found.charged_without_order),
            Goal::none(of("paid without a charge"), self.found.paid_without_charge),
            Goal::none(of("orders of which log and HTTP tell different things"), self.found.disagreeing),
        ]
    }

    pub(super) fn print(&self) {
        let (load, calls, found) = (&self.load, &self.calls, &self.found);
        let theirs = |tell: fn(&Original) -> String| ORIGINALS.each_ref().map(tell);
        let row = |what: &str, ours: String, [first, second]: [String; 2]| {
            println!("{what:<46} {ours:>18} {first:>18} {second:>18}");
        };
        println!();
        row(
            &format!("{} users, {} s", self.users, self.seconds),
            "ours".to_owned(),
            ["an original, 10 s", "another, 10 s"].map(str::to_owned),
        );
        let own = |what: &str, ours: String| row(what, ours, [String::new(), String::new()]);
        let ms = |quantile| format!("{:.0} ms", millis(&load.latency, quantile));
        let answered = load.count(201);
        row("calls", load.calls().to_string(), theirs(|o| o.calls.to_string()));
        row(
            "  answered within the call (201)",
            format!("{answered} ({:.2} %)", self.share(answered, load.calls())),
            theirs(|o| format!("{} ({:.2} %)", o.answered, o.answered as f64 * 100.0 / o.calls as f64)),
        );
        own("  answered later (202, then asked for)", load.count(202).to_string());
        for ((status, code), count) in load.answers.iter().filter(|((status, _), _)| *status >= 400) {
            own(&format!("  {status} {code}"), count.to_string());
        }
        own("  broken", load.broken.to_string());
        own("orders placed", found.placed.to_string());
        own("  ended paid", format!("{} ({:.2} %)", found.paid, self.paid_share()));
        row(
            "orders/s (but for the first second)",
            format!("{:.2}", load.per_second()),
            theirs(|o| format!("{:.2}", o.per_second)),
        );
        row(
            "latency, mean",
            format!("{:.0} ms", load.latency.mean() / 1_000.0),
            theirs(|o| format!("{:.0} ms", o.mean_secs * 1_000.0)),
        );
        own("latency, p50 / p95", format!("{} / {}", ms(0.5), ms(0.95)));
        own("latency, p99 / max", format!("{} / {}", ms(0.99), ms(1.0)));
        let told = self.told_mean_secs * 1_000.0;
        own(
            "mean payment latency, as the provider gave it",
            format!("{:.1} ms", calls.mean_charge_secs() * 1_000.0),
        );
        own("  (as it was told to)", format!("{told:.1} ms"));
        own("ideal: users / mean payment latency", format!("{:.2}/s", self.ideal()));
        own("  ours against it", format!("{:.3}", self.of_ideal()));
        own("calls to the provider: charges", calls.charges.to_string());
        own("  look-ups", calls.look_ups.to_string());
        own("  voids / others", format!("{} / {}", calls.voids, calls.others));
        own("  unknown outcomes (given up before answer)", calls.given_up.to_string());
        own("  with a key that was used before (ledger)", self.repeated_calls.to_string());
        own("charged twice", found.charged_twice.to_string());
        own("charged without an order", found.charged_without_order.to_string());
        own("paid without a charge", found.paid_without_charge.to_string());
        own("log and HTTP disagree", found.disagreeing.to_string());
        own("all decided, after the last answer", format!("{:.1} s", self.drained.as_secs_f64()));
        let cores: Vec<String> = self.cores.iter().map(|cores| format!("{cores:.2}")).collect();
        own("cores used: server / provider / load", cores.join(" / "));
    }

    pub(super) fn json(&self) -> Value {
        let (load, calls) = (&self.load, &self.calls);
        let answers: Vec<Value> = load
            .answers
            .iter()
            .map(|((status, code), count)| json!({ "status": status, "code": code, "count": count }))
            .collect();
        json!({
            "users": self.users,
            "seconds": self.seconds,
            "calls": load.calls(),
            "answers": answers,
            "broken": load.broken,
            "orders_per_second": load.per_second(),
            "latency_ms": {
                "mean": load.latency.mean() / 1_000.0,
                "p50": millis(&load.latency, 0.5),
                "p95": millis(&load.latency, 0.95),
                "p99": millis(&load.latency, 0.99),
                "max": millis(&load.latency, 1.0),
            },
            "mean_payment_latency_ms": calls.mean_charge_secs() * 1_000.0,
            "ideal_per_second": self.ideal(),
            "of_ideal": self.of_ideal(),
            "provider_calls": {
                "charges": calls.charges,
                "look_ups": calls.look_ups,
                "voids": calls.voids,
                "others": calls.others,
                "given_up": calls.given_up,
                "with_used_key": self.repeated_calls,
            },
            "books": self.found.json(),
            "drained_seconds": self.drained.as_secs_f64(),
            "cores": { "server": self.cores.first(), "provider": self.cores.get(1), "load": self.cores.get(2) },
            "originals": ORIGINALS.each_ref().map(|o| json!({
                "seconds": 10,
                "calls": o.calls,
                "answered": o.answered,
                "orders_per_second": o.per_second,
                "mean_ms": o.mean_secs * 1_000.0,
            })),
        })
    }
}
