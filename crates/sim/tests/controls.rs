//! Negative controls: every planted mistake is found, and without it the same histories are clean.
#![allow(clippy::unwrap_used, missing_docs)]

use clap::ValueEnum;
use orderstream_sim::{Bug, Setup, tell, tell_many};

/// Within so many histories every mistake has to be found.
const SEEDS: u64 = 200;
const TURNS: usize = 2_500;

fn setup(bug: Option<Bug>) -> Setup {
    Setup { seed: 0, turns: TURNS, bug, without: None, diary: false }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What gives a mistake away.
fn words(bug: Bug) -> &'static [&'static str] {
    match bug {
        Bug::LostAppend => &["which is not on the log"],
        Bug::PositionGap => &["positions_gapless"],
        Bug::VersionNotChecked => {
            &["statuses_follow_diagrams", "stuck at", "it panicked", "which is not on the log"]
        }
        Bug::CommandIdNotDeduplicated => &["command_id_once"],
        Bug::RefundUnderNewKey | Bug::LostAnswerNotLookedUp => &["is given back of", "the provider's books"],
        Bug::CheckpointAheadOfReaction => &["is open", "waits for", "stuck at"],
        Bug::CheckpointAheadOfRows => &["the view's row"],
        Bug::FencingNotChecked => &["went back", "the view's row"],
    }
}

#[test]
fn every_planted_mistake_is_found_by_what_it_breaks_and_the_same_history_is_clean_without_it() {
    for bug in Bug::value_variants().iter().copied() {
        let failure = tell_many(0..SEEDS, &setup(Some(bug)), threads(), || ()).failure;
        let failure = failure.unwrap_or_else(|| panic!("{} is not found in {SEEDS} histories", bug.name()));
        let (seed, what) = (failure.seed, failure.what);
        println!("{} is found by seed {seed}: {what}", bug.name());
        assert!(words(bug).iter().any(|word| what.contains(word)), "{} by seed {seed}: {what}", bug.name());
        let clean = tell(&Setup { seed, ..setup(None) });
        assert_eq!(clean.outcome, Ok(()), "seed {seed} is not clean without {}", bug.name());
    }
}
