//! The program is killed again and again under load: anywhere, at named points, with its database, with the power; and
//! nothing that it said is untrue afterwards.
//!
//! `ORDERSTREAM_ROUNDS=10000` kills so often, `ORDERSTREAM_SEED` plays a run again, `ORDERSTREAM_TEST_STORE=sqlite` or
//! `postgres` leaves the other store out.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../binary/mod.rs"]
mod binary;
mod controls;
#[path = "../load/mod.rs"]
mod load;
mod power;
mod rounds;
mod settle;
mod world;

use std::{io::Write as _, sync::Arc, time::Instant};

use eventlog::KILL_POINTS;
use rand::{SeedableRng, rngs::StdRng};

use rounds::{End, Kills, Plan, round};
use settle::{Outcome, settle};
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
        kill(Store::Files, wish("ORDERSTREAM_ROUNDS").unwrap_or(ROUNDS)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_end_loses_an_answer_or_does_anything_twice_on_postgres() {
    if wish::<String>("ORDERSTREAM_TEST_STORE").as_deref() == Some("sqlite") {
        return;
    }
    let Some(store) = postgres().await else { return };
    kill(store, wish("ORDERSTREAM_ROUNDS").unwrap_or(ROUNDS_ON_POSTGRES)).await;
}

/// A server of its own, since it is stopped. None where there is no PostgreSQL.
async fn postgres() -> Option<Store> {
    let start = || scratch_postgres::for_one_test(CONNECTIONS);
    tokio::task::spawn_blocking(start).await.unwrap().map(|cluster| Store::Postgres(Arc::new(cluster)))
}

/// Kills so often, in one world after the other.
async fn kill(store: Store, rounds: usize) {
    let seed = wish("ORDERSTREAM_SEED").unwrap_or_else(rand::random);
    let mut random = StdRng::seed_from_u64(seed);
    let (begun, mut kills, mut outcome) = (Instant::now(), Kills::default(), Outcome::default());
    let name = if matches!(store, Store::Files) { "files" } else { "PostgreSQL" };
    eprintln!("{name}: ORDERSTREAM_SEED={seed}");
    let mut number = 0;
    while number < rounds {
        let mut world = Kept(Some(World::new(store.clone(), None).await));
        let world_ends = rounds.min(number + ROUNDS_PER_WORLD);
        while number < world_ends {
            let mut plan = Plan::of(number, &store, &mut random);
            for again in 0..=TRIES {
                if again == TRIES {
                    plan.end = End::Anywhere;
                }
                let as_planned = round(world.get(), plan, &mut random).await;
                kills.count(plan, as_planned);
                if as_planned {
                    break;
                }
            }
            number += 1;
            if number.is_multiple_of(PROGRESS) {
                say(&format!("{name}: {number} rounds after {:.0?}: {kills}", begun.elapsed()));
            }
        }
        outcome += settle(world.get()).await;
        world.0.take().expect("it is there until now").close().await;
    }
    say(&format!("{name}: {rounds} rounds within {:.0?}: {kills}", begun.elapsed()));
    say(&format!("{name}: {outcome}; lost 0, doubled 0"));
    assert!(outcome.is_a_load(), "the load was no load: {outcome}");
    let missed = kills.missed();
    assert!(missed.is_empty() || rounds < 3 * KILL_POINTS.len(), "never came to {missed:?}");
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

fn wish<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}
