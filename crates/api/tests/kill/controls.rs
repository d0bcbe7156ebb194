//! Negative controls: each planted bug is found by the same rounds and the same comparison, and named.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use rand::{SeedableRng, rngs::StdRng};

use crate::{
    postgres,
    rounds::{End, Plan, round},
    say,
    settle::settle,
    wish,
    world::{Store, World},
};

/// How a bug is looked for: how rounds end, how many a world has, and how many worlds are tried.
struct Search {
    bug: &'static str,
    plan: Plan,
    rounds: usize,
    worlds: usize,
}

impl Search {
    /// The bug is found, and what is complained of is one of these. A bug shows in more than one way: a world in which
    /// something else was noticed first says nothing, and the next one is looked at.
    async fn finds(&self, complaints: &[&str]) {
        let store = match wish::<String>("ORDERSTREAM_TEST_STORE").as_deref() {
            Some("postgres") => match postgres().await {
                Some(store) => store,
                None => return,
            },
            _ => Store::Files,
        };
        let seed: u64 = wish("ORDERSTREAM_SEED").unwrap_or_else(rand::random);
        eprintln!("{}: ORDERSTREAM_SEED={seed}", self.bug);
        let mut otherwise = Vec::new();
        for number in 0..self.worlds {
            let random = StdRng::seed_from_u64(seed ^ number as u64);
            let Some(text) = self.complaint(store.clone(), random).await else { continue };
            if complaints.iter().any(|complaint| text.contains(complaint)) {
                say(&format!("{}: found within {} rounds: {text}", self.bug, (number + 1) * self.rounds));
                return;
            }
            otherwise.push(text);
        }
        panic!("{} was not found within {} rounds: {otherwise:#?}", self.bug, self.worlds * self.rounds)
    }

    /// What is complained of after the rounds of one world.
    async fn complaint(&self, store: Store, mut random: StdRng) -> Option<String> {
        let (bug, plan, rounds) = (self.bug, self.plan, self.rounds);
        let story = async move {
            let world = World::new(store, Some(bug)).await;
            for _ in 0..rounds {
                round(&world, plan, &mut random).await;
            }
            settle(&world).await;
            world.close().await;
        };
        let panic = AssertUnwindSafe(story).catch_unwind().await.err()?;
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Some(text.unwrap_or_default().chars().take(600).collect())
    }
}

const ANYWHERE: Plan = Plan { end: End::Anywhere, power: false };

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_that_is_answered_before_it_is_written_is_found() {
    let plan = Plan { end: End::At("log.before_write"), power: false };
    let search = Search { bug: "acknowledge_before_commit", plan, rounds: 6, worlds: 6 };
    search.finds(&["is lost from the log"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_that_is_left_out_is_found() {
    let search = Search { bug: "position_gap", plan: ANYWHERE, rounds: 4, worlds: 6 };
    search.finds(&[r#"the audit finds [{"invariant":"positions_gapless""#]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_is_sent_again_under_a_new_key_is_found() {
    let plan = Plan { end: End::At("refund.after_call"), power: false };
    let search = Search { bug: "double_refund", plan, rounds: 6, worlds: 6 };
    search.finds(&["was doubled under", "were given back by", "the provider disagrees with"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_ahead_of_its_rows_is_found() {
    let search = Search { bug: "checkpoint_ahead", plan: ANYWHERE, rounds: 4, worlds: 6 };
    search.finds(&["of the views differ from the log"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_not_synced_is_found_when_the_power_fails() {
    if wish::<String>("ORDERSTREAM_TEST_STORE").as_deref() == Some("postgres") {
        return;
    }
    let plan = Plan { end: End::Anywhere, power: true };
    let search = Search { bug: "synchronous_normal", plan, rounds: 3, worlds: 6 };
    search.finds(&["is lost from the log"]).await;
}
