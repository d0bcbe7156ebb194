//! The slots that are ours, and how far each of them has read the log.

use std::collections::BTreeMap;

use domain::Position;
use eventlog::{Checkpoint, postgres::Held};
use uuid::Uuid;

use crate::store::slot_of;

/// One slot of ours.
struct Place {
    epoch: i64,
    /// The last event that was reacted to.
    at: Checkpoint,
    /// What the store says: it may be behind, since events that mean nothing are not worth a write of their own.
    stored: Position,
}

/// All slots of ours.
pub(super) struct Places {
    /// Over how many slots the work is spread.
    slots: u16,
    ours: BTreeMap<u16, Place>,
}

/// What a renewal has changed.
pub(super) struct Moved {
    pub(super) lost: Vec<u16>,
    pub(super) gained: Vec<Held>,
}

impl Places {
    pub(super) fn new(slots: u16) -> Self {
        Self { slots, ours: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ours.is_empty()
    }

    pub(super) fn slot(&self, key: Uuid) -> u16 {
        slot_of(key, self.slots)
    }

    pub(super) fn has(&self, key: Uuid) -> bool {
        self.has_slot(self.slot(key))
    }

    pub(super) fn has_slot(&self, slot: u16) -> bool {
        self.ours.contains_key(&slot)
    }

    /// Whether the event at `position` is still to be reacted to by the instance's slot, here.
    pub(super) fn wants(&self, key: Uuid, position: Position) -> bool {
        self.ours.get(&self.slot(key)).is_some_and(|place| place.at.position < position)
    }

    pub(super) fn slots(&self) -> Vec<u16> {
        self.ours.keys().copied().collect()
    }

    /// Where reading has to go on: the slot that is furthest behind. 0 when none is ours.
    pub(super) fn reading(&self) -> Position {
        self.ours.values().map(|place| place.at.position).min().unwrap_or(0)
    }

    /// Everything up to `at` was reacted to.
    pub(super) fn advance(&mut self, at: Checkpoint) {
        for place in self.ours.values_mut().filter(|place| place.at.position < at.position) {
            place.at = at;
        }
    }

    /// Whether the store is behind.
    pub(super) fn are_ahead_of_store(&self) -> bool {
        self.ours.values().any(|place| place.stored < place.at.position)
    }

    /// Compares with what is ours now.
    pub(super) fn moved(&self, held: &[Held]) -> Moved {
        let same = |held: &Held| self.ours.get(&held.slot).is_some_and(|place| place.epoch == held.epoch);
        let gained: Vec<Held> = held.iter().filter(|held| !same(held)).copied().collect();
        let kept = |slot: &u16| held.iter().any(|held| held.slot == *slot && same(held));
        Moved { lost: self.ours.keys().filter(|slot| !kept(slot)).copied().collect(), gained }
    }

    pub(super) fn gain(&mut self, held: Held, at: Checkpoint) {
        self.ours.insert(held.slot, Place { epoch: held.epoch, at, stored: at.position });
    }

    pub(super) fn lose(&mut self, slot: u16) {
        self.ours.remove(&slot);
    }

    /// The slots of these instances, or all that are ahead of the store, as they have to be written: what is held, and how
    /// far it is where the store is behind.
    pub(super) fn to_write(&self, of: impl Fn(u16) -> bool) -> (Vec<Held>, Vec<(u16, Checkpoint)>) {
        let chosen = || self.ours.iter().filter(|(slot, _)| of(**slot));
        let held = chosen().map(|(slot, place)| Held { slot: *slot, epoch: place.epoch }).collect();
        let behind = chosen().filter(|(_, place)| place.stored < place.at.position);
        (held, behind.map(|(slot, place)| (*slot, place.at)).collect())
    }

    /// The store has these now.
    pub(super) fn written(&mut self, checkpoints: &[(u16, Checkpoint)]) {
        for (slot, checkpoint) in checkpoints {
            if let Some(place) = self.ours.get_mut(slot) {
                place.stored = checkpoint.position;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: Position) -> Checkpoint {
        Checkpoint { log_id: Uuid::nil(), position, event_id: None }
    }

    fn held(slot: u16, epoch: i64) -> Held {
        Held { slot, epoch }
    }

    #[test]
    fn reading_goes_on_where_the_slot_is_that_is_furthest_behind_and_nothing_is_seen_twice() {
        let mut places = Places::new(64);
        let key = |slot: u16| (0..).map(Uuid::from_u128).find(|key| slot_of(*key, 64) == slot).unwrap();
        places.gain(held(3, 1), at(10));
        places.advance(at(50));
        places.gain(held(7, 4), at(20));
        assert_eq!(places.reading(), 20);
        assert!(places.wants(key(7), 21) && !places.wants(key(3), 21) && !places.wants(key(9), 21));
        places.advance(at(40));
        assert_eq!(places.reading(), 40);
        assert!(!places.wants(key(3), 50) && places.wants(key(3), 51));
    }

    #[test]
    fn a_slot_under_another_epoch_was_lost_and_gained() {
        let mut places = Places::new(64);
        places.gain(held(1, 1), at(0));
        places.gain(held(2, 1), at(0));
        let moved = places.moved(&[held(1, 1), held(2, 3), held(5, 1)]);
        assert_eq!((moved.lost, moved.gained), (vec![2], vec![held(2, 3), held(5, 1)]));
    }

    #[test]
    fn only_what_the_store_does_not_know_is_written() {
        let mut places = Places::new(64);
        places.gain(held(1, 1), at(5));
        places.gain(held(2, 1), at(9));
        places.advance(at(9));
        let (ours, behind) = places.to_write(|_| true);
        assert_eq!((ours.len(), behind.clone()), (2, vec![(1, at(9))]));
        places.written(&behind);
        assert!(!places.are_ahead_of_store());
    }
}
