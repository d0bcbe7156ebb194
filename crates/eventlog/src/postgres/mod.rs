//! PostgreSQL: the shared handle on a database, its migrations, leases, and the adapter of the event log.
//!
//! The toolbox ([`Database`], [`Leases`]) serves every store of the platform; all of them may stand in one database, in one
//! schema. Processes on any machine may use it at once: what may be done by only one of them at a time is guarded by a
//! lease whose epoch is checked in the transaction that does the work.

mod append;
mod connect;
mod database;
mod error;
mod leases;
mod listen;
mod migrate;
pub(crate) mod rows;
mod snapshots;
mod store;
mod turns;

pub use connect::DatabaseOptions;
pub use database::{Database, Job};
pub use leases::{Balance, Held, Holder, LEASES, LeaseOptions, Leases};
pub use migrate::{Migrated, Part};
pub use snapshots::{PostgresSnapshots, SNAPSHOTS};
pub use store::{LOG, PostgresStore};
