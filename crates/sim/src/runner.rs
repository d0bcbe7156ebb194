//! One node's part in a process manager, in memory: what the real runner keeps, and in which order it is stored.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Envelope, Timestamp, derive_uuid};
use sagas::{Input, Process, Reaction, store::slot_of};
use uuid::Uuid;

use crate::{
    bug::Bug,
    leases::{Fenced, Held},
    store::{Cell, Changes, Pending, SLOTS, TimerRow, WorkStore},
};

/// A slot that is the node's.
#[derive(Clone, Copy, Debug)]
struct Place {
    epoch: u64,
    /// How many events it has read.
    at: u64,
    /// How many the store knows of.
    stored: u64,
}

/// What becomes of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is written, and the node lives.
    Written,
    /// The node dies before.
    CrashBefore,
    /// The node dies behind it.
    CrashAfter,
}

/// What came of reading or firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Nothing,
    Written,
    Crashed,
    Fenced,
}

pub(crate) struct Runner<P: Process> {
    places: BTreeMap<u16, Place>,
    cells: BTreeMap<Uuid, Cell<P::State>>,
    dirty: BTreeSet<Uuid>,
    bug: Option<Bug>,
}

impl<P: Process> Runner<P> {
    pub(crate) fn new(bug: Option<Bug>) -> Self {
        Self { places: BTreeMap::new(), cells: BTreeMap::new(), dirty: BTreeSet::new(), bug }
    }

    fn has(&self, key: Uuid) -> bool {
        self.places.contains_key(&slot_of(key, SLOTS))
    }

    /// How many events the slot that is furthest behind has read; none while no slot is ours.
    pub(crate) fn reading(&self) -> Option<u64> {
        self.places.values().map(|place| place.at).min()
    }

    /// Compares with what is ours now; takes over what is new from what the store says.
    pub(crate) fn share(&mut self, held: &[Held], store: &WorkStore<P>) {
        let same = |slot: u16, place: &Place| held.contains(&Held { slot, epoch: place.epoch });
        let lost: Vec<u16> = self.places.iter().filter(|(s, p)| !same(**s, p)).map(|(s, _)| *s).collect();
        self.forget(&lost);
        for held in
            held.iter().filter(|held| !self.places.contains_key(&held.slot)).copied().collect::<Vec<_>>()
        {
            let at = store.position(held.slot);
            self.places.insert(held.slot, Place { epoch: held.epoch, at, stored: at });
            self.cells.extend(store.unfinished(held.slot));
        }
    }

    /// Drops everything of these slots.
    pub(crate) fn forget(&mut self, slots: &[u16]) {
        for slot in slots {
            self.places.remove(slot);
        }
        let places = &self.places;
        self.cells.retain(|key, _| places.contains_key(&slot_of(*key, SLOTS)));
        self.dirty.retain(|key| places.contains_key(&slot_of(*key, SLOTS)));
    }

    /// The slots that are given away when there are too many: those that least is done for.
    pub(crate) fn surplus(&self, count: usize) -> Vec<u16> {
        let working = |slot: u16| {
            self.cells.iter().filter(|(k, c)| c.worker.is_some() && slot_of(**k, SLOTS) == slot).count()
        };
        let mut slots: Vec<u16> = self.places.keys().copied().collect();
        slots.sort_by_key(|slot| working(*slot));
        slots.truncate(count);
        slots
    }

    pub(crate) fn held(&self, slots: &[u16]) -> Vec<Held> {
        let held = slots.iter().filter_map(|slot| Some((slot, self.places.get(slot)?)));
        held.map(|(slot, place)| Held { slot: *slot, epoch: place.epoch }).collect()
    }

    pub(crate) fn slots(&self) -> Vec<u16> {
        self.places.keys().copied().collect()
    }

    /// Reacts to a batch of which the first event is number `from`, and stores it. `delivered` is told of every event that
    /// comes to an instance.
    pub(crate) fn read(
        &mut self,
        from: u64,
        events: &[Envelope],
        store: &mut WorkStore<P>,
        fate: Fate,
        mut delivered: impl FnMut(Uuid, &Envelope),
    ) -> Stored {
        let (mut timers, mut touched) = (Vec::new(), BTreeSet::new());
        for (number, event) in (from..).zip(events) {
            let Some(key) = P::instance(event) else { continue };
            let Some(place) = self.places.get(&slot_of(key, SLOTS)) else { continue };
            delivered(key, event);
            if number <= place.at {
                continue;
            }
            let cell = self.fetch(key, store).or_insert_with(|| Cell {
                state: P::State::default(),
                outbox: std::collections::VecDeque::new(),
                last_position: 0,
                correlation_id: event.metadata.correlation_id,
                worker: None,
            });
            if event.position <= cell.last_position {
                continue;
            }
            assert!(
                !P::begins(event) || cell.last_position == 0,
                "{} says that {} begins it",
                P::NAME,
                event.event.name()
            );
            let reaction = P::react(&cell.state, Input::Event(event));
            let (cause, correlation_id) = (event.metadata.event_id, event.metadata.correlation_id);
            if apply::<P>(cell, key, reaction, cause, correlation_id, &mut timers) {
                cell.last_position = event.position;
                touched.insert(key);
            }
        }
        let last = from + events.len() as u64 - 1;
        self.places.values_mut().filter(|place| place.at < last).for_each(|place| place.at = last);
        if touched.is_empty() && timers.is_empty() {
            return Stored::Nothing;
        }
        self.save(&touched, timers, false, store, fate)
    }

    /// Fires what is due by this clock. `fired` is told when each was due.
    pub(crate) fn fire(
        &mut self,
        now: Timestamp,
        store: &mut WorkStore<P>,
        fate: Fate,
        mut fired: impl FnMut(Timestamp),
    ) -> Stored {
        let due = store.due(|slot| self.places.contains_key(&slot), now);
        let (mut timers, mut touched) = (Vec::new(), BTreeSet::new());
        for (key, name, due_at) in due {
            fired(due_at);
            // Cleared first: the reaction may set it anew.
            timers.push((key, name.clone(), None));
            if let std::collections::btree_map::Entry::Vacant(_) = self.fetch(key, store) {
                continue;
            }
            let cell = self.cells.get_mut(&key).expect("it was just fetched");
            let at = due_at.timestamp_micros();
            let cause = derive_uuid(key, "timer", &format!("{}/{name}@{at}", P::NAME));
            let correlation_id = cell.correlation_id;
            let reaction = P::react(&cell.state, Input::Timer { name: &name, due_at });
            if apply::<P>(cell, key, reaction, cause, correlation_id, &mut timers) {
                touched.insert(key);
            }
        }
        if timers.is_empty() { Stored::Nothing } else { self.save(&touched, timers, false, store, fate) }
    }

    fn fetch(
        &mut self,
        key: Uuid,
        store: &WorkStore<P>,
    ) -> std::collections::btree_map::Entry<'_, Uuid, Cell<P::State>> {
        if !self.cells.contains_key(&key)
            && let Some(stored) = store.load(key)
        {
            self.cells.insert(key, stored);
        }
        self.cells.entry(key)
    }

    /// Brings the store up to date, and forgets the instances that nothing is to be done for.
    pub(crate) fn flush(&mut self, store: &mut WorkStore<P>) -> Stored {
        let dirty = self.dirty.clone();
        let stored = self.save(&dirty, Vec::new(), true, store, Fate::Written);
        if stored == Stored::Written {
            self.cells.retain(|_, cell| cell.worker.is_some() || !cell.outbox.is_empty());
        }
        stored
    }

    /// One transaction: instances, timers, and the checkpoints of their slots (or of all).
    fn save(
        &mut self,
        keys: &BTreeSet<Uuid>,
        timers: Vec<TimerRow>,
        all_slots: bool,
        store: &mut WorkStore<P>,
        fate: Fate,
    ) -> Stored {
        let slots: BTreeSet<u16> =
            keys.iter().chain(timers.iter().map(|(key, _, _)| key)).map(|key| slot_of(*key, SLOTS)).collect();
        let chosen = self.places.iter().filter(|(slot, _)| all_slots || slots.contains(slot));
        let chosen: Vec<(u16, Place)> = chosen.map(|(slot, place)| (*slot, *place)).collect();
        let behind = chosen.iter().filter(|(_, place)| place.stored < place.at);
        let mut changes = Changes {
            cells: keys.iter().filter_map(|key| Some((*key, self.cells.get(key)?.clone()))).collect(),
            timers,
            checkpoints: behind.map(|(slot, place)| (*slot, place.at)).collect(),
            held: chosen.iter().map(|(slot, place)| Held { slot: *slot, epoch: place.epoch }).collect(),
        };
        if fate == Fate::CrashBefore {
            if self.bug == Some(Bug::CheckpointAheadOfReaction) {
                changes.cells.clear();
                changes.timers.clear();
                let _ = store.write(&changes);
            }
            return Stored::Crashed;
        }
        if let Err(Fenced) = store.write(&changes) {
            return Stored::Fenced;
        }
        for (slot, position) in &changes.checkpoints {
            if let Some(place) = self.places.get_mut(slot) {
                place.stored = *position;
            }
        }
        for key in keys {
            self.dirty.remove(key);
        }
        if fate == Fate::CrashAfter { Stored::Crashed } else { Stored::Written }
    }

    /// Instances with steps that nobody is at.
    pub(crate) fn ready(&self) -> impl Iterator<Item = Uuid> {
        self.cells
            .iter()
            .filter(|(_, cell)| cell.worker.is_none() && !cell.outbox.is_empty())
            .map(|(key, _)| *key)
    }

    /// Sets a worker to an instance's steps, as far as it needs no further permission of the provider's.
    pub(crate) fn start(&mut self, key: Uuid, worker: u64) -> Vec<Pending> {
        let Some(cell) = self.cells.get_mut(&key) else { return Vec::new() };
        cell.worker = Some(worker);
        let needs_permission = |(nth, step): &(usize, &Pending)| *nth > 0 && step.calls_provider();
        let steps = cell.outbox.iter().enumerate().take_while(|step| !needs_permission(step));
        steps.map(|(_, step)| step.clone()).collect()
    }

    /// Whether this worker is still to go on.
    pub(crate) fn is_at(&self, key: Uuid, worker: u64) -> bool {
        self.has(key) && self.cells.get(&key).is_some_and(|cell| cell.worker == Some(worker))
    }

    /// A worker has done so many steps, and failed at the next one, or not.
    pub(crate) fn report(&mut self, key: Uuid, worker: u64, done: usize, failed: bool) {
        if !self.is_at(key, worker) {
            return;
        }
        let cell = self.cells.get_mut(&key).expect("somebody is at it");
        cell.worker = None;
        cell.outbox.drain(..done.min(cell.outbox.len()));
        if let (true, Some(step)) = (failed, cell.outbox.front_mut()) {
            step.attempts += 1;
        }
        self.dirty.insert(key);
    }
}

/// Brings a reaction into an instance. Tells whether it meant anything.
fn apply<P: Process>(
    cell: &mut Cell<P::State>,
    key: Uuid,
    reaction: Reaction<P::State>,
    cause: Uuid,
    correlation_id: Uuid,
    timers: &mut Vec<TimerRow>,
) -> bool {
    let Some(next) = reaction.next else { return false };
    cell.state = next;
    cell.outbox.extend(reaction.steps.into_iter().map(|step| Pending {
        command_id: derive_uuid(key, P::NAME, &format!("{cause}/{}", step.name)),
        name: step.name,
        action: step.action,
        superseded_by: step.superseded_by,
        correlation_id,
        causation_id: cause,
        attempts: 0,
        read_back: false,
    }));
    timers.extend(reaction.timers.into_iter().map(|timer| (key, timer.name, timer.due_at)));
    true
}
