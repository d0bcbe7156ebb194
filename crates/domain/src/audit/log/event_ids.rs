//! `event_id_unique`: no two events have one id. Only the last [`WINDOW`] events are compared with each other, so that
//! the audit of a log of any length fits in memory; over its whole length the log's own unique index keeps it.

use std::collections::{HashSet, VecDeque};

use uuid::Uuid;

use crate::{
    Envelope,
    audit::check::{Check, Findings},
};

/// How many events are compared with each other: some megabytes.
pub(in crate::audit) const WINDOW: usize = 100_000;

#[derive(Default)]
pub(in crate::audit) struct EventIds {
    known: HashSet<Uuid>,
    order: VecDeque<Uuid>,
}

impl Check for EventIds {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        let id = event.metadata.event_id;
        let new = self.known.insert(id);
        found.ensure(event, new, || format!("event {id} stands in the log twice"));
        if new {
            self.order.push_back(id);
        }
        if self.order.len() > WINDOW
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}
