//! What an audit has found.

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

use crate::Position;

/// The most violations, and the most open things, that are listed for one invariant; all are counted.
pub const LISTED: usize = 100;

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The invariant's name.
    pub invariant: Cow<'static, str>,
    /// What it is about: a stream, an order, a reservation.
    pub subject: String,
    /// Where in the log it shows.
    pub position: Position,
    /// What is wrong, with the values.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}: {}", self.invariant, self.position, self.subject, self.what)
    }
}

/// Work that the log has begun and not ended. No violation: it may be under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenWork {
    /// The invariant that will be checked once it has ended.
    pub invariant: Cow<'static, str>,
    /// What it is about.
    pub subject: String,
    /// The event that began it.
    pub position: Position,
    /// What is still to come.
    pub what: String,
}

/// What one invariant came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Its name.
    pub invariant: Cow<'static, str>,
    /// How often it was checked.
    pub checked: u64,
    /// How often it was violated.
    pub violated: u64,
    /// How much was under way at the end of the log, and is not checked yet.
    pub open: u64,
}

/// What an audit has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How many events were read.
    pub events: u64,
    /// The last one's place.
    pub position: Position,
    /// Every invariant, in the order of the registry.
    pub invariants: Vec<Checked>,
    /// What must not be, at most [`LISTED`] for each invariant.
    pub violations: Vec<Violation>,
    /// What is under way, at most [`LISTED`] for each invariant.
    pub open: Vec<OpenWork>,
}

impl Report {
    /// Whether every invariant holds.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violated() == 0
    }

    /// How many violations there are, listed or not.
    #[must_use]
    pub fn violated(&self) -> u64 {
        self.invariants.iter().map(|checked| checked.violated).sum()
    }
}
