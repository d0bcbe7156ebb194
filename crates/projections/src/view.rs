//! What a view is: a pure fold from events to rows.

use std::fmt;

use domain::Envelope;
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{Columns, Known, Rows};

/// A view. Pure and synchronous: it knows events only, reads no clock, and never fails. An event whose row is missing
/// creates what it can or is ignored.
pub trait View: Sized + Send + Sync + 'static {
    /// One row, as it is stored and (without `internal`) as clients see it.
    type Row: Serialize + DeserializeOwned + Clone + PartialEq + fmt::Debug + Send + Sync + 'static;
    /// Its name in URLs, the CLI and table names: lower-case letters.
    const NAME: &'static str;
    /// Raised when rows change their shape or meaning: the view is then folded anew beside the old one.
    const VERSION: u32;
    /// What lists can be filtered by. Beside them every row has `key`, `sort` and `doc`.
    const COLUMNS: &'static [Column];
    /// The indexes: columns and, last, `sort`, since lists are sorted by it.
    const INDEXES: &'static [&'static [&'static str]];

    /// The rows that `event` touches, from the event alone, so that the rows of a whole window are fetched at once.
    /// None: the event means nothing to the view, and `apply` is not called.
    fn keys(event: &Envelope, keys: &mut Vec<Key>);

    /// What most of the later events about the same thing do not say, such as whose order it is: a row that lists do not
    /// show, from the event alone. It is there for [`View::related`] and `apply` of this event and all later ones. A key
    /// that another event introduces too is given the same row.
    #[must_use]
    fn introduces(_event: &Envelope) -> Option<(RowKey, Self::Row)> {
        None
    }

    /// Rows that `event` touches and does not name itself: what `keys` named is known by now, as it was before the window
    /// of events, and so is what the window introduces. Read only what no event changes.
    fn related(_event: &Envelope, _known: &Known<'_, Self>, _keys: &mut Vec<Key>) {}

    /// How the rows change. May touch the rows that `keys` and `related` named, and append others.
    fn apply(event: &Envelope, rows: &mut Rows<'_, Self>);

    /// The values of [`View::COLUMNS`], in that order.
    fn columns(row: &Self::Row, columns: &mut Columns<'_>);
}

/// A column that lists can be filtered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
}

impl Column {
    /// A column of texts.
    #[must_use]
    pub const fn text(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Text }
    }
    /// A column of whole numbers.
    #[must_use]
    pub const fn integer(name: &'static str) -> Self {
        Self { name, kind: ColumnKind::Integer }
    }
}

/// What a column holds. Any may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// Texts.
    Text,
    /// Whole numbers.
    Integer,
}

/// Names a row. Small and cheap to hash, since every event looks up a few; stored as text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RowKey {
    /// The thing that a stream describes.
    Id(Uuid),
    /// One of many rows of a thing, in order. Written `<id>/<number with 20 digits>`, so that text order is number order.
    Part(Uuid, u64),
    /// Anything else, such as a slug.
    Text(Box<str>),
}

impl RowKey {
    /// Appends the text form.
    pub(crate) fn write(&self, text: &mut Vec<u8>) {
        let uuid = |text: &mut Vec<u8>, id: &Uuid| {
            text.extend_from_slice(id.hyphenated().encode_lower(&mut Uuid::encode_buffer()).as_bytes());
        };
        match self {
            Self::Id(id) => uuid(text, id),
            Self::Part(id, number) => {
                uuid(text, id);
                let mut digits = *b"/00000000000000000000";
                let mut rest = *number;
                for digit in digits[1..].iter_mut().rev() {
                    *digit = b'0' + (rest % 10) as u8;
                    rest /= 10;
                }
                text.extend_from_slice(&digits);
            }
            Self::Text(name) => text.extend_from_slice(name.as_bytes()),
        }
    }
}

impl fmt::Display for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Part(id, number) => write!(f, "{id}/{number:020}"),
            Self::Text(name) => f.write_str(name),
        }
    }
}
impl From<Uuid> for RowKey {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}
impl From<&str> for RowKey {
    fn from(name: &str) -> Self {
        Self::Text(name.into())
    }
}

/// A row that an event touches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Which row.
    pub row: RowKey,
    /// The event is the first that ever touches the row, so there is nothing to fetch.
    pub fresh: bool,
}

impl Key {
    /// A row that may exist.
    pub fn of(row: impl Into<RowKey>) -> Self {
        Self { row: row.into(), fresh: false }
    }
    /// A row that cannot exist before this event.
    pub fn fresh(row: impl Into<RowKey>) -> Self {
        Self { row: row.into(), fresh: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_the_same_way_for_people_and_for_the_store() {
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0abc);
        for key in [id.into(), RowKey::Part(id, 0), RowKey::Part(id, u64::MAX), RowKey::from("phone")] {
            let mut text = Vec::new();
            key.write(&mut text);
            assert_eq!(String::from_utf8(text).unwrap(), key.to_string());
        }
        assert!(RowKey::Part(id, 9).to_string() < RowKey::Part(id, 10).to_string());
    }
}
