//! Clients call nodes, and call again when they have no answer.

use domain::AnyCommand;
use rand::Rng;
use uuid::Uuid;

use crate::{
    clients::Call,
    faults::Fault,
    node::{Caller, Request},
    people::People,
    world::World,
};

impl World {
    /// A client gives a command to a node, under a key of its own.
    pub(crate) fn ask(&mut self, node: usize, correlation_id: Uuid, command: AnyCommand) {
        self.begin_call(node, correlation_id, command, false);
    }

    /// As [`World::ask`], by somebody who asks until there is an answer.
    pub(crate) fn insist(&mut self, node: usize, correlation_id: Uuid, command: AnyCommand) {
        self.begin_call(node, correlation_id, command, true);
    }

    fn begin_call(&mut self, node: usize, correlation_id: Uuid, command: AnyCommand, insists: bool) {
        let command_id = Uuid::from_u128(self.rng.random());
        let number = self.clients.calls.len();
        self.note(|| {
            let said: String = format!("{command:?}").chars().take(140).collect();
            format!("client {number} to node {node}: {said}")
        });
        self.clients.calls.push(Call { command, command_id, correlation_id, at: None, insists });
        self.call(node, number);
    }

    pub(crate) fn call(&mut self, node: usize, number: usize) {
        let call = &mut self.clients.calls[number];
        call.at = Some(node);
        let request = Request {
            command: call.command.clone(),
            command_id: call.command_id,
            correlation_id: call.correlation_id,
            causation_id: None,
            actor: People::actor(),
            at: self.nodes[node].now(self.now),
            caller: Caller::Client(number),
        };
        self.nodes[node].submit(request, &self.log, true);
    }

    /// Somebody who has no answer asks again, or somebody looks what became of a call.
    pub(crate) fn somebody_asks(&mut self) {
        let Some(node) = self.awake() else { return };
        if !self.clients.unanswered.is_empty() {
            let which = self.rng.random_range(0..self.clients.unanswered.len());
            let number = self.clients.unanswered.swap_remove(which);
            if self.rng.random_bool(0.8) || self.clients.calls[number].insists {
                self.faults.count(Fault::AnswerLost);
                self.note(|| format!("client {number} asks node {node} again"));
                self.call(node, number);
            }
        } else if !self.clients.calls.is_empty() {
            let which = self.rng.random_range(0..self.clients.calls.len());
            let stream = self.clients.calls[which].command.stream();
            if let Some(row) = self.view.row(stream) {
                self.clients.hear(stream, row);
            }
        }
    }
}
