//! What must never be in an event (names, phones, addresses, reasons, payment tokens), and idempotency keys. A key's row
//! and the contact row of the same request share one commit that is on disk before anything else happens.
//!
//! [`Accounts`] is the handle. Behind it is a file of SQLite, `accounts.db`, for one process, or tables of PostgreSQL,
//! which several processes share.

mod contacts;
mod idempotency;
mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;

use std::{collections::HashMap, path::Path, sync::Arc};

use async_trait::async_trait;
use domain::{ContactId, CustomerId, Timestamp};
use eventlog::{Clock, StoreError, postgres::Database};

pub use contacts::{Contact, ContactKind, NewContact, member_of};
pub use idempotency::{Begin, Begun, KeyState, KeyedRequest, RequestIds, StoredAnswer};
pub use postgres::ACCOUNTS;

use self::{postgres::PostgresAccounts, sqlite::SqliteAccounts};

/// The accounts store. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    store: Arc<dyn AccountsStore>,
}

/// What a database does for [`Accounts`], method by method.
#[async_trait]
trait AccountsStore: Send + Sync {
    async fn contacts(&self, ids: Vec<ContactId>) -> Result<HashMap<ContactId, Contact>, StoreError>;
    async fn erase(&self, customer: &CustomerId) -> Result<usize, StoreError>;
    async fn look_up(&self, request: &KeyedRequest) -> Result<KeyState, StoreError>;
    /// The request has a key or a contact.
    async fn begin(&self, request: Begin) -> Result<Begun, StoreError>;
    fn finish(&self, request: KeyedRequest, answer: StoredAnswer);
    async fn release(&self, request: &KeyedRequest) -> Result<(), StoreError>;
    async fn forget_keys(&self, before: Timestamp) -> Result<usize, StoreError>;
    async fn close(&self);
}

impl Accounts {
    /// Opens the file, creating it if need be. Leases of an earlier process are ended: the data folder's lock says that
    /// it is gone, so its requests may run again at once.
    ///
    /// # Errors
    /// The database cannot be opened.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Ok(Self { store: Arc::new(SqliteAccounts::open(path, clock).await?) })
    }

    /// Uses the tables of [`ACCOUNTS`], beside other processes that may do so. Their leases end by the database's clock.
    ///
    /// # Errors
    /// The tables are not there or of another release, or the database does not answer.
    pub async fn open_postgres(database: &Database, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Ok(Self { store: Arc::new(PostgresAccounts::open(database.clone(), clock).await?) })
    }

    /// Writes what waits. Closes the file; a database of PostgreSQL belongs to others as well and stays open.
    pub async fn close(&self) {
        self.store.close().await;
    }

    /// How many migrations this release has: the schema's version in a file of SQLite.
    #[must_use]
    pub fn schema_version() -> usize {
        sqlite::MIGRATIONS.len()
    }
}
