//! The log in PostgreSQL: several processes, lost answers, servers that go away, and what is told when something is wrong.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

#[path = "../support/mod.rs"]
mod support;

mod children;
mod executors;
mod faults;
mod gap;
mod leases;
mod messages;
mod proxy;
mod reading;
mod setup;
mod snapshots;
mod speed;
mod turns;
mod wake;
