//! SQLite: one writer thread per file, a pool of read-only connections, migrations, and the adapter of the event log.
//!
//! The toolbox ([`Writer`], [`Readers`]) serves every file of the platform; [`SqliteStore`] is the log on top of it.
//! One connection does all writes and all checkpoints of a file, since SQLite before 3.51.3 can, rarely, lose a WAL
//! reset race between two connections that do.

mod append;
mod connection;
mod readers;
pub(crate) mod rows;
mod store;
mod writer;

pub use crate::store_error::StoreError;
pub use connection::Durability;
pub use readers::Readers;
pub use store::SqliteStore;
pub use writer::{COMMITS_PER_CHECKPOINT, PendingWrite, Writer};
