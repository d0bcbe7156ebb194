//! What breaks at any moment, whatever is under way.

use chrono::Duration;
use rand::Rng;

use crate::{faults::Fault, leases::TTL, world::World};

impl World {
    pub(crate) fn something_breaks(&mut self) {
        let faults = [
            Fault::NodeCrash,
            Fault::NodeStop,
            Fault::Pause,
            Fault::MemoryLoss,
            Fault::ClockBack,
            Fault::ClockAhead,
        ];
        for fault in faults {
            if self.faults.strikes(fault, &mut self.rng) {
                let node = self.rng.random_range(0..self.nodes.len());
                self.breaks(fault, node);
            }
        }
    }

    fn breaks(&mut self, fault: Fault, node: usize) {
        let paused = self.nodes[node].paused_until > self.turn;
        match fault {
            Fault::NodeCrash => {
                self.faults.count(fault);
                self.crash(node, "");
            }
            Fault::NodeStop if !paused => {
                self.faults.count(fault);
                for department in &mut self.departments {
                    department.leave(node);
                }
                self.crash(node, "having given its work away");
            }
            Fault::Pause if !paused => {
                self.faults.count(fault);
                self.nodes[node].paused_until = self.turn + TTL + self.rng.random_range(0..TTL);
                self.note(|| format!("node {node} stands still"));
            }
            Fault::MemoryLoss => {
                self.faults.count(fault);
                let who = self.rng.random_range(0..self.departments.len());
                self.departments[who].lose_memory();
                let name = self.departments[who].name();
                self.note(|| format!("{name} loses its memory"));
            }
            // Counted where it shows.
            Fault::ClockBack => {
                self.nodes[node].offset -= Duration::seconds(self.rng.random_range(60..4_000));
                self.note(|| format!("the clock of node {node} is set back"));
            }
            Fault::ClockAhead => {
                self.nodes[node].offset += Duration::seconds(self.rng.random_range(60..4_000));
                self.note(|| format!("the clock of node {node} is put forward"));
            }
            _ => {}
        }
    }

    /// A node dies and comes back with what is stored.
    pub(crate) fn crash(&mut self, node: usize, when: &str) {
        let head = self.log.len();
        self.note(|| format!("node {node} dies {when}"));
        self.nodes[node].crash(head);
        for department in &mut self.departments {
            department.forget(node);
        }
        self.view.forget(node);
        self.clients.lose_node(node);
    }
}
