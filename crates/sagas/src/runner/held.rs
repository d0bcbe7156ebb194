//! Steps that wait until the gateway permits them: while its circuit breaker is open, or while there are too many retries.
//!
//! A wait is no failure: nothing was tried, so it neither counts as an attempt nor is it written anywhere. Those who wait
//! are let go in the order in which they came, as many as are permitted; nobody else is asked about while the first of his
//! kind waits, so ten thousand of them cost no more than one. Held are keys of instances that are in memory for their steps
//! anyway.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;
use uuid::Uuid;

use super::Runner;
use crate::{ports::Try, process::Process, store::PendingStep};

/// The shortest pause before the gateway is asked again: it may say "soon".
const SHORTEST_WAIT: Duration = Duration::from_millis(5);
/// The longest: it may open earlier than it said.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// Those who wait, by kind: retries have a budget of their own, and first tries do not wait behind them.
#[derive(Default)]
pub(super) struct Held {
    first: VecDeque<Uuid>,
    again: VecDeque<Uuid>,
    ask_at: Option<Instant>,
}

/// Whether this try of a step is its first. One that was read back and of which no failure is known counts as a first:
/// otherwise a restart would take all that waits for its first try for retries.
pub(super) fn try_of(step: &PendingStep) -> Try {
    if step.attempts > 0 { Try::Again } else { Try::First }
}

impl Held {
    fn of(&mut self, which: Try) -> &mut VecDeque<Uuid> {
        match which {
            Try::First => &mut self.first,
            Try::Again => &mut self.again,
        }
    }

    /// Asks `gateway`, unless somebody who came before waits for its answer.
    pub(super) fn permit(
        &mut self,
        which: Try,
        gateway: impl FnOnce() -> Result<(), Duration>,
    ) -> Result<(), Duration> {
        if self.of(which).is_empty() { gateway() } else { Err(LONGEST_WAIT) }
    }

    pub(super) fn hold(&mut self, key: Uuid, which: Try, wait: Duration) {
        self.of(which).push_back(key);
        self.ask_within(wait);
    }

    fn ask_within(&mut self, wait: Duration) {
        let at = Instant::now() + wait.clamp(SHORTEST_WAIT, LONGEST_WAIT);
        self.ask_at = Some(self.ask_at.map_or(at, |before| before.min(at)));
    }

    /// When the gateway is to be asked again, if anybody waits.
    pub(super) fn ask_at(&self) -> Option<Instant> {
        self.ask_at
    }
}

impl<P: Process> Runner<P> {
    /// Sets to work whoever is permitted now.
    pub(super) fn let_go(&mut self) {
        if self.held.ask_at.is_none_or(|at| at > Instant::now()) {
            return;
        }
        self.held.ask_at = None;
        for which in [Try::Again, Try::First] {
            while let Some(key) = self.held.of(which).front().copied() {
                // An operator, or a change of who does what, may have made an end of it.
                let waits = |cell: &&mut super::Cell<P::State>| cell.held && cell.worker.is_none();
                let Some(cell) = self.cells.get_mut(&key).filter(waits) else {
                    self.held.of(which).pop_front();
                    continue;
                };
                let is_still =
                    |step: &PendingStep| step.calls_provider() && !step.stuck && try_of(step) == which;
                if !cell.outbox.front().is_some_and(is_still) {
                    cell.held = false;
                    self.held.of(which).pop_front();
                    self.work_on(key);
                    continue;
                }
                if let Err(wait) = self.shared.effects.gateway.permit(which) {
                    self.held.ask_within(wait);
                    break;
                }
                cell.held = false;
                self.held.of(which).pop_front();
                self.set_to_work(key);
            }
        }
    }
}
