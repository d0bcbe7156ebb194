//! The program is killed again and again under load: anywhere, at named points, with its database, with the power; and
//! nothing that it said is untrue afterwards.
//!
//! `ORDERSTREAM_ROUNDS=10000` kills so often, `ORDERSTREAM_LANES=4` in so many worlds at a time, `ORDERSTREAM_SEED` plays a
//! run again, `ORDERSTREAM_TEST_STORE=sqlite` or `postgres` leaves the other store out.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../binary/mod.rs"]
mod binary;
mod controls;
#[path = "../load/mod.rs"]
mod load;
mod power;
mod rounds;
mod settle;
#[path = "../wish/mod.rs"]
mod wish;
mod world;

use std::{
    io::Write as _,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard},
    time::Instant,
};

use eventlog::KILL_POINTS;
use rand::{SeedableRng, rngs::StdRng};
use tokio::{runtime::Handle, task::JoinSet};

use rounds::{End, Kills, Plan, round};
use settle::{Outcome, settle};
use wish::wish;
use world::{Store, World};

/// Rounds of one world: a long history takes long to compare.
const ROUNDS_PER_WORLD: usize = 54;
/// Every point is tried so many times in all of these, and each other way to end twice as often.
const ROUNDS: usize = 3 * 54;
const ROUNDS_ON_POSTGRES: usize = 54;
/// How often a point that was not come to is tried again.
const TRIES: usize = 5;
/// A line for so many rounds.
const PROGRESS: usize = 100;
/// Connections of the scratch server: those of a killed program take a moment to be noticed.
const CONNECTIONS: u32 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_end_loses_an_answer_or_does_anything_twice_on_files() {
    if wish::<String>("ORDERSTREAM_TEST_STORE").as_deref() != Some("postgres") {
        kill("files", vec![Store::Files; lanes()], wish("ORDERSTREAM_ROUNDS").unwrap_or(ROUNDS)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_end_loses_an_answer_or_does_anything_twice_on_postgres() {
    if wish::<String>("ORDERSTREAM_TEST_STORE").as_deref() == Some("sqlite") {
        return;
    }
    let mut stores = Vec::new();
    for _ in 0..lanes() {
        let Some(store) = postgres().await else { return };
        stores.push(store);
    }
    kill("PostgreSQL", stores, wish("ORDERSTREAM_ROUNDS").unwrap_or(ROUNDS_ON_POSTGRES)).await;
}

/// How many worlds there are at a time: most of a round is waiting.
fn lanes() -> usize {
    wish("ORDERSTREAM_LANES").map_or(1, std::num::NonZeroUsize::get)
}

/// A server of its own, since it is stopped. None where there is no PostgreSQL.
async fn postgres() -> Option<Store> {
    let start = || scratch_postgres::for_one_test(CONNECTIONS);
    tokio::task::spawn_blocking(start).await.unwrap().map(|cluster| Store::Postgres(Arc::new(cluster)))
}

/// Kills so often, in one world after the other on each of the stores, all stores at once.
async fn kill(name: &'static str, stores: Vec<Store>, rounds: usize) {
    let seed: u64 = wish("ORDERSTREAM_SEED").unwrap_or_else(rand::random);
    eprintln!("{name}: ORDERSTREAM_SEED={seed}");
    let tally = Arc::new(Tally { name, begun: Instant::now(), rounds, sums: Mutex::default() });
    let mut lanes = JoinSet::new();
    for store in stores {
        let tally = tally.clone();
        // On a thread of its own, since much of what a lane does blocks.
        lanes.spawn_blocking(move || {
            Handle::current().block_on(async {
                while let Some(numbers) = tally.next_world() {
                    // A world's life depends on its place in the run alone, not on who else runs.
                    let mut random = StdRng::seed_from_u64(seed.wrapping_add(numbers.start as u64));
                    live(&store, numbers, &mut random, &tally).await;
                }
            });
        });
    }
    while let Some(lane) = lanes.join_next().await {
        lane.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
    }
    let Sums { kills, outcome, .. } = &*tally.sums();
    say(&format!("{name}: {rounds} rounds within {:.0?}: {kills}", tally.begun.elapsed()));
    say(&format!("{name}: {outcome}; lost 0, doubled 0"));
    assert!(outcome.is_a_load(), "the load was no load: {outcome}");
    let missed = kills.missed();
    assert!(missed.is_empty() || rounds < 3 * KILL_POINTS.len(), "never came to {missed:?}");
}

/// The life of one world: rounds with these numbers, and the comparison at its end.
async fn live(store: &Store, numbers: Range<usize>, random: &mut StdRng, tally: &Tally) {
    let mut world = Kept(Some(World::new(store.clone(), None).await));
    for number in numbers {
        let mut plan = Plan::of(number, store, random);
        for again in 0..=TRIES {
            if again == TRIES {
                plan.end = End::Anywhere;
            }
            let as_planned = round(world.get(), plan, random).await;
            tally.sums().kills.count(plan, as_planned);
            if as_planned {
                break;
            }
        }
        tally.round_is_over();
    }
    let outcome = settle(world.get()).await;
    tally.sums().outcome += outcome;
    world.0.take().expect("it is there until now").close().await;
}

/// What all worlds together have done, and what is left to do.
struct Tally {
    name: &'static str,
    begun: Instant,
    rounds: usize,
    sums: Mutex<Sums>,
}

#[derive(Default)]
struct Sums {
    given_out: usize,
    over: usize,
    kills: Kills,
    outcome: Outcome,
}

impl Tally {
    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap()
    }

    /// The rounds of the next world, while there are any left.
    fn next_world(&self) -> Option<Range<usize>> {
        let mut sums = self.sums();
        let first = sums.given_out;
        sums.given_out = self.rounds.min(first + ROUNDS_PER_WORLD);
        (first < sums.given_out).then_some(first..sums.given_out)
    }

    fn round_is_over(&self) {
        let mut sums = self.sums();
        sums.over += 1;
        if sums.over.is_multiple_of(PROGRESS) {
            say(&format!(
                "{}: {} rounds after {:.0?}: {}",
                self.name,
                sums.over,
                self.begun.elapsed(),
                sums.kills
            ));
        }
    }
}

/// Says it also when the test passes: what is printed is then kept from view.
fn say(line: &str) {
    // Nobody to say it to is no failure.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A world whose folder is kept when something about it is wrong.
struct Kept(Option<World>);

impl Kept {
    fn get(&self) -> &World {
        self.0.as_ref().expect("it is there until it is closed")
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(world) = &mut self.0 {
            eprintln!("what there was is in {}", world.keep().display());
        }
    }
}
