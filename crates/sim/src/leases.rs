//! Slots of work, and who may write for them: a row for each with its holder and an epoch, judged by the store's own clock.

use std::collections::BTreeMap;

/// How long a lease lasts without a renewal, in steps of the history.
pub(crate) const TTL: u64 = 500;

/// A slot that is somebody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) slot: u16,
    pub(crate) epoch: u64,
}

/// A slot is somebody else's now: nothing was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fenced;

#[derive(Clone, Copy, Debug, Default)]
struct Row {
    holder: Option<usize>,
    epoch: u64,
    expires: u64,
}

/// The leases of one consumer.
#[derive(Debug)]
pub(crate) struct Leases {
    rows: Vec<Row>,
    /// Who wants work, and until when.
    members: BTreeMap<usize, u64>,
}

/// What is a node's after a renewal.
pub(crate) struct Balance {
    pub(crate) held: Vec<Held>,
    /// How many of them others should have.
    pub(crate) surplus: usize,
    /// How many were taken away from holders that said nothing.
    pub(crate) taken: usize,
}

impl Leases {
    pub(crate) fn new(slots: u16) -> Self {
        Self { rows: vec![Row::default(); usize::from(slots)], members: BTreeMap::new() }
    }

    /// Renews what is the node's, and takes free slots up to its fair share.
    pub(crate) fn balance(&mut self, node: usize, now: u64) -> Balance {
        self.members.insert(node, now + TTL);
        let live = self.members.values().filter(|expires| **expires > now).count().max(1);
        let fair = self.rows.len().div_ceil(live);
        let mut taken = 0;
        let mut mine = 0;
        for row in self.rows.iter_mut().filter(|row| row.holder == Some(node)) {
            row.expires = now + TTL;
            mine += 1;
        }
        for row in &mut self.rows {
            let free = row.holder.is_none() || row.expires <= now;
            if mine < fair && free && row.holder != Some(node) {
                taken += usize::from(row.holder.is_some());
                *row = Row { holder: Some(node), epoch: row.epoch + 1, expires: now + TTL };
                mine += 1;
            }
        }
        let of_row = |(slot, row): (usize, &Row)| {
            let slot = u16::try_from(slot).expect("there are few slots");
            (row.holder == Some(node)).then_some(Held { slot, epoch: row.epoch })
        };
        let held = self.rows.iter().enumerate().filter_map(of_row).collect();
        Balance { held, surplus: mine.saturating_sub(fair), taken }
    }

    /// Whether all of these are still as they were taken.
    pub(crate) fn check(&self, held: &[Held]) -> Result<(), Fenced> {
        let same = |held: &Held| self.rows[usize::from(held.slot)].epoch == held.epoch;
        if held.iter().all(same) { Ok(()) } else { Err(Fenced) }
    }

    /// Gives slots away, where they are still as they were taken.
    pub(crate) fn release(&mut self, held: &[Held]) {
        for held in held {
            let row = &mut self.rows[usize::from(held.slot)];
            if row.epoch == held.epoch {
                row.holder = None;
            }
        }
    }

    /// Wants no more work.
    pub(crate) fn retire(&mut self, node: usize) {
        self.members.remove(&node);
    }

    /// Nobody holds anything any more.
    pub(crate) fn clear(&mut self) {
        for row in &mut self.rows {
            *row = Row { holder: None, epoch: row.epoch + 1, expires: 0 };
        }
    }
}
