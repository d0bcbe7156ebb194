//! A process manager as the runner runs it: reactions in log order, steps in order within an instance, timers, and a
//! memory that is stored with every reaction but not with every step that is done.

use std::collections::{BTreeMap, VecDeque};

use domain::{Envelope, Timestamp, derive_uuid};
use orderstream_sagas::{Action, Input, Process, Reaction};
use uuid::Uuid;

/// A step that is to be done.
#[derive(Clone, Debug)]
pub struct Pending {
    pub name: String,
    pub action: Action,
    pub superseded_by: Vec<String>,
    pub command_id: Uuid,
    pub correlation_id: Uuid,
    pub causation_id: Uuid,
}

#[derive(Clone)]
struct Cell<S> {
    state: S,
    outbox: VecDeque<Pending>,
    last_position: u64,
    correlation_id: Uuid,
}

#[derive(Clone)]
struct Memory<S> {
    position: u64,
    cells: BTreeMap<Uuid, Cell<S>>,
    timers: BTreeMap<(Uuid, String), Timestamp>,
}

impl<S> Default for Memory<S> {
    fn default() -> Self {
        Self { position: 0, cells: BTreeMap::new(), timers: BTreeMap::new() }
    }
}

/// What the world can do to a process.
pub trait Manager {
    fn name(&self) -> &'static str;
    /// The last event that it has read.
    fn position(&self) -> u64;
    /// Reads the next event.
    fn read(&mut self, event: &Envelope);
    /// Instances with steps to do.
    fn busy(&self) -> Vec<Uuid>;
    /// The next step of an instance.
    fn step(&self, key: Uuid) -> Pending;
    /// The next step is done. What is stored does not know it yet.
    fn done(&mut self, key: Uuid);
    /// When the next timer is due.
    fn next_timer(&self) -> Option<Timestamp>;
    /// Fires what is due.
    fn fire(&mut self, now: Timestamp);
    /// Killed and born again from what is stored.
    fn die(&mut self);
    /// Killed, and nothing of what was stored is left: it reads the log from its beginning.
    fn lose_memory(&mut self);
    /// What its instances wait for.
    fn waits(&self) -> Vec<String>;
}

pub struct Managed<P: Process> {
    now: Memory<P::State>,
    stored: Memory<P::State>,
}

impl<P: Process> Managed<P> {
    pub fn boxed() -> Box<dyn Manager> {
        Box::new(Self { now: Memory::default(), stored: Memory::default() })
    }

    fn apply(&mut self, key: Uuid, reaction: Reaction<P::State>, cause: Uuid, correlation_id: Uuid) -> bool {
        let Some(cell) = self.now.cells.get_mut(&key) else { return false };
        let Some(next) = reaction.next else { return false };
        cell.state = next;
        cell.outbox.extend(reaction.steps.into_iter().map(|step| Pending {
            command_id: derive_uuid(key, P::NAME, &format!("{cause}/{}", step.name)),
            name: step.name,
            action: step.action,
            superseded_by: step.superseded_by,
            correlation_id,
            causation_id: cause,
        }));
        for timer in reaction.timers {
            match timer.due_at {
                Some(due) => drop(self.now.timers.insert((key, timer.name), due)),
                None => drop(self.now.timers.remove(&(key, timer.name))),
            }
        }
        true
    }

    /// One transaction: the instance with its steps, the timers and the checkpoint.
    fn store(&mut self, key: Option<Uuid>) {
        self.stored.position = self.now.position;
        if let Some((key, cell)) = key.and_then(|key| self.now.cells.get_key_value(&key)) {
            self.stored.cells.insert(*key, cell.clone());
        }
        self.stored.timers.clone_from(&self.now.timers);
    }
}

impl<P: Process> Manager for Managed<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn position(&self) -> u64 {
        self.now.position
    }

    fn read(&mut self, event: &Envelope) {
        self.now.position = event.position;
        let Some(key) = P::instance(event) else { return self.store(None) };
        let correlation_id = event.metadata.correlation_id;
        let new =
            || Cell { state: P::State::default(), outbox: VecDeque::new(), last_position: 0, correlation_id };
        let cell = self.now.cells.entry(key).or_insert_with(new);
        assert!(
            !P::begins(event) || cell.last_position == 0,
            "{} says that {} begins it",
            P::NAME,
            event.event.name()
        );
        let reaction = P::react(&cell.state, Input::Event(event));
        if self.apply(key, reaction, event.metadata.event_id, correlation_id) {
            self.now.cells.get_mut(&key).unwrap().last_position = event.position;
            self.store(Some(key));
        } else {
            self.store(None);
        }
    }

    fn busy(&self) -> Vec<Uuid> {
        self.now.cells.iter().filter(|(_, cell)| !cell.outbox.is_empty()).map(|(key, _)| *key).collect()
    }

    fn step(&self, key: Uuid) -> Pending {
        self.now.cells[&key].outbox[0].clone()
    }

    fn done(&mut self, key: Uuid) {
        self.now.cells.get_mut(&key).unwrap().outbox.pop_front();
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.now.timers.values().min().copied()
    }

    fn fire(&mut self, now: Timestamp) {
        let due: Vec<_> =
            self.now.timers.iter().filter(|(_, due)| **due <= now).map(|(k, d)| (k.clone(), *d)).collect();
        for ((key, name), due_at) in due {
            self.now.timers.remove(&(key, name.clone()));
            let Some(cell) = self.now.cells.get(&key) else { continue };
            let cause =
                derive_uuid(key, "timer", &format!("{}/{name}@{}", P::NAME, due_at.timestamp_micros()));
            let correlation_id = cell.correlation_id;
            let reaction = P::react(&cell.state, Input::Timer { name: &name, due_at });
            self.apply(key, reaction, cause, correlation_id);
            self.store(Some(key));
        }
    }

    fn die(&mut self) {
        self.now = self.stored.clone();
    }

    fn lose_memory(&mut self) {
        self.now = Memory::default();
        self.stored = Memory::default();
    }

    fn waits(&self) -> Vec<String> {
        let waits = self.now.cells.iter().filter_map(|(key, cell)| {
            P::awaits(&cell.state).map(|awaiting| format!("{} {key} waits for {}", P::NAME, awaiting.what))
        });
        waits.collect()
    }
}
