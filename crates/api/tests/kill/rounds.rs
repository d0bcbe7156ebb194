//! One round: the platform starts, everybody works, and it ends at once, in one of many ways.

use std::{
    collections::BTreeMap,
    os::unix::process::ExitStatusExt,
    sync::Arc,
    time::{Duration, Instant},
};

use eventlog::KILL_POINTS;
use gateway::Behaviour;
use rand::{Rng, rngs::StdRng};
use scratch_postgres::Cluster;

use crate::{
    power::Shadow,
    world::{PAY_WITHIN, Store, World},
};

/// How long a round may take to come to its point before it is killed where it is.
const PATIENCE: Duration = Duration::from_secs(5);
/// An outage that outlasts the time of a payment.
const OUTAGE: Duration = Duration::from_millis(PAY_WITHIN * 1_000 + 800);
/// How long everybody pays before it. Where processes share the work, a new one waits until the one before is missed.
const BEFORE_THE_OUTAGE: Duration = Duration::from_millis(300);
const BEFORE_THE_OUTAGE_ON_POSTGRES: Duration = Duration::from_millis(1_500);
/// SIGABRT, as which a kill point ends the program; ours is SIGKILL.
const ABORT: i32 = 6;

/// How a round ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum End {
    /// SIGKILL at any time.
    Anywhere,
    /// It ends itself where it was told to.
    At(&'static str),
    /// The database ends as in a crash, is back a moment later, and then SIGKILL.
    WithTheDatabase,
}

/// How a round ends, and whether the power fails with it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) end: End,
    pub(crate) power: bool,
}

impl Plan {
    /// The plan of the `number`th round: each third goes for the next named point, the others end anywhere. Half of those on
    /// files lose the power.
    pub(crate) fn of(number: usize, store: &Store, random: &mut StdRng) -> Self {
        let end = match number % 3 {
            1 => End::At(KILL_POINTS[number / 3 % KILL_POINTS.len()]),
            2 if matches!(store, Store::Postgres(_)) && number.is_multiple_of(4) => End::WithTheDatabase,
            _ => End::Anywhere,
        };
        Self { end, power: matches!(store, Store::Files) && random.random_bool(0.5) }
    }
}

/// How many rounds ended where.
#[derive(Debug, Default)]
pub(crate) struct Kills {
    at: BTreeMap<&'static str, u64>,
    power: u64,
}

impl Kills {
    pub(crate) fn count(&mut self, plan: Plan, as_planned: bool) {
        let name = match plan.end {
            End::At(point) if as_planned => point,
            End::At(_) | End::Anywhere => "anywhere",
            End::WithTheDatabase => "with the database",
        };
        *self.at.entry(name).or_default() += 1;
        self.power += u64::from(plan.power);
    }

    /// The points that nothing ended at.
    pub(crate) fn missed(&self) -> Vec<&'static str> {
        KILL_POINTS.iter().copied().filter(|point| !self.at.contains_key(point)).collect()
    }
}

impl std::fmt::Display for Kills {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all: u64 = self.at.values().sum();
        let at: Vec<_> = self.at.iter().map(|(name, count)| format!("{name} {count}")).collect();
        write!(f, "{all} kills, in {} of which the power was lost: {}", self.power, at.join(", "))
    }
}

/// Everybody works until the platform has ended. Whether it ended where it was planned.
pub(crate) async fn round(world: &World, plan: Plan, random: &mut StdRng) -> bool {
    let point = if let End::At(point) = plan.end { point } else { "" };
    world.sandbox.behave(behaviour(point, random)).unwrap();
    let mut serve = world.program("serve");
    if !point.is_empty() {
        serve.env("ORDERSTREAM_KILL_AT", format!("{point}:{}", random.random_range(1..=passes(point))));
    }
    if let Some(bug) = world.bug {
        // Answers do not wait for views, which would wait for the log: what is told too early is told.
        serve.env("ORDERSTREAM_BUG", bug).env("ORDERSTREAM_VIEW_WAIT_MS", "10");
    }
    let shadow = plan.power.then(|| {
        let shadow = Shadow::of(&world.data());
        shadow.follow(&mut serve, random.random_bool(0.5).then(|| random.random()));
        shadow
    });
    let as_planned = live(world, plan.end, serve, random).await;
    if let Some(shadow) = shadow {
        shadow.fail();
    }
    as_planned
}

async fn live(world: &World, end: End, serve: std::process::Command, random: &mut StdRng) -> bool {
    let mut serving = match world.start(serve) {
        Ok(serving) => serving,
        Err(status) if end != End::Anywhere && status.signal() == Some(ABORT) => return true,
        Err(status) => world.has_failed(status),
    };
    match end {
        End::Anywhere => {
            let people = world.everybody(random);
            tokio::time::sleep(a_while(world, random)).await;
            // Who ended by itself is told of by the log.
            serving.kill();
            for person in people {
                person.await.unwrap();
            }
            true
        }
        End::WithTheDatabase => {
            let Store::Postgres(cluster) = &world.store else { unreachable!("files have no server") };
            let people = world.everybody(random);
            tokio::time::sleep(a_while(world, random)).await;
            outage(cluster.clone(), Duration::from_millis(random.random_range(0..300))).await;
            tokio::time::sleep(Duration::from_millis(random.random_range(0..500))).await;
            serving.kill();
            for person in people {
                person.await.unwrap();
            }
            true
        }
        End::At(point) => {
            come_to(point, world, &mut serving, random).await;
            let status = serving.child.wait().unwrap();
            status.signal() == Some(ABORT)
        }
    }
}

/// Where processes share the work, a new one waits until the one before is missed.
fn a_while(world: &World, random: &mut StdRng) -> Duration {
    let range = if matches!(world.store, Store::Files) { 50..500 } else { 300..1_200 };
    Duration::from_millis(random.random_range(range))
}

async fn outage(cluster: Arc<Cluster>, time: Duration) {
    let outage = move || {
        cluster.stop_at_once().unwrap();
        std::thread::sleep(time);
        cluster.resume().unwrap();
    };
    tokio::task::spawn_blocking(outage).await.unwrap();
}

/// Everybody works, again and again, until the program has ended, or its time is over.
async fn come_to(point: &str, world: &World, serving: &mut crate::binary::Serving, random: &mut StdRng) {
    let voids = point.starts_with("void.");
    let files = matches!(world.store, Store::Files);
    let before = if files { BEFORE_THE_OUTAGE } else { BEFORE_THE_OUTAGE_ON_POSTGRES };
    let patience = if voids { before + OUTAGE * 2 } else { PATIENCE };
    let (begun, mut down) = (Instant::now(), false);
    while serving.ended().is_none() {
        let people = world.everybody(random);
        while !people.iter().all(tokio::task::JoinHandle::is_finished) {
            tokio::time::sleep(Duration::from_millis(10)).await;
            // Payments that were just begun are overdue when the provider is back.
            if voids && !down && begun.elapsed() > before {
                down = true;
                world.sandbox.behave(Behaviour { outage: true, ..Behaviour::default() }).unwrap();
            }
            if voids && begun.elapsed() > before + OUTAGE {
                world.sandbox.behave(Behaviour::default()).unwrap();
            }
            if begun.elapsed() >= patience {
                // An error means that it ended this moment.
                let _ = serving.child.kill();
            }
        }
        for person in people {
            person.await.unwrap();
        }
        // Everybody goes home at once while nothing can be paid.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How often the program may come to a point before it ends there, at most: not so often that a round gets long.
fn passes(point: &str) -> u32 {
    match point.split('.').next() {
        Some("void") => 1,
        Some("refund" | "look_up") => 3,
        Some("charge") => 8,
        _ => 60,
    }
}

/// How the provider behaves in a round.
fn behaviour(point: &str, random: &mut StdRng) -> Behaviour {
    let quick = Behaviour { latency_max_ms: 10, ..Behaviour::default() };
    if point.starts_with("look_up.") {
        return Behaviour { drop_rate: 0.3, ..quick };
    }
    if point.starts_with("void.") {
        return Behaviour { latency_min_ms: 100, latency_max_ms: 250, ..Behaviour::default() };
    }
    match random.random_range(0..6) {
        0 => Behaviour { fail_rate: 0.2, ..quick },
        1 => Behaviour { drop_rate: 0.2, ..quick },
        2 => Behaviour { garbage_rate: 0.1, wrong_body_rate: 0.1, ..quick },
        3 => Behaviour { latency_min_ms: 200, latency_max_ms: 320, ..quick },
        _ => quick,
    }
}
