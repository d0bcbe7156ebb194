//! What an invariant is to the audit, and where it writes what it finds.

use std::{borrow::Cow, fmt::Display};

use super::{
    Over,
    report::{Checked, LISTED, OpenWork, Violation},
};
use crate::{Envelope, Position};

/// One invariant: folds what it needs of the log, and says where it does not hold.
pub(super) trait Check: Send {
    /// The next event.
    fn observe(&mut self, event: &Envelope, found: &mut Findings);

    /// An order or a reservation is over: whatever is kept of it can go.
    fn forget(&mut self, _: &Over, _: &mut Findings) {}

    /// The log is at its end: what can only be said now.
    fn finish(&mut self, _: &mut Findings) {}
}

/// What one invariant has found.
pub(super) struct Findings {
    invariant: &'static str,
    checked: u64,
    violated: u64,
    still_open: u64,
    violations: Vec<Violation>,
    open: Vec<OpenWork>,
}

impl Findings {
    pub(super) fn of(invariant: &'static str) -> Self {
        Self { invariant, checked: 0, violated: 0, still_open: 0, violations: Vec::new(), open: Vec::new() }
    }

    /// Checks something about the event's stream.
    pub(super) fn ensure(&mut self, event: &Envelope, holds: bool, what: impl FnOnce() -> String) {
        self.ensure_of(&event.stream, event.position, holds, what);
    }

    /// Checks something about `subject`.
    pub(super) fn ensure_of(
        &mut self,
        subject: &impl Display,
        position: Position,
        holds: bool,
        what: impl FnOnce() -> String,
    ) {
        self.checked += 1;
        if holds {
            return;
        }
        self.violated += 1;
        if self.violations.len() < LISTED {
            let (invariant, subject) = (Cow::Borrowed(self.invariant), subject.to_string());
            self.violations.push(Violation { invariant, subject, position, what: what() });
        }
    }

    /// Notes something that the log has begun and not ended.
    pub(super) fn leave_open(&mut self, subject: &impl Display, position: Position, what: impl Into<String>) {
        self.still_open += 1;
        if self.open.len() < LISTED {
            let (invariant, subject) = (Cow::Borrowed(self.invariant), subject.to_string());
            self.open.push(OpenWork { invariant, subject, position, what: what.into() });
        }
    }

    pub(super) fn violated(&self) -> u64 {
        self.violated
    }

    pub(super) fn into_parts(self) -> (Checked, Vec<Violation>, Vec<OpenWork>) {
        let checked = Checked {
            invariant: Cow::Borrowed(self.invariant),
            checked: self.checked,
            violated: self.violated,
            open: self.still_open,
        };
        (checked, self.violations, self.open)
    }
}
