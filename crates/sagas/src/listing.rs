//! Lists of instances, page by page: all process managers in their order, each with its instances by key.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use crate::{process_names, store::InstanceSummary};

/// Which instances an operator wants to see.
#[derive(Clone, Debug, Default)]
pub struct InstanceFilter {
    /// Of which process manager; of all without it.
    pub process: Option<String>,
    /// In which state; in any but ended without it.
    pub state: Option<crate::InstanceState>,
    /// Those after this place.
    pub after: Option<InstanceCursor>,
    /// At most so many; 100 when 0.
    pub limit: usize,
}

/// Some instances of many.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstancePage {
    /// The instances.
    pub instances: Vec<InstanceSummary>,
    /// Where the next page begins; none at the end.
    pub next: Option<InstanceCursor>,
}

/// A place in the list of all instances. It stays where it is when instances come and go.
///
/// Written `PROCESS.KEY`, which is safe in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceCursor {
    /// Process manager of the last instance seen.
    process: String,
    /// Key of the last instance seen.
    key: Uuid,
}

/// A text that is no cursor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a cursor: pass next_cursor of the page before as it is, or leave it out")]
pub struct InstanceCursorError(String);

impl InstancePage {
    /// The first `limit` of these instances.
    pub(crate) fn first(mut instances: Vec<InstanceSummary>, limit: usize) -> Self {
        let has_more = instances.len() > limit;
        instances.truncate(limit);
        let last = instances.last().filter(|_| has_more);
        let next = last.map(|last| InstanceCursor { process: last.process.clone(), key: last.key });
        Self { instances, next }
    }
}

impl InstanceCursor {
    /// Where a process manager's list goes on behind this place: none if it was seen to its end, [`Uuid::nil`] (which is
    /// before every key) if nothing of it was seen.
    pub(crate) fn reached(&self, process: &str) -> Option<Uuid> {
        let place = |name: &str| process_names().iter().position(|known| *known == name);
        match place(process).cmp(&place(&self.process)) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(self.key),
            std::cmp::Ordering::Greater => Some(Uuid::nil()),
        }
    }
}

impl fmt::Display for InstanceCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.process, self.key)
    }
}

impl FromStr for InstanceCursor {
    type Err = InstanceCursorError;
    fn from_str(text: &str) -> Result<Self, InstanceCursorError> {
        let read = || {
            let (process, key) = text.split_once('.')?;
            let known = process_names().contains(&process);
            known.then_some(Self { process: process.to_owned(), key: Uuid::try_parse(key).ok()? })
        };
        read().ok_or_else(|| InstanceCursorError(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_is_written_and_any_other_text_is_refused() {
        let cursor = InstanceCursor { process: "payments".to_owned(), key: Uuid::from_u128(7) };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in
            ["", ".", "payments", "payments.", "payments.7", "nobody.00000000-0000-0000-0000-000000000007"]
        {
            assert!(wrong.parse::<InstanceCursor>().is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn a_cursor_lies_behind_the_process_managers_before_its_own() {
        let cursor = InstanceCursor { process: "payments".to_owned(), key: Uuid::from_u128(7) };
        assert_eq!(cursor.reached("checkout"), None);
        assert_eq!(cursor.reached("payments"), Some(Uuid::from_u128(7)));
        assert_eq!(cursor.reached("fulfilment"), Some(Uuid::nil()));
    }
}
