//! The end of a history: everything comes to rest, and is judged.

use domain::audit::Audit;

use crate::{people::People, world::World};

/// How many rounds all of it may take to come to its end.
const ROUNDS: usize = 5_000;

impl World {
    /// Nothing new is asked for, nothing breaks, the provider answers, goods under way arrive, and time runs until no timer
    /// is left.
    pub(crate) fn come_to_rest(&mut self) -> Result<(), String> {
        self.note(|| "from here on everything comes to its end".to_owned());
        self.faults.calm = true;
        for node in &mut self.nodes {
            node.paused_until = 0;
            node.offset = chrono::Duration::zero();
        }
        for number in std::mem::take(&mut self.clients.unanswered) {
            if self.clients.calls[number].insists {
                self.call(0, number);
            }
        }
        for _ in 0..ROUNDS {
            self.turn += 1;
            while self.provider.late_one_arrives(&mut self.faults, &mut self.rng).is_some() {}
            let mut quiet = true;
            for node in 0..self.nodes.len() {
                quiet &= !self.goes_on(node)?;
                self.check()?;
            }
            if !quiet || People::finish(self) {
                continue;
            }
            for who in 0..self.departments.len() {
                for node in 0..self.nodes.len() {
                    self.departments[who].flush(node);
                }
            }
            let timers = self.departments.iter().filter_map(|department| department.next_timer());
            let Some(due) = timers.min() else { return Ok(()) };
            self.now = self.now.max(due);
            for node in 0..self.nodes.len() {
                (0..self.departments.len()).for_each(|who| self.fire(node, who));
            }
        }
        Err(format!("it does not come to rest in {ROUNDS} rounds"))
    }

    /// Everything that a node can do now. Tells whether there was anything.
    fn goes_on(&mut self, node: usize) -> Result<bool, String> {
        let mut busy = false;
        self.share(node);
        self.nodes[node].tail(&self.log, usize::MAX);
        if self.nodes[node].is_waiting() {
            busy = true;
            self.send(node)?;
        }
        for who in 0..self.departments.len() {
            while self.read(node, who, usize::MAX) {
                busy = true;
            }
            for key in self.departments[who].ready(node) {
                busy = true;
                self.set_to_work(node, who, key);
            }
        }
        let workers = self.nodes[node].workers.iter().filter(|(_, worker)| !worker.is_waiting());
        for number in workers.map(|(number, _)| *number).collect::<Vec<_>>() {
            busy = true;
            self.work(node, number)?;
        }
        while self.fold(node, usize::MAX) {
            busy = true;
        }
        Ok(busy)
    }

    /// Now everything must be settled.
    pub(crate) fn judge(&mut self) -> Result<(), String> {
        let mut wrong = Vec::new();
        let report = std::mem::replace(&mut self.log.audit, Audit::new()).finish();
        wrong.extend(report.violations.iter().map(ToString::to_string));
        let open = |open: &domain::audit::OpenWork| {
            format!("{} is open: {}: {}", open.subject, open.invariant, open.what)
        };
        wrong.extend(report.open.iter().map(open));
        wrong.extend(self.departments.iter().flat_map(|department| department.waits()));
        let (books, log) = (self.provider.money(), self.log.money());
        if books != log {
            wrong.push(format!("the provider's books {books:?} are not the log's {log:?}"));
        }
        wrong.extend(self.log.keeps_promises().err());
        wrong.extend(self.clients.were_told_the_truth(&self.log).err());
        if *self.view.rows() != self.log.ends() {
            wrong.push("the view's rows are not what the log leads to".to_owned());
        }
        // What an invariant keeps may stand in any order.
        wrong.sort();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }
}
