//! `stream_versions_gapless`: an event's version is the one after its stream's event before it, and the first is 1.
//! Streams that are over are forgotten, so another event of theirs shows as one that does not begin at 1.

use std::collections::HashMap;

use super::{comes_late, is_last};
use crate::{
    AggregateKind, Envelope, StreamId, Version,
    audit::{
        Over,
        check::{Check, Findings},
    },
};

#[derive(Default)]
pub(in crate::audit) struct Versions {
    last: HashMap<StreamId, Version>,
}

impl Check for Versions {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        let last = self.last.get(&event.stream).copied();
        if last.is_some() || !comes_late(event) {
            let last = last.unwrap_or(0);
            found.ensure(event, event.version == last + 1, || {
                format!("version {} follows {last}", event.version)
            });
        }
        if is_last(event) {
            self.last.remove(&event.stream);
        } else {
            self.last.insert(event.stream, event.version);
        }
    }

    fn forget(&mut self, over: &Over, _: &mut Findings) {
        self.last.remove(&StreamId::new(AggregateKind::Payment, over.payment.uuid()));
        if let Some(delivery) = over.delivery {
            self.last.remove(&StreamId::new(AggregateKind::Delivery, delivery.uuid()));
        }
    }
}
