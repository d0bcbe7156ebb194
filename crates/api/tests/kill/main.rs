//! The program is killed again and again under load, and nothing that it said is untrue afterwards.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../binary/mod.rs"]
mod binary;

mod actors;
mod books;
mod load;
mod rest;

use std::{path::Path, sync::Arc, time::Duration};

use actors::Scene;
use binary::Serving;
use futures::{StreamExt, stream};
use load::{Answer, Load, Request};
use rand::{Rng, SeedableRng, rngs::StdRng};
use rest::Rest;

const ROUNDS: u32 = 8;
/// How many buy, reserve and eat at once.
const PEOPLE: [usize; 3] = [4, 4, 4];
/// How many requests are sent again at once.
const AGAIN: usize = 8;
/// How long everything may take to be decided after the last start.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_answered_is_lost_and_nothing_is_charged_twice() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let first = Serving::start(data, &[]);
    let load = Arc::new(Load::new(data));
    let scene = Scene::set(&load, &first.url).await;
    first.kill();
    for _ in 0..ROUNDS {
        round(data, &load, &scene, &mut random).await;
    }

    let serving = Serving::start(data, &[]);
    let url = serving.url.clone();
    let requests = load.requests();
    let unknown = requests.iter().filter(|request| request.answer.is_none()).count();
    let answered = requests.len() - unknown;
    println!("{answered} requests answered, {unknown} cut off");
    assert!(answered > 50 && unknown > 0, "the load was no load: {answered} answered, {unknown} cut off");
    let decided = decided(&load, &url, requests).await;

    let rest = Rest::of(&load, &url).await;
    println!("{}", rest.counts());
    rest.holds_what_was_answered(&decided);
    rest.money_is_right();
    rest.no_night_is_given_to_two(&load, &url, &scene).await;
    rest.coupons_are_used_once(&load, &url).await;
    rest.stock_adds_up(&load, &url, &scene).await;
    assert_eq!(load.all(&url, "/v1/admin/sagas").await.iter().filter(|it| it["state"] == "stuck").count(), 0);
    books::nothing_is_open(data, &rest.held()).await;
    assert_eq!(serving.terminate(), Some(0));

    books::agree_with_the_provider(data, &rest).await;
    binary::result_in(data, ["events", "verify"]);
    binary::result_in(data, ["projections", "verify", "--all"]);
}

/// Everybody works until the platform is killed.
async fn round(data: &Path, load: &Arc<Load>, scene: &Scene, random: &mut StdRng) {
    let serving = Serving::start(data, &[]);
    let mut people = Vec::new();
    for (work, count) in PEOPLE.into_iter().enumerate() {
        for _ in 0..count {
            let (load, scene, url) = (load.clone(), scene.clone(), serving.url.clone());
            let mut random = StdRng::seed_from_u64(random.random());
            people.push(tokio::spawn(async move {
                let _gone = match work {
                    0 => actors::buys(&load, &scene, &url).await,
                    1 => actors::reserves(&load, &scene, &url, &mut random).await,
                    _ => actors::eats(&load, &scene, &url, &mut random).await,
                };
            }));
        }
    }
    tokio::time::sleep(Duration::from_millis(random.random_range(50..900))).await;
    serving.kill();
    for person in people {
        person.await.unwrap();
    }
}

/// All requests with their answers. Sent again under its key, a request has one answer: the first, if something was
/// done. A refusal leaves no trace, so that it is not asked for again.
async fn decided(load: &Load, url: &str, requests: Vec<Request>) -> Vec<(Request, Answer)> {
    let again = requests.into_iter().map(|request| async move {
        let first = request.answer.clone();
        if let Some(refusal) = first.clone().filter(|_| !request.is_done()) {
            return (request, refusal);
        }
        let answer = load.send_again(url, &request).await;
        if let Some(first) = first {
            assert_eq!(answer.status, first.status, "{request:?} changed its answer: {}", answer.body);
            for (name, value) in first.body.as_object().unwrap() {
                assert!(
                    !name.ends_with("_id") || answer.body[name] == *value,
                    "{request:?}: {}",
                    answer.body
                );
            }
        }
        (request, answer)
    });
    stream::iter(again).buffered(AGAIN).collect().await
}
