//! The work store of one process manager, shared by all nodes: instances, timers, and how far each slot has read. It is
//! written in transactions that count only while the writer still holds the slots.

use std::collections::{BTreeMap, VecDeque};

use domain::{Position, Timestamp};
use sagas::{Action, EffectCall, Process, store::slot_of};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::{
    bug::Bug,
    leases::{Fenced, Held, Leases},
};

/// Over how many slots a process manager's work is spread.
pub(crate) const SLOTS: u16 = 4;

/// A step that is to be done.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) name: String,
    pub(crate) action: Action,
    pub(crate) superseded_by: Vec<String>,
    pub(crate) command_id: Uuid,
    pub(crate) correlation_id: Uuid,
    pub(crate) causation_id: Uuid,
    pub(crate) attempts: u32,
    /// Read from the store: somebody may have tried it before.
    pub(crate) read_back: bool,
}

impl Pending {
    pub(crate) fn calls_provider(&self) -> bool {
        matches!(self.action, Action::Effect(EffectCall::Charge { .. } | EffectCall::Refund { .. }))
    }

    pub(crate) fn may_have_been_tried(&self) -> bool {
        self.attempts > 0 || self.read_back
    }
}

/// An instance.
#[derive(Clone, Debug)]
pub(crate) struct Cell<S> {
    pub(crate) state: S,
    pub(crate) outbox: VecDeque<Pending>,
    pub(crate) last_position: Position,
    pub(crate) correlation_id: Uuid,
    /// Who is at its steps; in memory only.
    pub(crate) worker: Option<u64>,
}

impl<S: Clone + PartialEq + std::fmt::Debug + Serialize + DeserializeOwned> Cell<S> {
    /// As it is read from the store: through its text, which has to say all of it.
    fn read_back(&self) -> Self {
        let through = |text: serde_json::Result<String>| text.expect("what is stored can be written");
        let state: S = serde_json::from_str(&through(serde_json::to_string(&self.state)))
            .expect("what is stored can be read");
        assert_eq!(state, self.state, "a state is not read as it was written");
        let step = |step: &Pending| {
            let action: Action = serde_json::from_str(&through(serde_json::to_string(&step.action)))
                .expect("what is stored can be read");
            assert_eq!(action, step.action, "a step is not read as it was written");
            Pending { read_back: true, ..step.clone() }
        };
        Self { state, outbox: self.outbox.iter().map(step).collect(), worker: None, ..self.clone() }
    }
}

/// A timer set, or cleared.
pub(crate) type TimerRow = (Uuid, String, Option<Timestamp>);

/// Everything that one transaction changes.
pub(crate) struct Changes<S> {
    pub(crate) cells: Vec<(Uuid, Cell<S>)>,
    pub(crate) timers: Vec<TimerRow>,
    pub(crate) checkpoints: Vec<(u16, u64)>,
    /// Nothing is written unless all of these are still the writer's.
    pub(crate) held: Vec<Held>,
}

pub(crate) struct WorkStore<P: Process> {
    pub(crate) leases: Leases,
    cells: BTreeMap<Uuid, Cell<P::State>>,
    timers: BTreeMap<(Uuid, String), Timestamp>,
    positions: Vec<u64>,
    /// What must never have happened to it.
    pub(crate) wrong: Vec<String>,
    bug: Option<Bug>,
}

impl<P: Process> WorkStore<P> {
    pub(crate) fn new(bug: Option<Bug>) -> Self {
        Self {
            leases: Leases::new(SLOTS),
            cells: BTreeMap::new(),
            timers: BTreeMap::new(),
            positions: vec![0; usize::from(SLOTS)],
            wrong: Vec::new(),
            bug,
        }
    }

    /// Writes all of it, or nothing.
    pub(crate) fn write(&mut self, changes: &Changes<P::State>) -> Result<(), Fenced> {
        if self.bug != Some(Bug::FencingNotChecked) {
            self.leases.check(&changes.held)?;
        }
        for (slot, position) in &changes.checkpoints {
            let stored = &mut self.positions[usize::from(*slot)];
            if position < stored {
                self.wrong.push(format!("slot {slot} of {} went back from {stored} to {position}", P::NAME));
            }
            *stored = *position;
        }
        for (key, cell) in &changes.cells {
            self.cells.insert(*key, Cell { worker: None, ..cell.clone() });
        }
        for (key, name, due_at) in &changes.timers {
            match due_at {
                Some(due) => drop(self.timers.insert((*key, name.clone()), *due)),
                None => drop(self.timers.remove(&(*key, name.clone()))),
            }
        }
        Ok(())
    }

    pub(crate) fn position(&self, slot: u16) -> u64 {
        self.positions[usize::from(slot)]
    }

    pub(crate) fn load(&self, key: Uuid) -> Option<Cell<P::State>> {
        self.cells.get(&key).map(Cell::read_back)
    }

    /// The instances of a slot with steps to do.
    pub(crate) fn unfinished(&self, slot: u16) -> Vec<(Uuid, Cell<P::State>)> {
        let mine =
            self.cells.iter().filter(|(key, cell)| !cell.outbox.is_empty() && slot_of(**key, SLOTS) == slot);
        mine.map(|(key, cell)| (*key, cell.read_back())).collect()
    }

    /// The timers that are due in these slots.
    pub(crate) fn due(&self, slots: impl Fn(u16) -> bool, now: Timestamp) -> Vec<(Uuid, String, Timestamp)> {
        let due = self.timers.iter().filter(|((key, _), due)| **due <= now && slots(slot_of(*key, SLOTS)));
        due.map(|((key, name), due)| (*key, name.clone(), *due)).collect()
    }

    pub(crate) fn next_timer(&self) -> Option<Timestamp> {
        self.timers.values().min().copied()
    }

    /// Everything is lost.
    pub(crate) fn lose(&mut self) {
        self.cells.clear();
        self.timers.clear();
        self.positions.fill(0);
        self.leases.clear();
    }

    /// What its instances wait for.
    pub(crate) fn waits(&self) -> Vec<String> {
        let waits = self.cells.iter().filter_map(|(key, cell)| {
            P::awaits(&cell.state).map(|awaiting| format!("{} {key} waits for {}", P::NAME, awaiting.what))
        });
        let busy = self.cells.iter().filter(|(_, cell)| !cell.outbox.is_empty());
        let busy = busy.map(|(key, cell)| format!("{} {key} has yet to {}", P::NAME, cell.outbox[0].name));
        waits.chain(busy).collect()
    }
}
