//! `accounts.db`: what must never be in an event (names, phones, addresses, reasons, payment tokens) and idempotency
//! keys. Written with a full sync; a key's row and the contact row of the same request share one commit.

mod contacts;
mod fresh;
mod idempotency;
mod schema;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
};

use eventlog::{
    Clock, StoreError,
    sqlite::{Durability, Readers, Writer},
};

pub use contacts::{Contact, ContactKind, NewContact, member_of};
pub use idempotency::{Begin, Begun, KeyState, KeyedRequest, RequestIds, StoredAnswer};

/// Read connections: look-ups are short.
const READERS: usize = 4;

/// The accounts store. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    writer: Writer,
    readers: Readers,
    clock: Arc<dyn Clock>,
    /// Answers that were given but are still on their way to the disk, so that a repeat finds them at once.
    recent: Arc<Mutex<RecentAnswers>>,
    fresh: fresh::FreshContacts,
}

/// By owner and key: the request's hash and its answer.
type RecentAnswers = HashMap<(String, String), ([u8; 32], StoredAnswer)>;

impl Accounts {
    /// Opens the database, creating it if need be. Leases of an earlier process are ended: the data folder's lock
    /// says that it is gone, so its requests may run again at once.
    ///
    /// # Errors
    /// The database cannot be opened.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let writer = Writer::open(path, Durability::Full, schema::MIGRATIONS)?;
        let readers = Readers::open(path, READERS)?;
        let accounts =
            Self { writer, readers, clock, recent: Arc::default(), fresh: fresh::FreshContacts::new() };
        accounts.writer.write(schema::end_leases).await?;
        Ok(accounts)
    }

    /// Writes what waits and closes the file.
    pub async fn close(&self) {
        self.writer.close().await;
    }

    /// How many migrations this release has: the schema's version.
    #[must_use]
    pub fn schema_version() -> usize {
        schema::MIGRATIONS.len()
    }
}
