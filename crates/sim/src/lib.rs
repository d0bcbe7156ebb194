//! Histories of a platform that breaks, each told from one seed: the real aggregates and the real process managers on an
//! in-memory log, in one thread, without a clock, a network or a disk.
//!
//! Two or three nodes share the log. Each has a clock that may be wrong, a cache of folded aggregates that may be stale, a
//! batch of commits on its way, and workers that may be stopped between any two moves. The work of the process managers is
//! spread over slots with leases; who lost one is fenced. A scheduler draws what happens next, and what goes wrong
//! ([`Fault`]): answers get lost, nodes die, stand still and come back, events come twice and late, the provider charges and
//! says nothing.
//!
//! After every step no invariant of the audit may be violated, everything that anybody was answered must be on the log, no
//! checkpoint may have gone back, no view may have left an event out. Once all is quiet nothing may be left open, and the
//! provider's books and the log must agree. What would not find a mistake is no proof: [`Bug`] plants some.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod aggregates;
mod breaking;
mod bug;
mod calling;
mod clients;
mod department;
mod faults;
mod leases;
mod log;
mod many;
mod node;
mod people;
mod provider;
mod rest;
mod runner;
mod store;
mod story;
mod view;
mod worker;
mod working;
mod world;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use self::world::World;
pub use self::{
    bug::Bug,
    faults::{Counters, Fault},
    many::{Failure, Summary, tell_many},
    world::Setup,
};

/// How many things happen in a history unless said otherwise.
pub const TURNS: usize = 4_000;

/// What nobody does here: shops are not run, and nothing is revised.
pub const NEVER_TOLD: &[&str] = &[
    "shop.opened",
    "shop.policy_changed",
    "shop.closed",
    "shop.reopened",
    "product.revised",
    "resort.revised",
    "resort.retired",
];

/// A history that was told.
pub struct Told {
    world: World,
    /// What is wrong with it.
    pub outcome: Result<(), String>,
}

/// Tells one history.
#[must_use]
pub fn tell(setup: &Setup) -> Told {
    let mut world = World::new(setup);
    let told = catch_unwind(AssertUnwindSafe(|| world.live()));
    let outcome = told.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
        Err(format!("it panicked: {}", words.unwrap_or_default()))
    });
    Told { world, outcome }
}

/// The names of all process managers.
#[must_use]
pub fn processes() -> Vec<&'static str> {
    department::all(1, None).iter().map(|department| department.name()).collect()
}

impl Told {
    /// How many events there are.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.world.log.len()
    }

    /// How many steps it took.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.world.turn
    }

    /// How often each fault happened.
    #[must_use]
    pub fn faults(&self) -> &Counters {
        &self.world.faults.counters
    }

    /// How often each event happened.
    #[must_use]
    pub fn told_of(&self) -> BTreeMap<&'static str, u64> {
        let mut told_of = BTreeMap::new();
        for event in &self.world.log.events {
            *told_of.entry(event.event.name()).or_default() += 1;
        }
        told_of
    }

    /// All of it as one number: SHA-256 over the events with ids, times and metadata, and over the diary if one was kept.
    #[must_use]
    pub fn hash(&self) -> String {
        self.world.story.hash(&self.world.log.events)
    }

    /// All of it in words, and what the audit says to it.
    #[must_use]
    pub fn story(&self) -> String {
        let events = &self.world.log.events;
        self.world.story.tell(events) + &self.world.story.violations(events)
    }
}
