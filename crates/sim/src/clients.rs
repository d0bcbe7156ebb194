//! Clients: their calls under idempotency keys, the answers they have, and what they were told by the view.

use domain::{AnyCommand, StreamId};
use uuid::Uuid;

use crate::{log::Log, view::Row};

/// A call of a client's: the same key every time it is made.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) command: AnyCommand,
    pub(crate) command_id: Uuid,
    pub(crate) correlation_id: Uuid,
    /// The node that it was made to; none when it has an answer, or waits to be made again.
    pub(crate) at: Option<usize>,
    /// Made again until it has an answer.
    pub(crate) insists: bool,
}

/// All clients.
#[derive(Default)]
pub(crate) struct Clients {
    pub(crate) calls: Vec<Call>,
    /// Calls whose answer was lost, to be made again.
    pub(crate) unanswered: Vec<usize>,
    /// What somebody has read.
    told: Vec<(StreamId, Row)>,
}

impl Clients {
    /// The node is gone, and whoever waited for it knows nothing.
    pub(crate) fn lose_node(&mut self, node: usize) {
        for (number, call) in self.calls.iter_mut().enumerate() {
            if call.at == Some(node) {
                call.at = None;
                self.unanswered.push(number);
            }
        }
    }

    /// Somebody has read this.
    pub(crate) fn hear(&mut self, stream: StreamId, row: Row) {
        self.told.push((stream, row));
    }

    /// Whether everything that anybody has read is on the log.
    pub(crate) fn were_told_the_truth(&self, log: &Log) -> Result<(), String> {
        let on_log: std::collections::BTreeSet<_> =
            log.events.iter().map(|event| (event.stream, event.version, event.event.name())).collect();
        for (stream, (version, name)) in &self.told {
            if !on_log.contains(&(*stream, *version, *name)) {
                return Err(format!("somebody was told of {name} of {stream}, which is not on the log"));
            }
        }
        Ok(())
    }
}
