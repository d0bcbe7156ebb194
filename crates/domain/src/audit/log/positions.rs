//! `positions_gapless`: an event's position is the one after the event before it, and the first is 1.

use crate::{
    Envelope, Position,
    audit::check::{Check, Findings},
};

#[derive(Default)]
pub(in crate::audit) struct Positions {
    last: Position,
}

impl Check for Positions {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        let expected = self.last + 1;
        found.ensure(event, event.position == expected, || {
            format!("position {} follows {}", event.position, self.last)
        });
        self.last = event.position;
    }
}
