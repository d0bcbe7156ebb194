//! Whatever the provider, the clock and our own program do: no money is taken twice, none without a payment, and every
//! payment ends. Over a real log, a real work store and the sandbox's real books, which are the oracle.
//!
//! A world is a program that can be killed, log and stores and all, and is born again over the same files; and a provider
//! behind a network, which goes on with a call when its caller is dead or has given up.
//!
//! `ORDERSTREAM_SEEDS=5000` tells more random lives, `ORDERSTREAM_SEED=17` that one.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod customers;
mod faults;
mod life;
mod network;
mod oracle;
mod outages;
mod random;
