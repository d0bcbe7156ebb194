//! `accounts.db`, written with a full sync by one process, which the data folder's lock keeps alone.

mod contacts;
mod fresh;
mod keys;
mod schema;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{ContactId, CustomerId, Timestamp};
use eventlog::{
    Clock, StoreError,
    sqlite::{Durability, Readers, Writer},
};

use self::fresh::FreshContacts;
pub(super) use self::schema::MIGRATIONS;
use super::{AccountsStore, Begin, Begun, Contact, KeyState, KeyedRequest, StoredAnswer};

/// Read connections: look-ups are short.
const READERS: usize = 4;

/// The store in a file.
pub(super) struct SqliteAccounts {
    writer: Writer,
    readers: Readers,
    clock: Arc<dyn Clock>,
    /// Answers that were given but are still on their way to the disk, so that a repeat finds them at once.
    recent: Arc<Mutex<RecentAnswers>>,
    fresh: FreshContacts,
}

/// By owner and key: the request's hash and its answer.
type RecentAnswers = HashMap<(String, String), ([u8; 32], StoredAnswer)>;

impl SqliteAccounts {
    pub(super) async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let writer = Writer::open(path, Durability::Full, MIGRATIONS)?;
        let readers = Readers::open(path, READERS)?;
        let accounts = Self { writer, readers, clock, recent: Arc::default(), fresh: FreshContacts::new() };
        accounts.writer.write(schema::end_leases).await?;
        Ok(accounts)
    }
}

fn locked(recent: &Mutex<RecentAnswers>) -> MutexGuard<'_, RecentAnswers> {
    recent.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl AccountsStore for SqliteAccounts {
    async fn contacts(&self, ids: Vec<ContactId>) -> Result<HashMap<ContactId, Contact>, StoreError> {
        let mut fresh = HashMap::with_capacity(ids.len());
        let mut stored = Vec::new();
        for id in ids {
            match self.fresh.get(id) {
                Some(data) => drop(fresh.insert(id, Contact::Present(data))),
                None => stored.push(id),
            }
        }
        if stored.is_empty() {
            return Ok(fresh);
        }
        self.readers.read(move |conn| contacts::find(conn, &stored, fresh)).await
    }

    async fn erase(&self, customer: &CustomerId) -> Result<usize, StoreError> {
        let (owner, now) = (customer.as_str().to_owned(), self.clock.now().timestamp_micros());
        self.fresh.forget();
        let erased = self.writer.write(move |conn| contacts::erase(conn, &owner, now)).await;
        self.fresh.forget();
        // What was on its way is on disk by now, and erased there.
        locked(&self.recent).retain(|_, (_, answer)| answer.subject.as_deref() != Some(customer.as_str()));
        erased
    }

    async fn look_up(&self, request: &KeyedRequest) -> Result<KeyState, StoreError> {
        let recent = locked(&self.recent).get(&request.id()).cloned();
        match recent {
            Some((hash, answer)) if hash == request.hash => return Ok(KeyState::Answered(answer)),
            Some(_) => return Ok(KeyState::OtherRequest),
            None => {}
        }
        let (request, now) = (request.clone(), self.clock.now().timestamp_micros());
        self.readers.read(move |conn| keys::state(conn, &request, now)).await
    }

    async fn begin(&self, request: Begin) -> Result<Begun, StoreError> {
        let now = self.clock.now().timestamp_micros();
        let contact = request.contact.as_ref().map(|contact| (contact.contact_id, contact.data.clone()));
        let erasures = self.fresh.erasures();
        let (begun, inserted) = self.writer.write(move |conn| keys::begin(conn, &request, now)).await?;
        if let Some((id, data)) = contact.filter(|_| inserted) {
            self.fresh.remember(id, data, erasures);
        }
        Ok(begun)
    }

    fn finish(&self, request: KeyedRequest, answer: StoredAnswer) {
        let (id, recent) = (request.id(), self.recent.clone());
        locked(&recent).insert(id.clone(), (request.hash, answer.clone()));
        let write = self.writer.write(move |conn| keys::finish(conn, &request, &answer));
        tokio::spawn(async move {
            if let Err(error) = write.await {
                tracing::warn!(%error, "an answer was not kept: a repeat of the request runs again under its ids");
            }
            locked(&recent).remove(&id);
        });
    }

    async fn release(&self, request: &KeyedRequest) -> Result<(), StoreError> {
        let request = request.clone();
        self.writer.write(move |conn| keys::release(conn, &request)).await.map(drop)
    }

    async fn forget_keys(&self, before: Timestamp) -> Result<usize, StoreError> {
        let before = before.timestamp_micros();
        let mut forgotten = 0;
        loop {
            match self.writer.write(move |conn| keys::forget(conn, before)).await? {
                0 => return Ok(forgotten),
                some => forgotten += some,
            }
        }
    }

    async fn close(&self) {
        self.writer.close().await;
    }
}
