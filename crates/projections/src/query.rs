//! Asking for rows: filters, pages and cursors.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most rows of one page.
pub(crate) const MAX_PAGE: usize = 1_000;

/// A value to filter by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

/// Which rows, in the order of the events that created them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListQuery {
    /// Columns and the value that each must have.
    pub filters: Vec<(&'static str, Value)>,
    /// Only the parts of this thing: the rows under [`RowKey::Part`](crate::RowKey::Part) with its id. The key finds
    /// them, so that no column or index is needed.
    pub parts_of: Option<Uuid>,
    /// The newest first, else the oldest.
    pub newest_first: bool,
    /// Only what comes after this place.
    pub after: Option<Cursor>,
    /// At most so many rows, 1 to 1000.
    pub limit: usize,
}

impl ListQuery {
    /// The newest `limit` rows.
    #[must_use]
    pub fn newest(limit: usize) -> Self {
        Self { newest_first: true, limit, ..Self::default() }
    }

    /// The oldest `limit` rows.
    #[must_use]
    pub fn oldest(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Only rows whose `column` is `value`.
    #[must_use]
    pub fn filter(mut self, column: &'static str, value: impl Into<Value>) -> Self {
        self.filters.push((column, value.into()));
        self
    }

    /// The same if there is a value; without one the list stays as it is.
    #[must_use]
    pub fn filter_if(self, column: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.filter(column, value),
            None => self,
        }
    }

    /// Only the rows that are parts of the thing with this id.
    #[must_use]
    pub fn parts_of(mut self, id: Uuid) -> Self {
        self.parts_of = Some(id);
        self
    }

    /// The keys of a thing's parts lie between these two, which are none themselves.
    pub(crate) fn key_range(&self) -> Option<[String; 2]> {
        // `0` is the character that follows `/`.
        self.parts_of.map(|id| [format!("{id}/"), format!("{id}0")])
    }

    /// Only what comes after `cursor`.
    #[must_use]
    pub fn after(mut self, cursor: Option<Cursor>) -> Self {
        self.after = cursor;
        self
    }
}

/// Some rows of many.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<R> {
    /// The rows.
    pub rows: Vec<R>,
    /// Where the next page begins, if there is more.
    pub next: Option<Cursor>,
    /// Whether there is more.
    pub has_more: bool,
}

/// A place in a list. It stays where it is when rows come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Position of the event that created the last row seen.
    pub sort: i64,
    /// Key of the last row seen.
    pub key: String,
}

/// A text that is no cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a cursor: pass next_cursor of the page before as it is, or leave it out")]
pub struct CursorError(String);

/// The written form; `v` tells later forms apart.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    v: u8,
    s: i64,
    k: String,
}

impl Cursor {
    /// The form that clients pass back without looking inside: safe in a URL.
    #[must_use]
    pub fn to_opaque(&self) -> String {
        let written = Written { v: 1, s: self.sort, k: self.key.clone() };
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(&written).expect("two numbers and a text are always JSON"))
    }

    /// Reads what [`Cursor::to_opaque`] wrote.
    ///
    /// # Errors
    /// For any other text.
    pub fn from_opaque(text: &str) -> Result<Self, CursorError> {
        let wrong = || CursorError(text.chars().take(64).collect());
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong())?;
        match serde_json::from_slice(&json) {
            Ok(Written { v: 1, s, k }) => Ok(Self { sort: s, key: k }),
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written_and_is_safe_in_a_url() {
        let cursor =
            Cursor { sort: 12_345, key: "0190ffff-0000-7000-8000-000000000abc/00000000000000000007".into() };
        let text = cursor.to_opaque();
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
        assert_eq!(Cursor::from_opaque(&text), Ok(cursor));
    }

    #[test]
    fn any_other_text_is_refused() {
        let later = URL_SAFE_NO_PAD.encode(r#"{"v":2,"s":1,"k":"a"}"#);
        let more = URL_SAFE_NO_PAD.encode(r#"{"v":1,"s":1,"k":"a","x":0}"#);
        for wrong in ["", "12", "not a cursor", "e30", later.as_str(), more.as_str()] {
            assert!(Cursor::from_opaque(wrong).is_err(), "{wrong:?} was taken");
        }
    }
}
