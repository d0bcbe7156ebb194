//! `command_id_once`: one command writes to a stream once. The events of one commit carry the same command id, stand
//! side by side and were decided at the same instant; later the id does not come again in that stream.
//!
//! Of a stream the last [`REMEMBERED`] commands are remembered, of one that is over none: a command that is given
//! twice is given twice within a short time.

use std::collections::{HashMap, VecDeque};

use uuid::Uuid;

use super::is_last;
use crate::{
    AggregateKind, Envelope, Position, StreamId, Timestamp,
    audit::{
        Over,
        check::{Check, Findings},
    },
};

/// How many commands of a stream are remembered.
pub(in crate::audit) const REMEMBERED: usize = 64;

#[derive(Default)]
pub(in crate::audit) struct CommandIds {
    /// Half of each id, the random one: the oldest first.
    seen: HashMap<StreamId, VecDeque<u64>>,
    last: Option<(StreamId, Uuid, Position, Timestamp)>,
}

impl Check for CommandIds {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        let id = event.metadata.command_id;
        let same_commit = self.last.is_some_and(|(stream, command, position, at)| {
            (stream, command, position + 1, at)
                == (event.stream, id, event.position, event.metadata.recorded_at)
        });
        self.last = Some((event.stream, id, event.position, event.metadata.recorded_at));
        if !same_commit {
            let half = id.as_u64_pair().1 ^ id.as_u64_pair().0.rotate_left(17);
            let seen = self.seen.entry(event.stream).or_default();
            found
                .ensure(event, !seen.contains(&half), || format!("command {id} wrote to this stream before"));
            if seen.len() == REMEMBERED {
                seen.pop_front();
            }
            seen.push_back(half);
        }
        if is_last(event) {
            self.seen.remove(&event.stream);
        }
    }

    fn forget(&mut self, over: &Over, _: &mut Findings) {
        self.seen.remove(&StreamId::new(AggregateKind::Payment, over.payment.uuid()));
        if let Some(delivery) = over.delivery {
            self.seen.remove(&StreamId::new(AggregateKind::Delivery, delivery.uuid()));
        }
    }
}
