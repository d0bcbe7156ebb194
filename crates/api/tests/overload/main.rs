//! What happens when there is too much to do, or the payment provider is away: what is refused, how, and what goes on.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod bounds;
mod connections;
mod metrics;
mod outage;
mod provider;
mod rates;
