//! A view: rows folded from the log, stored with how far it has read in one transaction, by whichever node holds it.
//! A row says how many events its stream has had and which was the last: enough to see an event that was left out or
//! counted twice.

use std::collections::BTreeMap;

use domain::{Envelope, StreamId, Version};

use crate::{
    bug::Bug,
    leases::{Held, Leases},
    runner::{Fate, Stored},
};

/// A stream's version and the name of its last event.
pub(crate) type Row = (Version, &'static str);

pub(crate) struct View {
    leases: Leases,
    rows: BTreeMap<StreamId, Row>,
    /// How many events are in the rows.
    checkpoint: u64,
    /// What each node holds of it, and how far it believes the view to be.
    nodes: Vec<Option<(Held, u64)>>,
    /// What must never have happened to it.
    pub(crate) wrong: Vec<String>,
    bug: Option<Bug>,
}

impl View {
    pub(crate) fn new(nodes: usize, bug: Option<Bug>) -> Self {
        Self {
            leases: Leases::new(1),
            rows: BTreeMap::new(),
            checkpoint: 0,
            nodes: vec![None; nodes],
            wrong: Vec::new(),
            bug,
        }
    }

    /// Renews or takes it. Tells whether it was taken from a holder that said nothing.
    pub(crate) fn share(&mut self, node: usize, turn: u64) -> bool {
        let balance = self.leases.balance(node, turn);
        let mine = balance.held.first().copied();
        if self.nodes[node].map(|(held, _)| held) != mine {
            self.nodes[node] = mine.map(|held| (held, self.checkpoint));
        }
        balance.taken > 0
    }

    pub(crate) fn reading(&self, node: usize) -> Option<u64> {
        self.nodes[node].map(|(_, at)| at)
    }

    /// Folds a batch into the rows.
    pub(crate) fn read(&mut self, node: usize, events: &[Envelope], fate: Fate) -> Stored {
        let Some((held, at)) = self.nodes[node] else { return Stored::Nothing };
        let next = at + events.len() as u64;
        let allowed = self.bug == Some(Bug::FencingNotChecked) || self.leases.check(&[held]).is_ok();
        if fate == Fate::CrashBefore {
            if allowed && self.bug == Some(Bug::CheckpointAheadOfRows) {
                self.checkpoint = next;
            }
            return Stored::Crashed;
        }
        if !allowed {
            self.nodes[node] = None;
            return Stored::Fenced;
        }
        for event in events {
            let row = self.rows.entry(event.stream).or_default();
            if row.0 + 1 != event.version {
                let said = format!(
                    "the view's row of {} is at version {} and takes in {}",
                    event.stream, row.0, event.version
                );
                self.wrong.push(said);
            }
            *row = (event.version, event.event.name());
        }
        self.checkpoint = next;
        self.nodes[node] = Some((held, next));
        if fate == Fate::CrashAfter { Stored::Crashed } else { Stored::Written }
    }

    /// What a client is told about a stream.
    pub(crate) fn row(&self, stream: StreamId) -> Option<Row> {
        self.rows.get(&stream).copied()
    }

    pub(crate) fn rows(&self) -> &BTreeMap<StreamId, Row> {
        &self.rows
    }

    /// The node dies, or stops.
    pub(crate) fn forget(&mut self, node: usize) {
        self.nodes[node] = None;
    }
}
