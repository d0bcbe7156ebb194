//! The program is killed again and again under load, and nothing that it said is untrue afterwards.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../binary/mod.rs"]
mod binary;
#[path = "../load/mod.rs"]
mod load;
mod points;

use std::{path::Path, sync::Arc, time::Duration};

use binary::Serving;
use gateway::{LedgerEntry, Sandbox, SandboxOptions};
use load::{Load, Person, Rest, Scene, Who};
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::task::JoinHandle;

const ROUNDS: u32 = 8;
/// How many buy, reserve and eat at once.
const PEOPLE: [usize; 3] = [4, 4, 4];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_answered_is_lost_and_nothing_is_charged_twice() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let first = Serving::start(data, &[]);
    let load = Arc::new(Load::new(|arguments| Serving::token(data, arguments), 1, false));
    load.moves_to(0, &first.url);
    let scene = Scene::set(&load).await;
    first.kill();
    for _ in 0..ROUNDS {
        round(data, &load, &scene, &mut random).await;
    }

    let serving = Serving::start(data, &[]);
    let rest = agreed(serving, data, &load, &scene).await;
    let sandbox = Sandbox::open(&data.join("sandbox.db"), SandboxOptions::default()).unwrap();
    end(data, &sandbox.entries().await.unwrap(), &rest);
    sandbox.close().await;
}

/// The platform runs until everything is at its end, and holds what it said.
async fn agreed(serving: Serving, data: &Path, load: &Arc<Load>, scene: &Scene) -> Rest {
    load.moves_to(0, &serving.url);
    let requests = load.requests();
    let unknown = requests.iter().filter(|request| request.answer.is_none()).count();
    let answered = requests.len() - unknown;
    println!("{answered} requests answered, {unknown} cut off");
    assert!(answered > 50 && unknown > 0, "the load was no load: {answered} answered, {unknown} cut off");
    let decided = load.decided().await;
    let rest = Rest::of(load).await;
    rest.agrees(load, scene, &decided).await;
    load::nothing_is_open(|| binary::result_in(data, ["events", "verify", "--json"]), &rest.held()).await;
    assert_eq!(serving.terminate(), Some(0));
    rest
}

/// The provider's books agree with what was shown, and the files with themselves.
fn end(data: &Path, entries: &[LedgerEntry], rest: &Rest) {
    load::agree_with_the_provider(entries, rest);
    binary::result_in(data, ["events", "verify"]);
    binary::result_in(data, ["projections", "verify", "--all"]);
}

/// Everybody works until the platform is killed.
async fn round(data: &Path, load: &Arc<Load>, scene: &Scene, random: &mut StdRng) {
    let serving = Serving::start(data, &[]);
    load.moves_to(0, &serving.url);
    let people = everybody(load, scene, random);
    tokio::time::sleep(Duration::from_millis(random.random_range(50..900))).await;
    serving.kill();
    for person in people {
        person.await.unwrap();
    }
}

/// Everybody begins to work.
fn everybody(load: &Arc<Load>, scene: &Scene, random: &mut StdRng) -> Vec<JoinHandle<()>> {
    let mut people = Vec::new();
    for (work, count) in PEOPLE.into_iter().enumerate() {
        for number in 0..count {
            let (load, scene, random) = (load.clone(), scene.clone(), StdRng::seed_from_u64(random.random()));
            let person = Person { load, scene, who: Who::Customer(number % 3), random };
            people.push(tokio::spawn(person.works(work)));
        }
    }
    people
}
