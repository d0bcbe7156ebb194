//! Rows of personal data.

use std::collections::HashMap;

use domain::ContactId;
use sqlx::{Row, postgres::PgConnection};
use uuid::Uuid;

use crate::accounts::{Contact, NewContact};

/// Writes a row; one that is there already, or was erased since, stays as it is.
pub(super) async fn insert(conn: &mut PgConnection, contact: &NewContact) -> Result<(), sqlx::Error> {
    let sql =
        "INSERT INTO contacts (contact_id, owner, kind, data) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let insert = sqlx::query(sql).bind(contact.contact_id.uuid()).bind(contact.owner.as_str());
    insert.bind(contact.kind.name()).bind(contact.data.to_string()).execute(conn).await.map(drop)
}

/// The rows with these ids.
pub(super) async fn find(
    conn: &mut PgConnection,
    ids: &[Uuid],
) -> Result<HashMap<ContactId, Contact>, sqlx::Error> {
    let sql = "SELECT contact_id, data FROM contacts WHERE contact_id = ANY($1)";
    let rows = sqlx::query(sql).bind(ids).fetch_all(conn).await?;
    Ok(rows.iter().map(|row| (ContactId::from_uuid(row.get(0)), Contact::from_row(row.get(1)))).collect())
}
