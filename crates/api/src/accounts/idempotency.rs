//! Idempotency keys: a key stands for one request and is answered once. Its row, with the ids that the request works
//! under, is on disk before anything is appended, so a request that died half-way goes on where it was.

use std::{sync::PoisonError, time::Duration};

use domain::Timestamp;
use eventlog::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Accounts, NewContact, contacts};

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

struct Row {
    hash: Vec<u8>,
    ids: RequestIds,
    lease_until: i64,
    answer: Option<StoredAnswer>,
}

fn find(conn: &Connection, request: &KeyedRequest) -> Result<Option<Row>, rusqlite::Error> {
    let mut statement = conn.prepare_cached(
        "SELECT hash, command_id, minted, lease_until, status, headers, body, subject FROM idempotency
         WHERE space = ?1 AND key = ?2",
    )?;
    let row = statement.query_row([&request.space, &request.key], |row| {
        let status: Option<u16> = row.get(4)?;
        let (headers, body, subject): (Option<String>, Option<String>, _) =
            (row.get(5)?, row.get(6)?, row.get(7)?);
        let headers = headers.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let answer =
            status.map(|status| StoredAnswer { status, headers, body: body.unwrap_or_default(), subject });
        let ids = RequestIds { command_id: uuid(row.get(1)?), minted: uuid(row.get(2)?) };
        Ok(Row { hash: row.get(0)?, ids, lease_until: row.get(3)?, answer })
    });
    row.optional()
}

fn uuid(bytes: [u8; 16]) -> Uuid {
    Uuid::from_bytes(bytes)
}

fn state(row: Option<Row>, request: &KeyedRequest, now: i64) -> KeyState {
    match row {
        None => KeyState::New,
        Some(row) if row.hash != request.hash => KeyState::OtherRequest,
        Some(Row { answer: Some(answer), .. }) => KeyState::Answered(answer),
        Some(row) if row.lease_until > now => KeyState::Running,
        Some(row) => KeyState::Again(row.ids),
    }
}

/// Tells also whether the contact row is new.
fn begin(conn: &Connection, begin: &Begin, now: i64) -> Result<(Begun, bool), rusqlite::Error> {
    if let Some(request) = &begin.keyed {
        let found = state(find(conn, request)?, request, now);
        let expected = if begin.again { KeyState::Again(begin.ids) } else { KeyState::New };
        if found != expected {
            return Ok((Begun::Not(found), false));
        }
        let lease_until = now.saturating_add(i64::try_from(begin.lease.as_micros()).unwrap_or(i64::MAX));
        conn.prepare_cached(
            "INSERT INTO idempotency (space, key, hash, command_id, minted, lease_until, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET lease_until = excluded.lease_until",
        )?
        .execute(params![
            request.space,
            request.key,
            request.hash,
            begin.ids.command_id.as_bytes(),
            begin.ids.minted.as_bytes(),
            lease_until,
            now
        ])?;
    }
    let inserted = match &begin.contact {
        Some(contact) => contacts::insert(conn, contact)?,
        None => false,
    };
    Ok((Begun::Go, inserted))
}

impl Accounts {
    /// What is known of the request's key.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn look_up(&self, request: &KeyedRequest) -> Result<KeyState, StoreError> {
        let id = (request.space.clone(), request.key.clone());
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner).get(&id).cloned();
        match recent {
            Some((hash, answer)) if hash == request.hash => return Ok(KeyState::Answered(answer)),
            Some(_) => return Ok(KeyState::OtherRequest),
            None => {}
        }
        let (request, now) = (request.clone(), self.clock.now().timestamp_micros());
        self.readers.read(move |conn| Ok(state(find(conn, &request)?, &request, now))).await
    }

    /// Puts the request's row and its contact row on disk, in one commit.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn begin(&self, request: Begin) -> Result<Begun, StoreError> {
        if request.keyed.is_none() && request.contact.is_none() {
            return Ok(Begun::Go);
        }
        let now = self.clock.now().timestamp_micros();
        let contact = request.contact.as_ref().map(|contact| (contact.contact_id, contact.data.clone()));
        let erasures = self.fresh.erasures();
        let (begun, inserted) = self.writer.write(move |conn| begin(conn, &request, now)).await?;
        if let Some((id, data)) = contact.filter(|_| inserted) {
            self.fresh.remember(id, data, erasures);
        }
        Ok(begun)
    }

    /// Keeps the answer. Found by repeats at once; on disk a moment later. A crash in between repeats nothing, since
    /// the request then runs again under the same ids.
    pub fn finish(&self, request: KeyedRequest, answer: StoredAnswer) {
        let id = (request.space.clone(), request.key.clone());
        let recent = self.recent.clone();
        let entry = (request.hash, answer.clone());
        recent.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone(), entry);
        let write = self.writer.write(move |conn| {
            let headers = serde_json::to_string(&answer.headers).unwrap_or_default();
            conn.prepare_cached(
                "UPDATE idempotency SET status = ?3, headers = ?4, body = ?5, subject = ?6 WHERE space = ?1 AND key = ?2",
            )?
            .execute(params![request.space, request.key, answer.status, headers, answer.body, answer.subject])
        });
        tokio::spawn(async move {
            if let Err(error) = write.await {
                tracing::warn!(%error, "an answer was not kept: a repeat of the request runs again under its ids");
            }
            recent.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        });
    }

    /// Lets the request run again at once, under the same ids: it was not answered for good.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn release(&self, request: &KeyedRequest) -> Result<(), StoreError> {
        let request = request.clone();
        let release = move |conn: &Connection| {
            conn.prepare_cached(
                "UPDATE idempotency SET lease_until = 0 WHERE space = ?1 AND key = ?2 AND status IS NULL",
            )?
            .execute([&request.space, &request.key])
        };
        self.writer.write(release).await.map(drop)
    }

    /// Forgets keys that were first seen before `before`. Answers how many.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn forget_keys(&self, before: Timestamp) -> Result<usize, StoreError> {
        let before = before.timestamp_micros();
        // In portions, so that no writer waits long.
        let forget = move |conn: &Connection| {
            conn.execute(
                "DELETE FROM idempotency WHERE (space, key) IN
                     (SELECT space, key FROM idempotency WHERE created_at < ?1 LIMIT 1000)",
                [before],
            )
        };
        let mut forgotten = 0;
        loop {
            match self.writer.write(forget).await? {
                0 => return Ok(forgotten),
                some => forgotten += some,
            }
        }
    }
}
