//! Rows of personal data.

use std::collections::HashMap;

use domain::ContactId;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::accounts::{Contact, NewContact};

/// Writes a row; one that is there already, or was erased since, stays as it is. Tells whether it was written.
pub(super) fn insert(conn: &Connection, contact: &NewContact) -> Result<bool, rusqlite::Error> {
    let written = conn.prepare_cached(
        "INSERT INTO contacts (contact_id, owner, kind, data) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        contact.contact_id.uuid().as_bytes(),
        contact.owner.as_str(),
        contact.kind.name(),
        contact.data.to_string()
    ])?;
    Ok(written > 0)
}

/// Adds the rows with these ids to `found`.
pub(super) fn find(
    conn: &Connection,
    ids: &[ContactId],
    mut found: HashMap<ContactId, Contact>,
) -> Result<HashMap<ContactId, Contact>, rusqlite::Error> {
    let mut statement = conn.prepare_cached("SELECT data FROM contacts WHERE contact_id = ?1")?;
    for id in ids {
        let data = statement.query_row([Uuid::as_bytes(&id.uuid())], |row| row.get(0)).optional()?;
        if let Some(data) = data {
            found.insert(*id, Contact::from_row(data));
        }
    }
    Ok(found)
}

/// Tells how many rows held something. Stored answers: the same members as in `postgres/erasure.rs`.
pub(super) fn erase(conn: &Connection, owner: &str, now: i64) -> Result<usize, rusqlite::Error> {
    conn.execute(
        "UPDATE idempotency SET body = json_replace(body, '$.recipient', json('{\"erased\":true}'),
             '$.guest', json('{\"erased\":true}'), '$.reason', 'erased', '$.cancellation.reason', 'erased',
             '$.refunds', (SELECT json(json_group_array(json_replace(value, '$.reason', 'erased')))
                           FROM json_each(idempotency.body, '$.refunds')))
         WHERE subject = ?1 AND json_valid(body)",
        [owner],
    )?;
    conn.execute(
        "UPDATE contacts SET data = NULL, erased_at = ?2 WHERE owner = ?1 AND erased_at IS NULL",
        params![owner, now],
    )
}
