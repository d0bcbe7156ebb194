//! Workers set to instances, and their moves.

use domain::Actor;
use rand::Rng;
use uuid::Uuid;

use crate::{
    node::{Caller, Request},
    worker::{Move, Surroundings, Worker},
    world::World,
};

/// What can be done of the process managers' work.
#[derive(Clone, Copy)]
enum Next {
    /// A worker is set to this instance.
    Begin(usize, Uuid),
    /// A worker makes a move.
    GoOn(u64),
}

impl World {
    pub(crate) fn somebody_works(&mut self) -> Result<(), String> {
        let awake: Vec<usize> = self.all_awake().collect();
        let mut choices = Vec::new();
        for node in awake.iter().copied() {
            for (who, department) in self.departments.iter().enumerate() {
                choices.extend(department.ready(node).into_iter().map(|key| (node, Next::Begin(who, key))));
            }
        }
        for node in awake {
            let workers = self.nodes[node].workers.iter().filter(|(_, worker)| !worker.is_waiting());
            choices.extend(workers.map(|(number, _)| (node, Next::GoOn(*number))));
        }
        if choices.is_empty() {
            self.somebody_reads();
            return Ok(());
        }
        match choices[self.rng.random_range(0..choices.len())] {
            (node, Next::Begin(who, key)) => {
                self.set_to_work(node, who, key);
                Ok(())
            }
            (node, Next::GoOn(number)) => self.work(node, number),
        }
    }

    pub(crate) fn set_to_work(&mut self, node: usize, who: usize, key: Uuid) {
        self.workers_begun += 1;
        let steps = self.departments[who].start(node, key, self.workers_begun);
        self.nodes[node].workers.insert(self.workers_begun, Worker::new(who, key, steps));
    }

    /// One move of a worker.
    pub(crate) fn work(&mut self, node: usize, number: u64) -> Result<(), String> {
        let now = self.nodes[node].now(self.now);
        let Some(mut worker) = self.nodes[node].workers.remove(&number) else { return Ok(()) };
        // Whoever has lost the instance begins no further step of it.
        if worker.is_between_steps() && !self.departments[worker.process].is_at(node, worker.key, number) {
            return Ok(());
        }
        let came = worker.go_on(Surroundings {
            node: &mut self.nodes[node],
            log: &self.log,
            provider: &mut self.provider,
            faults: &mut self.faults,
            rng: &mut self.rng,
            now,
            bug: self.bug,
        });
        self.nodes[node].workers.insert(number, worker);
        self.moved(node, number, came)
    }

    pub(crate) fn moved(&mut self, node: usize, number: u64, came: Move) -> Result<(), String> {
        let worker = &self.nodes[node].workers[&number];
        let (who, key, done) = (worker.process, worker.key, worker.done());
        match came {
            Move::On => Ok(()),
            Move::End { failed } => {
                let name = self.departments[who].name();
                if failed {
                    let step = worker.step().name.clone();
                    self.note(|| format!("{name} on node {node}: {step} is not answered"));
                }
                self.departments[who].report(node, key, number, done, failed);
                self.nodes[node].workers.remove(&number);
                Ok(())
            }
            Move::Give(command, command_id) => {
                let step = worker.step();
                let request = Request {
                    command: *command,
                    command_id,
                    correlation_id: step.correlation_id,
                    causation_id: Some(step.causation_id),
                    actor: Actor::Process(self.departments[who].name().to_owned()),
                    at: self.nodes[node].now(self.now),
                    caller: Caller::Worker(number),
                };
                self.nodes[node].submit(request, &self.log, true);
                Ok(())
            }
            Move::Stuck(why) => Err(format!("{} {key} is {why}", self.departments[who].name())),
        }
    }
}
