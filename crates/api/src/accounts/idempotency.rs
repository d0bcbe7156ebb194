//! Idempotency keys: a key stands for one request and is answered once. Its row, with the ids that the request works
//! under, is on disk before anything is appended, so a request that died half-way goes on where it was. A lease keeps
//! everybody else from running it meanwhile.

use std::time::Duration;

use domain::Timestamp;
use eventlog::{StoreError, kill_point};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Accounts, NewContact};

/// A request that carries a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Whose key it is.
    pub space: String,
    /// The key.
    pub key: String,
    /// SHA-256 of method, path and body.
    pub hash: [u8; 32],
}

impl KeyedRequest {
    /// What names it, in maps.
    pub(super) fn id(&self) -> (String, String) {
        (self.space.clone(), self.key.clone())
    }
}

/// The ids that a request works under, however often it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestIds {
    /// Marks its commits.
    pub command_id: Uuid,
    /// The id of what it creates.
    pub minted: Uuid,
}

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// HTTP status.
    pub status: u16,
    /// Headers of ours.
    pub headers: Vec<(String, String)>,
    /// The body as JSON text; empty for none.
    pub body: String,
    /// Whose personal data the body may hold.
    pub subject: Option<String>,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Never seen.
    New,
    /// The same request began once but did not end: it goes on under these ids.
    Again(RequestIds),
    /// The same request is under way.
    Running,
    /// The same request was answered.
    Answered(StoredAnswer),
    /// The key stands for another request.
    OtherRequest,
}

/// A request that is about to take effect.
#[derive(Clone, Debug)]
pub struct Begin {
    /// Its key, if it has one.
    pub keyed: Option<KeyedRequest>,
    /// Its ids.
    pub ids: RequestIds,
    /// Whether the ids come from an earlier run.
    pub again: bool,
    /// How long nobody else may run it.
    pub lease: Duration,
    /// The contact row that goes with it.
    pub contact: Option<NewContact>,
}

/// Whether it may take effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Yes: everything is on disk.
    Go,
    /// No: somebody else was faster.
    Not(KeyState),
}

/// A key's row.
pub(super) struct Row {
    pub(super) hash: Vec<u8>,
    pub(super) ids: RequestIds,
    /// Whether somebody may still be at it.
    pub(super) leased: bool,
    pub(super) answer: Option<StoredAnswer>,
}

impl StoredAnswer {
    /// The headers as they are stored.
    pub(super) fn headers_text(&self) -> String {
        serde_json::to_string(&self.headers).unwrap_or_default()
    }

    /// From the columns of a row; none if it holds no answer yet.
    pub(super) fn from_row(
        status: Option<u16>,
        headers: Option<String>,
        body: Option<String>,
        subject: Option<String>,
    ) -> Option<Self> {
        let headers = headers.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        status.map(|status| Self { status, headers, body: body.unwrap_or_default(), subject })
    }
}

impl KeyState {
    /// What a row means to a request.
    pub(super) fn of(row: Option<Row>, request: &KeyedRequest) -> Self {
        match row {
            None => Self::New,
            Some(row) if row.hash != request.hash => Self::OtherRequest,
            Some(Row { answer: Some(answer), .. }) => Self::Answered(answer),
            Some(Row { leased: true, .. }) => Self::Running,
            Some(row) => Self::Again(row.ids),
        }
    }
}

impl Accounts {
    /// What is known of the request's key.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn look_up(&self, request: &KeyedRequest) -> Result<KeyState, StoreError> {
        self.store.look_up(request).await
    }

    /// Puts the request's row and its contact row on disk, in one commit.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn begin(&self, request: Begin) -> Result<Begun, StoreError> {
        if request.keyed.is_none() && request.contact.is_none() {
            return Ok(Begun::Go);
        }
        kill_point("key.before_write");
        let begun = self.store.begin(request).await;
        kill_point("key.after_write");
        begun
    }

    /// Keeps the answer. Found by repeats at once; on disk a moment later, and only then found by other processes, to
    /// which the request is running until then. A crash in between repeats nothing, since the request then runs again
    /// under the same ids.
    pub fn finish(&self, request: KeyedRequest, answer: StoredAnswer) {
        kill_point("answer.before_write");
        self.store.finish(request, answer);
    }

    /// Lets the request run again at once, under the same ids: it was not answered for good.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn release(&self, request: &KeyedRequest) -> Result<(), StoreError> {
        self.store.release(request).await
    }

    /// Forgets keys that were first seen before `before`. Answers how many.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn forget_keys(&self, before: Timestamp) -> Result<usize, StoreError> {
        self.store.forget_keys(before).await
    }
}
