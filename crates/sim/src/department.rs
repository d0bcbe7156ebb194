//! A process manager on all nodes: its shared store, and each node's runner.

use std::collections::BTreeMap;

use domain::{Envelope, Position, Timestamp};
use sagas::{
    Process, booking::Booking, cancellation::Cancellation, checkout::Checkout, fulfilment::Fulfilment,
    loyalty::Loyalty, notifications::Notifications, payments::Payments, returns::Returns, vouchers::Vouchers,
};
use uuid::Uuid;

use crate::{
    bug::Bug,
    runner::{Fate, Runner, Stored},
    store::{Pending, WorkStore},
};

/// What came of looking at what is ours.
pub(crate) struct Shared {
    /// Slots taken from a holder that said nothing.
    pub(crate) taken: usize,
    /// What was to be stored before slots were given away was not: they were somebody else's.
    pub(crate) fenced: bool,
}

/// What the world can do to a process manager.
pub(crate) trait Department {
    fn name(&self) -> &'static str;
    /// Renews, takes and gives slots.
    fn share(&mut self, node: usize, turn: u64) -> Shared;
    /// How many events the node has read for it; none while nothing is its.
    fn reading(&self, node: usize) -> Option<u64>;
    /// Reads a batch whose first event is number `from`. Tells also how many events came to an instance for a second time.
    fn read(&mut self, node: usize, from: u64, events: &[Envelope], fate: Fate) -> (Stored, usize);
    /// Fires what is due by the node's clock. Tells also how many timers fired before `truth`.
    fn fire(&mut self, node: usize, now: Timestamp, truth: Timestamp, fate: Fate) -> (Stored, usize);
    /// Stores what is newer in memory.
    fn flush(&mut self, node: usize) -> Stored;
    /// Instances with steps to do, to which nobody is set.
    fn ready(&self, node: usize) -> Vec<Uuid>;
    fn start(&mut self, node: usize, key: Uuid, worker: u64) -> Vec<Pending>;
    fn is_at(&self, node: usize, key: Uuid, worker: u64) -> bool;
    fn report(&mut self, node: usize, key: Uuid, worker: u64, done: usize, failed: bool);
    fn next_timer(&self) -> Option<Timestamp>;
    /// The node's runner begins anew from what is stored.
    fn forget(&mut self, node: usize);
    /// The node stores what it has, and gives everything away.
    fn leave(&mut self, node: usize);
    /// Nothing of what was stored is left: the log is read from its beginning.
    fn lose_memory(&mut self);
    /// What its instances wait for, as it is stored.
    fn waits(&self) -> Vec<String>;
    /// What must never have happened to its store.
    fn wrong(&self) -> &[String];
}

struct Managed<P: Process> {
    store: WorkStore<P>,
    runners: Vec<Runner<P>>,
    /// The last event that each instance was handed, by whomever.
    delivered: BTreeMap<Uuid, Position>,
    bug: Option<Bug>,
}

impl<P: Process> Managed<P> {
    fn boxed(nodes: usize, bug: Option<Bug>) -> Box<dyn Department> {
        let runners = (0..nodes).map(|_| Runner::new(bug)).collect();
        Box::new(Self { store: WorkStore::<P>::new(bug), runners, delivered: BTreeMap::new(), bug })
    }

    fn begin_anew_if_fenced(&mut self, node: usize, stored: Stored) -> Stored {
        if stored == Stored::Fenced {
            self.forget(node);
        }
        stored
    }
}

impl<P: Process> Department for Managed<P> {
    fn name(&self) -> &'static str {
        P::NAME
    }

    fn share(&mut self, node: usize, turn: u64) -> Shared {
        let balance = self.store.leases.balance(node, turn);
        self.runners[node].share(&balance.held, &self.store);
        let mut fenced = false;
        if balance.surplus > 0 {
            fenced = self.flush(node) == Stored::Fenced;
            let slots = self.runners[node].surplus(balance.surplus);
            let held = self.runners[node].held(&slots);
            self.runners[node].forget(&slots);
            self.store.leases.release(&held);
        }
        Shared { taken: balance.taken, fenced }
    }

    fn reading(&self, node: usize) -> Option<u64> {
        self.runners[node].reading()
    }

    fn read(&mut self, node: usize, from: u64, events: &[Envelope], fate: Fate) -> (Stored, usize) {
        let (mut again, delivered) = (0, &mut self.delivered);
        let note = |key: Uuid, event: &Envelope| {
            let last = delivered.entry(key).or_default();
            again += usize::from(event.position <= *last);
            *last = event.position.max(*last);
        };
        let stored = self.runners[node].read(from, events, &mut self.store, fate, note);
        (self.begin_anew_if_fenced(node, stored), again)
    }

    fn fire(&mut self, node: usize, now: Timestamp, truth: Timestamp, fate: Fate) -> (Stored, usize) {
        let mut early = 0;
        let note = |due: Timestamp| early += usize::from(due > truth);
        let stored = self.runners[node].fire(now, &mut self.store, fate, note);
        (self.begin_anew_if_fenced(node, stored), early)
    }

    fn flush(&mut self, node: usize) -> Stored {
        let stored = self.runners[node].flush(&mut self.store);
        self.begin_anew_if_fenced(node, stored)
    }

    fn ready(&self, node: usize) -> Vec<Uuid> {
        self.runners[node].ready().collect()
    }

    fn start(&mut self, node: usize, key: Uuid, worker: u64) -> Vec<Pending> {
        self.runners[node].start(key, worker)
    }

    fn is_at(&self, node: usize, key: Uuid, worker: u64) -> bool {
        self.runners[node].is_at(key, worker)
    }

    fn report(&mut self, node: usize, key: Uuid, worker: u64, done: usize, failed: bool) {
        self.runners[node].report(key, worker, done, failed);
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.store.next_timer()
    }

    fn forget(&mut self, node: usize) {
        self.runners[node] = Runner::new(self.bug);
    }

    fn leave(&mut self, node: usize) {
        self.flush(node);
        let held = self.runners[node].held(&self.runners[node].slots());
        self.store.leases.release(&held);
        self.store.leases.retire(node);
        self.forget(node);
    }

    fn lose_memory(&mut self) {
        self.store.lose();
        (0..self.runners.len()).for_each(|node| self.forget(node));
    }

    fn waits(&self) -> Vec<String> {
        self.store.waits()
    }

    fn wrong(&self) -> &[String] {
        &self.store.wrong
    }
}

/// Every process manager.
pub(crate) fn all(nodes: usize, bug: Option<Bug>) -> Vec<Box<dyn Department>> {
    vec![
        Managed::<Checkout>::boxed(nodes, bug),
        Managed::<Payments>::boxed(nodes, bug),
        Managed::<Fulfilment>::boxed(nodes, bug),
        Managed::<Cancellation>::boxed(nodes, bug),
        Managed::<Returns>::boxed(nodes, bug),
        Managed::<Loyalty>::boxed(nodes, bug),
        Managed::<Booking>::boxed(nodes, bug),
        Managed::<Vouchers>::boxed(nodes, bug),
        Managed::<Notifications>::boxed(nodes, bug),
    ]
}
