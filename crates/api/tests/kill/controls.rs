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
    /// What the comparison complains of; nothing where there is no PostgreSQL.
    async fn finding(&self) -> Option<String> {
        let store = match wish::<String>("ORDERSTREAM_TEST_STORE").as_deref() {
            Some("postgres") => postgres().await?,
            _ => Store::Files,
        };
        let seed: u64 = wish("ORDERSTREAM_SEED").unwrap_or_else(rand::random);
        eprintln!("{}: ORDERSTREAM_SEED={seed}", self.bug);
        for number in 0..self.worlds {
            let (store, bug, plan, rounds) = (store.clone(), self.bug, self.plan, self.rounds);
            let mut random = StdRng::seed_from_u64(seed ^ number as u64);
            let story = async move {
                let world = World::new(store, Some(bug)).await;
                for _ in 0..rounds {
                    round(&world, plan, &mut random).await;
                }
                settle(&world).await;
                world.close().await;
            };
            if let Err(panic) = AssertUnwindSafe(story).catch_unwind().await {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                let text: String = text.unwrap_or_default().chars().take(600).collect();
                say(&format!("{}: found within {} rounds: {text}", self.bug, (number + 1) * rounds));
                return Some(text);
            }
        }
        panic!("{} was not found within {} rounds", self.bug, self.worlds * self.rounds)
    }

    /// The bug is found, and what is complained of is one of these.
    async fn finds(&self, complaints: &[&str]) {
        let Some(text) = self.finding().await else { return };
        let found = complaints.iter().any(|complaint| text.contains(complaint));
        assert!(found, "{} is complained of otherwise: {text}", self.bug);
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
