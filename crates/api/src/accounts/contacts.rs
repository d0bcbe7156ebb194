//! Rows of personal data, which can be erased without touching an event.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::{ContactId, CustomerId, Subject, order, reservation};
use eventlog::StoreError;
use sagas::{PortError, Tokens};
use serde_json::Value;

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
    pub(super) fn name(self) -> &'static str {
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
    pub(super) fn from_row(data: Option<String>) -> Self {
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
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        self.store.contacts(ids).await
    }

    /// Erases everything personal of a customer, in stored answers too. Answers how many rows held something.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn erase(&self, customer: &CustomerId) -> Result<usize, StoreError> {
        self.store.erase(customer).await
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
