//! Rows of idempotency keys.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::contacts;
use crate::accounts::{Begin, Begun, KeyState, KeyedRequest, RequestIds, StoredAnswer, idempotency::Row};

/// What the request's key stands for.
pub(super) fn state(
    conn: &Connection,
    request: &KeyedRequest,
    now: i64,
) -> Result<KeyState, rusqlite::Error> {
    let mut statement = conn.prepare_cached(
        "SELECT hash, command_id, minted, lease_until, status, headers, body, subject FROM idempotency
         WHERE space = ?1 AND key = ?2",
    )?;
    let row = statement.query_row([&request.space, &request.key], |row| {
        let answer = StoredAnswer::from_row(row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?);
        let ids = RequestIds { command_id: uuid(row.get(1)?), minted: uuid(row.get(2)?) };
        Ok(Row { hash: row.get(0)?, ids, leased: row.get::<_, i64>(3)? > now, answer })
    });
    Ok(KeyState::of(row.optional()?, request))
}

fn uuid(bytes: [u8; 16]) -> Uuid {
    Uuid::from_bytes(bytes)
}

/// Tells also whether the contact row is new.
pub(super) fn begin(conn: &Connection, begin: &Begin, now: i64) -> Result<(Begun, bool), rusqlite::Error> {
    if let Some(request) = &begin.keyed {
        let found = state(conn, request, now)?;
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

/// Keeps the answer.
pub(super) fn finish(
    conn: &Connection,
    request: &KeyedRequest,
    answer: &StoredAnswer,
) -> Result<usize, rusqlite::Error> {
    conn.prepare_cached(
        "UPDATE idempotency SET status = ?3, headers = ?4, body = ?5, subject = ?6 WHERE space = ?1 AND key = ?2",
    )?
    .execute(params![
        request.space,
        request.key,
        answer.status,
        answer.headers_text(),
        answer.body,
        answer.subject
    ])
}

/// Ends the lease.
pub(super) fn release(conn: &Connection, request: &KeyedRequest) -> Result<usize, rusqlite::Error> {
    conn.prepare_cached(
        "UPDATE idempotency SET lease_until = 0 WHERE space = ?1 AND key = ?2 AND status IS NULL",
    )?
    .execute([&request.space, &request.key])
}

/// Forgets a portion of the old keys, so that no writer waits long.
pub(super) fn forget(conn: &Connection, before: i64) -> Result<usize, rusqlite::Error> {
    conn.execute(
        "DELETE FROM idempotency WHERE (space, key) IN
             (SELECT space, key FROM idempotency WHERE created_at < ?1 LIMIT 1000)",
        [before],
    )
}
