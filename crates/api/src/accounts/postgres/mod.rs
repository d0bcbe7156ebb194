//! Tables of PostgreSQL that several processes share.
//!
//! - Time is the database's: nobody's clock ends a lease early. A process that dies leaves its leases to run out.
//! - Every run of a request is an *attempt* with an id of its own, written with the lease. So a `begin` whose answer was
//!   lost is told apart from somebody else's when it is asked again, and only the run that holds a lease can end it early.
//! - Nothing is read from memory: what another process erased is gone here at once.

mod contacts;
mod ends;
mod erasure;
mod keys;
mod schema;

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use domain::{ContactId, CustomerId, Timestamp};
use eventlog::{Clock, StoreError, postgres::Database};
use uuid::Uuid;

use self::ends::Ends;
pub use self::schema::ACCOUNTS;
use super::{AccountsStore, Begin, Begun, Contact, KeyState, KeyedRequest, StoredAnswer};

/// The store in a database.
pub(super) struct PostgresAccounts {
    database: Database,
    clock: Arc<dyn Clock>,
    ends: Ends,
}

impl PostgresAccounts {
    pub(super) async fn open(database: Database, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        database.require(ACCOUNTS).await?;
        Ok(Self { ends: Ends::start(database.clone()), database, clock })
    }
}

#[async_trait]
impl AccountsStore for PostgresAccounts {
    async fn contacts(&self, ids: Vec<ContactId>) -> Result<HashMap<ContactId, Contact>, StoreError> {
        let ids: Arc<[Uuid]> = ids.iter().map(|id| id.uuid()).collect();
        let find = self.database.run(move |conn| {
            let ids = ids.clone();
            Box::pin(async move { contacts::find(conn, &ids).await })
        });
        find.await
    }

    async fn erase(&self, customer: &CustomerId) -> Result<usize, StoreError> {
        let customer = customer.clone();
        let erase = self.database.run(move |conn| {
            let customer = customer.clone();
            Box::pin(async move { erasure::erase(conn, customer.as_str()).await })
        });
        erase.await
    }

    async fn look_up(&self, request: &KeyedRequest) -> Result<KeyState, StoreError> {
        self.ends.settled(request).await;
        let request = Arc::new(request.clone());
        let look_up = self.database.run(move |conn| {
            let request = request.clone();
            Box::pin(async move { keys::state(conn, &request).await })
        });
        look_up.await
    }

    async fn begin(&self, request: Begin) -> Result<Begun, StoreError> {
        let attempt = Uuid::from_u128(rand::random());
        let undo = request.keyed.as_ref().map(|keyed| self.ends.undo(keyed, attempt));
        let (request, database) = (Arc::new(request), self.database.clone());
        // A task of its own: when the caller hangs up meanwhile, or the database is lost, no lease is left behind.
        let begin = tokio::spawn(async move {
            let begin = database.run(move |conn| {
                let request = request.clone();
                Box::pin(async move { keys::begin(conn, &request, attempt).await })
            });
            begin.await.map(|begun| (begun, undo))
        });
        let (begun, undo) = begin.await.map_err(|error| StoreError::Panicked(error.to_string()))??;
        if let Some(undo) = undo {
            undo.not_needed(begun == Begun::Go);
        }
        Ok(begun)
    }

    fn finish(&self, request: KeyedRequest, answer: StoredAnswer) {
        self.ends.answered(&request, answer);
    }

    async fn release(&self, request: &KeyedRequest) -> Result<(), StoreError> {
        self.ends.released(request).await;
        Ok(())
    }

    async fn forget_keys(&self, before: Timestamp) -> Result<usize, StoreError> {
        // Our clock says how old, the database's when that was.
        let age = (self.clock.now() - before).as_seconds_f64();
        let mut forgotten = 0;
        loop {
            match self.database.run(move |conn| Box::pin(keys::forget(conn, age))).await? {
                0 => return Ok(forgotten),
                some => forgotten += some,
            }
        }
    }

    async fn close(&self) {
        self.ends.close().await;
    }
}
