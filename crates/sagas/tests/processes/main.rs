//! Process managers over a real log, a real work store and the sandbox's real books: every story of every process, told
//! undisturbed, told again, and killed at every turn; then races, operators, and many orders at once.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod booking;
mod cancellation;
mod checkout;
mod coupons;
mod fulfilment;
mod loyalty;
mod many;
mod notifications;
mod operators;
mod payments;
mod races;
mod races_goods;
mod races_stays;
mod restarts;
mod returns;
// Where PostgreSQL is there, it serves other tests, too.
#[allow(dead_code, unused_imports)]
mod support;
mod vouchers;

/// Everything stands in a folder.
const ON_POSTGRES: bool = false;
