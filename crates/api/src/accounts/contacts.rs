//! Rows of personal data, which can be erased without touching an event.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::{ContactId, CustomerId, Subject, order, reservation};
use eventlog::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use sagas::{PortError, Tokens};
use serde_json::Value;
use uuid::Uuid;

use super::Accounts;
use crate::channels::{Addressee, Contacts};

/// What a row is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactKind {
    /// `{recipient: {name, phone, address, email?}, payment_method}` of an order.
    Recipient,
    /// `{guest: {name, phone, email?}}` of a reservation.
    Guest,
    /// `{reason}` of a cancellation, a failure or a refund.
    Reason,
    /// `{payment_method}` of a deferred payment.
    Method,
}

impl ContactKind {
    fn name(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Guest => "guest",
            Self::Reason => "reason",
            Self::Method => "method",
        }
    }
}

/// A row that is to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct NewContact {
    /// Its id, as events will name it.
    pub contact_id: ContactId,
    /// Whose data it is.
    pub owner: CustomerId,
    /// What for.
    pub kind: ContactKind,
    /// The data.
    pub data: Value,
}

/// What a row holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Contact {
    /// The data.
    Present(Value),
    /// It was erased.
    Erased,
}

impl Contact {
    fn from_row(data: Option<String>) -> Self {
        match data.map(|text| serde_json::from_str(&text)) {
            Some(Ok(value)) => Self::Present(value),
            _ => Self::Erased,
        }
    }

    /// One member of the data as clients see it, `erased` standing for a row that was erased.
    #[must_use]
    pub fn member(&self, name: &str, erased: &Value) -> Value {
        match self {
            Self::Present(data) => data.get(name).cloned().unwrap_or(Value::Null),
            Self::Erased => erased.clone(),
        }
    }
}

/// One member of a row as clients see it. Null if events name no row; a row that they name but that is not there stayed
/// behind when the events were moved here, and is shown as one that was erased.
#[must_use]
pub fn member_of(
    contacts: &HashMap<ContactId, Contact>,
    id: Option<ContactId>,
    name: &str,
    erased: &Value,
) -> Value {
    id.map_or(Value::Null, |id| contacts.get(&id).unwrap_or(&Contact::Erased).member(name, erased))
}

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

impl Accounts {
    /// The row with this id.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn contact(&self, id: ContactId) -> Result<Option<Contact>, StoreError> {
        Ok(self.contacts(vec![id]).await?.remove(&id))
    }

    /// The rows with these ids, in one read.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn contacts(&self, ids: Vec<ContactId>) -> Result<HashMap<ContactId, Contact>, StoreError> {
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
        let read = move |conn: &Connection| {
            let mut statement = conn.prepare_cached("SELECT data FROM contacts WHERE contact_id = ?1")?;
            let mut found = fresh;
            for id in stored {
                let data = statement.query_row([Uuid::as_bytes(&id.uuid())], |row| row.get(0)).optional()?;
                if let Some(data) = data {
                    found.insert(id, Contact::from_row(data));
                }
            }
            Ok(found)
        };
        self.readers.read(read).await
    }

    /// Erases everything personal of a customer, in stored answers too. Answers how many rows held something.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn erase(&self, customer: &CustomerId) -> Result<usize, StoreError> {
        let (owner, now) = (customer.as_str().to_owned(), self.clock.now().timestamp_micros());
        let erase = move |conn: &Connection| {
            conn.execute(
                "UPDATE idempotency SET body = json_replace(body, '$.recipient', json('{\"erased\":true}'),
                     '$.guest', json('{\"erased\":true}'), '$.reason', 'erased', '$.cancellation.reason', 'erased',
                     '$.refunds', (SELECT json(json_group_array(json_replace(value, '$.reason', 'erased')))
                                   FROM json_each(idempotency.body, '$.refunds')))
                 WHERE subject = ?1 AND json_valid(body)",
                [&owner],
            )?;
            conn.execute(
                "UPDATE contacts SET data = NULL, erased_at = ?2 WHERE owner = ?1 AND erased_at IS NULL",
                params![owner, now],
            )
        };
        self.fresh.forget();
        let erased = self.writer.write(erase).await;
        self.fresh.forget();
        erased
    }
}

#[async_trait]
impl Tokens for Accounts {
    async fn payment_token(&self, contact: ContactId) -> Result<Option<String>, PortError> {
        let contact = self.contact(contact).await.map_err(|error| PortError(error.to_string()))?;
        Ok(contact
            .and_then(|contact| contact.member("payment_method", &Value::Null).as_str().map(str::to_owned)))
    }
}

#[async_trait]
impl Contacts for Accounts {
    async fn addressee(&self, subject: Subject) -> Result<Option<Addressee>, PortError> {
        let (id, member) = match subject {
            Subject::Order(id) => (order::contact_of(id), "recipient"),
            Subject::Reservation(id) => (reservation::contact_of(id), "guest"),
        };
        let contact = self.contact(id).await.map_err(|error| PortError(error.to_string()))?;
        let person = contact.map(|contact| contact.member(member, &Value::Null)).unwrap_or_default();
        let text = |name: &str| person[name].as_str().map(str::to_owned);
        Ok(text("email").map(|email| Addressee { name: text("name").unwrap_or_default(), email }))
    }
}
