//! The gateway over HTTP against real servers: the sandbox's own, and bad ones.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod bad_server;
mod breaker;
mod callbacks;
mod contract;
mod faults;
mod money;
mod server;
mod support;
