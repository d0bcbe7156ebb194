//! Process managers whose work stands in PostgreSQL: stories told as over the embedded store, then several processes that
//! share the work, come, go, pause and die.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

#[path = "../processes/booking.rs"]
mod booking;
#[path = "../processes/cancellation.rs"]
mod cancellation;
#[path = "../processes/checkout.rs"]
mod checkout;
mod crew;
mod faults;
mod moving;
#[path = "../processes/notifications.rs"]
mod notifications;
mod operating;
#[path = "../processes/payments.rs"]
mod payments;
#[path = "../../../eventlog/tests/postgres/proxy.rs"]
mod proxy;
#[path = "../processes/returns.rs"]
mod returns;
// Not all of it is needed here.
#[allow(dead_code, unused_imports)]
#[path = "../processes/support/mod.rs"]
mod support;

/// Stories are told with the log in a folder and process managers' work in PostgreSQL.
const ON_POSTGRES: bool = true;
