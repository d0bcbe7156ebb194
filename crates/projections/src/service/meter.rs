//! Tells how far a rebuild or a check is.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::Position;

use super::slot::Slot;
use crate::{Phase, Progress, RebuildStatus};

/// The least time between two reports of one phase.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) type Tell = Box<dyn Fn(Progress) + Send + Sync>;

pub(super) struct Meter {
    views: Vec<String>,
    /// Whose status shows it.
    slots: Vec<Arc<Slot>>,
    tell: Tell,
    started: Instant,
    state: Mutex<State>,
}

struct State {
    phase: Phase,
    folded: u64,
    head: Position,
    told: Option<Instant>,
}

impl Meter {
    /// A meter for `views`; the status of `slots` shows it too.
    pub(super) fn new(views: Vec<String>, slots: Vec<Arc<Slot>>, tell: Tell) -> Self {
        let state = State { phase: Phase::Folding, folded: 0, head: 0, told: None };
        Self { views, slots, tell, started: Instant::now(), state: Mutex::new(state) }
    }

    pub(super) fn took_secs(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Begins another phase.
    pub(super) fn phase(&self, phase: Phase) {
        self.update(|state| {
            (state.phase, state.told) = (phase, None);
        });
    }

    /// There are so many events to fold.
    pub(super) fn head(&self, head: Position) {
        self.update(|state| state.head = head);
    }

    /// So many events were folded just now.
    pub(super) fn add(&self, events: usize) {
        self.update(|state| state.folded += events as u64);
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        let at = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut state);
            if state.told.is_some_and(|told| told.elapsed() < PAUSE) {
                return;
            }
            state.told = Some(Instant::now());
            self.status(&state)
        };
        self.slots.iter().for_each(|slot| slot.set_rebuild(Some(at.clone())));
        (self.tell)(Progress { views: self.views.clone(), at });
    }

    fn status(&self, state: &State) -> RebuildStatus {
        let events_per_sec = state.folded as f64 / self.took_secs().max(1e-6);
        let left = state.head.saturating_sub(state.folded) as f64;
        RebuildStatus {
            phase: state.phase,
            folded: state.folded,
            head: state.head,
            events_per_sec,
            eta_secs: (state.folded > 0).then(|| left / events_per_sec),
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.slots.iter().for_each(|slot| slot.set_rebuild(None));
    }
}
