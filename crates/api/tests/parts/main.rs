//! The platform in parts, each a process of its own over one PostgreSQL: parts, the database and the payment provider
//! fail while people go on, and nothing that was said is untrue afterwards.
//!
//! `ORDERSTREAM_ROUNDS=n` makes more trouble, differently every time; `ORDERSTREAM_SEED=n` the same again.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../binary/mod.rs"]
mod binary;
mod chaos;
#[path = "../load/mod.rs"]
mod load;
mod messages;
mod outage;
mod platform;
mod rolling;
#[path = "../wish/mod.rs"]
mod wish;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use load::{Person, Rest, Scene, Who};
use platform::Platform;
use rand::{Rng, SeedableRng, rngs::StdRng};
use scratch_postgres::Cluster;
use serde_json::Value;
use wish::wish;

/// What a run without wishes does.
const SEED: u64 = 4;
/// Connections of the server: more than all parts together have.
const CONNECTIONS: u32 = 60;
/// How many buy, reserve and eat at once.
const PEOPLE: [usize; 3] = [3, 3, 6];
/// How long what is under way may take to its end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server that the test may stop. None where there is no PostgreSQL.
async fn database(max_connections: u32) -> Option<Arc<Cluster>> {
    let start = move || scratch_postgres::for_one_test(max_connections);
    tokio::task::spawn_blocking(start).await.unwrap().map(Arc::new)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_fail_in_any_order_and_nothing_is_lost_or_done_twice() {
    let Some(cluster) = database(CONNECTIONS).await else { return };
    let rounds = wish::<u64>("ORDERSTREAM_ROUNDS");
    let seed = wish("ORDERSTREAM_SEED").unwrap_or_else(|| rounds.map_or(SEED, |_| rand::random()));
    println!("ORDERSTREAM_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let platform = Platform::start(cluster).await;
    let scene = Scene::set(&platform.load).await;
    let people = people(&platform, &scene, &mut random);
    for round in 1..=rounds.unwrap_or(1) {
        println!("round {round}");
        chaos::round(&platform, &mut random).await;
    }
    let (load, begun) = (&platform.load, Instant::now());
    platform.ready().await;
    load.stop();
    for person in people {
        person.await.unwrap();
    }
    let (requests, unanswered) = (load.requests().len(), load.unanswered());
    println!("{requests} requests answered, {unanswered} tries not; decided within {:?}", begun.elapsed());
    assert!(requests > 50 && unanswered > 0, "the load was no load");
    let decided = load.decided().await;
    let rest = Rest::of(load).await;
    rest.agrees(load, &scene, &decided).await;
    load::nothing_is_open(|| platform.result(&["events", "verify", "--json"]), &rest.held()).await;
    nobody_works(&platform).await;
    load::agree_with_the_provider(&platform.books().ledger().await.unwrap(), &rest);
    println!("{}", platform.result(&["events", "verify"]));
    platform.result(&["projections", "verify", "--all"]);
    platform.stop().await;
    platform.nobody_panicked();
}

/// Everybody begins.
fn people(platform: &Platform, scene: &Scene, random: &mut StdRng) -> Vec<tokio::task::JoinHandle<()>> {
    let mut people = Vec::new();
    for (work, count) in PEOPLE.into_iter().enumerate() {
        for number in 0..count {
            let random = StdRng::seed_from_u64(random.random());
            let (load, scene, who) = (platform.load.clone(), scene.clone(), Who::Customer(number % 3));
            people.push(tokio::spawn(Person { load, scene, who, random }.works(work)));
        }
    }
    people
}

/// Soon every open instance waits for somebody outside, and none for us.
async fn nobody_works(platform: &Arc<Platform>) {
    let begun = Instant::now();
    loop {
        let open = platform.load.all("/v1/admin/sagas").await;
        let at_work = open.iter().find(|instance| instance["state"] != "waiting");
        let Some(at_work) = at_work else {
            let mut waiting = std::collections::BTreeMap::<(&str, &str), usize>::new();
            let of = |instance: &'_ Value, name: &str| instance[name].as_str().unwrap_or_default().to_owned();
            let names: Vec<_> = open.iter().map(|it| (of(it, "process"), of(it, "awaiting"))).collect();
            for (process, awaiting) in &names {
                *waiting.entry((process, awaiting)).or_default() += 1;
            }
            println!("waiting: {waiting:?}");
            return;
        };
        assert!(begun.elapsed() < PATIENCE, "still at work: {at_work}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
