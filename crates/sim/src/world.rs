//! The world: what may happen next, in any order, drawn from one seed.

use chrono::Duration;
use domain::Timestamp;
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::{
    bug::Bug,
    clients::Clients,
    department::{self, Department},
    faults::{Fault, Faults},
    log::Log,
    node::{Answer, Caller, Node, Reply},
    people::People,
    provider::Provider,
    runner::{Fate, Stored},
    story::Story,
    view::View,
};

/// What is told.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What everything is drawn from.
    pub seed: u64,
    /// How many things happen before people go home and everything comes to its end.
    pub turns: usize,
    /// A mistake planted on purpose.
    pub bug: Option<Bug>,
    /// A process manager that does not run.
    pub without: Option<&'static str>,
    /// Whether to write down what happens beside the log.
    pub diary: bool,
}

/// An event that comes so many steps after it was written comes late.
const LATE: u64 = 100;

pub(crate) struct World {
    pub(crate) log: Log,
    /// The true time; every node has a clock of its own.
    pub(crate) now: Timestamp,
    pub(crate) rng: StdRng,
    pub(crate) faults: Faults,
    pub(crate) provider: Provider,
    pub(crate) nodes: Vec<Node>,
    pub(crate) departments: Vec<Box<dyn Department>>,
    pub(crate) view: View,
    pub(crate) clients: Clients,
    people: People,
    pub(crate) turn: u64,
    /// The step at which each event was written.
    written: Vec<u64>,
    /// Until which step a node reads nothing for a process manager.
    delayed: Vec<Vec<u64>>,
    pub(crate) workers_begun: u64,
    pub(crate) bug: Option<Bug>,
    pub(crate) story: Story,
    turns: usize,
}

impl World {
    pub(crate) fn new(setup: &Setup) -> Self {
        let mut rng = StdRng::seed_from_u64(setup.seed);
        let faults = Faults::new(&mut rng);
        let nodes = rng.random_range(2..=3);
        let mut departments = department::all(nodes, setup.bug);
        departments.retain(|department| Some(department.name()) != setup.without);
        let mut world = Self {
            log: Log::new(setup.bug, StdRng::seed_from_u64(!setup.seed)),
            now: Timestamp::from_timestamp(1_767_225_600, 0).unwrap_or_default(),
            rng,
            faults,
            provider: Provider::default(),
            nodes: (0..nodes).map(|_| Node::new()).collect(),
            delayed: vec![vec![0; departments.len()]; nodes],
            departments,
            view: View::new(nodes, setup.bug),
            clients: Clients::default(),
            people: People::default(),
            turn: 0,
            written: Vec::new(),
            workers_begun: 0,
            bug: setup.bug,
            story: Story::new(setup.diary),
            turns: setup.turns,
        };
        for node in 0..nodes {
            world.share(node);
        }
        People::open(&mut world);
        world
    }

    /// A history and its end.
    pub(crate) fn live(&mut self) -> Result<(), String> {
        self.send(0)?;
        self.faults.calm = false;
        for _ in 0..self.turns {
            self.turn += 1;
            self.go_on()?;
            self.check()?;
        }
        self.come_to_rest()?;
        self.judge()
    }

    fn go_on(&mut self) -> Result<(), String> {
        self.something_breaks();
        match self.rng.random_range(0..100) {
            0..21 => self.somebody_reads(),
            21..24 => self.the_view_reads(),
            24..28 => self.somebody_tails(),
            28..42 => self.somebody_sends()?,
            42..70 => self.somebody_works()?,
            70..88 => self.somebody_acts(),
            88..90 => self.somebody_asks(),
            90..93 => self.time_passes(),
            93..97 => {
                if let Some(node) = self.awake() {
                    self.share(node);
                }
            }
            97..98 => self.somebody_stores(),
            _ => {
                if let Some(said) = self.provider.late_one_arrives(&mut self.faults, &mut self.rng) {
                    self.note(|| said);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        self.story.note(self.log.events.len(), what);
    }

    /// A node that does not stand still.
    pub(crate) fn awake(&mut self) -> Option<usize> {
        let awake: Vec<usize> = self.all_awake().collect();
        (!awake.is_empty()).then(|| awake[self.rng.random_range(0..awake.len())])
    }

    pub(crate) fn all_awake(&self) -> impl Iterator<Item = usize> {
        let turn = self.turn;
        self.nodes.iter().enumerate().filter(move |(_, node)| node.paused_until <= turn).map(|(n, _)| n)
    }

    /// Nothing may be wrong, at any step.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        self.log.keeps_new_promises()?;
        let of_stores = self.departments.iter().flat_map(|department| department.wrong());
        if let Some(wrong) = of_stores.chain(&self.view.wrong).chain(&self.provider.wrong).next() {
            return Err(wrong.clone());
        }
        match self.log.audit.violated() {
            0 => Ok(()),
            _ => Err(self.story.violations(&self.log.events)),
        }
    }

    pub(crate) fn somebody_reads(&mut self) {
        let Some(node) = self.awake() else { return };
        let who = self.rng.random_range(0..self.departments.len());
        if self.delayed[node][who] > self.turn {
            return;
        }
        if self.delayed[node][who] == 0 && self.faults.strikes(Fault::LateDelivery, &mut self.rng) {
            self.delayed[node][who] = self.turn + LATE + self.rng.random_range(0..LATE);
            return;
        }
        // Sometimes a whole batch.
        let most = [1, 1, 2, 5, 50][self.rng.random_range(0..5)];
        self.read(node, who, most);
    }

    /// Reads for a process manager. Tells whether there was anything.
    pub(crate) fn read(&mut self, node: usize, who: usize, most: usize) -> bool {
        let Some(at) = self.departments[who].reading(node) else { return false };
        let mut first = usize::try_from(at).unwrap_or(usize::MAX);
        if first >= self.log.events.len() {
            return false;
        }
        let delayed = std::mem::take(&mut self.delayed[node][who]);
        if delayed > 0 && self.written[first] + LATE <= self.turn {
            self.faults.count(Fault::LateDelivery);
        }
        let end = self.log.events.len().min(first.saturating_add(most));
        if self.faults.strikes(Fault::DuplicateDelivery, &mut self.rng) {
            first = first.saturating_sub(self.rng.random_range(1..6));
        }
        let fate = self.fate();
        let from = first as u64 + 1;
        let (stored, again) = self.departments[who].read(node, from, &self.log.events[first..end], fate);
        for _ in 0..again {
            self.faults.count(Fault::DuplicateDelivery);
        }
        self.stored(node, who, fate, stored);
        true
    }

    fn fate(&mut self) -> Fate {
        if self.faults.strikes(Fault::CrashBeforeStore, &mut self.rng) {
            Fate::CrashBefore
        } else if self.faults.strikes(Fault::CrashAfterStore, &mut self.rng) {
            Fate::CrashAfter
        } else {
            Fate::Written
        }
    }

    fn stored(&mut self, node: usize, who: usize, fate: Fate, stored: Stored) {
        match stored {
            Stored::Nothing | Stored::Written => {}
            Stored::Fenced => {
                self.faults.count(Fault::FencedWrite);
                let name = self.departments.get(who).map_or("the view", |department| department.name());
                self.note(|| format!("node {node} is fenced: it does no work of {name} any more"));
            }
            Stored::Crashed => {
                let before = fate == Fate::CrashBefore;
                self.faults.count(if before { Fault::CrashBeforeStore } else { Fault::CrashAfterStore });
                self.crash(node, if before { "before it has stored" } else { "when it has stored" });
            }
        }
    }

    fn the_view_reads(&mut self) {
        if let Some(node) = self.awake() {
            let most = [1, 5, 50][self.rng.random_range(0..3)];
            self.fold(node, most);
        }
    }

    pub(crate) fn fold(&mut self, node: usize, most: usize) -> bool {
        let Some(at) = self.view.reading(node) else { return false };
        let first = usize::try_from(at).unwrap_or(usize::MAX);
        if first >= self.log.events.len() {
            return false;
        }
        let end = self.log.events.len().min(first.saturating_add(most));
        let fate = self.fate();
        let stored = self.view.read(node, &self.log.events[first..end], fate);
        self.stored(node, usize::MAX, fate, stored);
        true
    }

    fn somebody_tails(&mut self) {
        if let Some(node) = self.awake() {
            let most = [1, 5, 500][self.rng.random_range(0..3)];
            self.nodes[node].tail(&self.log, most);
        }
    }

    fn somebody_sends(&mut self) -> Result<(), String> {
        let waiting: Vec<usize> = self.all_awake().filter(|node| self.nodes[*node].is_waiting()).collect();
        if waiting.is_empty() {
            self.somebody_reads();
            return Ok(());
        }
        let node = waiting[self.rng.random_range(0..waiting.len())];
        self.send(node)
    }

    /// Sends a node's batch to the log, and hands on the answers.
    pub(crate) fn send(&mut self, node: usize) -> Result<(), String> {
        let (faults, rng) = (&mut self.faults, &mut self.rng);
        if faults.strikes(Fault::CrashBeforeAppend, rng) {
            faults.count(Fault::CrashBeforeAppend);
            self.crash(node, "before it has sent its batch");
            return Ok(());
        }
        let reply = if faults.strikes(Fault::OutcomeUnknownNotWritten, rng) {
            faults.count(Fault::OutcomeUnknownNotWritten);
            Reply::SilentNotWritten
        } else if faults.strikes(Fault::OutcomeUnknownWritten, rng) {
            Reply::SilentWritten
        } else {
            Reply::Answers
        };
        let before = self.log.events.len();
        let flushed = self.nodes[node].flush(&mut self.log, reply);
        self.written.resize(self.log.events.len(), self.turn);
        self.look_at_the_clock(before);
        let wrote = self.log.events.len() > before;
        if wrote && reply == Reply::SilentWritten {
            self.faults.count(Fault::OutcomeUnknownWritten);
        }
        if reply != Reply::Answers {
            self.note(|| format!("the log does not answer node {node}"));
        }
        (0..flushed.repeated).for_each(|_| self.faults.count(Fault::CommandRepeated));
        (0..flushed.conflicts).for_each(|_| self.faults.count(Fault::VersionConflict));
        if wrote && reply == Reply::Answers && self.faults.strikes(Fault::CrashAfterAppend, &mut self.rng) {
            self.faults.count(Fault::CrashAfterAppend);
            self.crash(node, "when its batch is written");
            return Ok(());
        }
        flushed.answers.into_iter().try_for_each(|(caller, answer)| self.tell(node, caller, answer))
    }

    /// Notes where time went back on the log, by more than it takes a command to be written.
    fn look_at_the_clock(&mut self, from: usize) {
        for at in from.max(1)..self.log.events.len() {
            let [before, now] = [at - 1, at].map(|at| self.log.events[at].metadata.recorded_at);
            if before - now > Duration::seconds(60) {
                self.faults.count(Fault::ClockBack);
            }
            if matches!(self.log.events[at].event.name(), "payment.late_capture_found") {
                self.faults.count(Fault::LateCapture);
            }
        }
    }

    fn tell(&mut self, node: usize, caller: Caller, answer: Answer) -> Result<(), String> {
        match caller {
            Caller::Client(number) => {
                self.clients.calls[number].at = None;
                if self.faults.strikes(Fault::AnswerLost, &mut self.rng) {
                    self.clients.unanswered.push(number);
                } else if let Answer::Refused(refusal) = answer {
                    self.note(|| format!("client {number} is refused: {}", refusal.code));
                }
                Ok(())
            }
            Caller::Worker(number) => {
                let Some(worker) = self.nodes[node].workers.get_mut(&number) else { return Ok(()) };
                let came = worker.answered(answer);
                self.moved(node, number, came)
            }
        }
    }

    fn somebody_acts(&mut self) {
        let Some(node) = self.awake() else { return };
        let mut people = std::mem::take(&mut self.people);
        people.act(self, node);
        self.people = people;
    }

    fn time_passes(&mut self) {
        let next = self.departments.iter().filter_map(|department| department.next_timer()).min();
        self.now = match next {
            Some(due) if self.rng.random_bool(0.06) => due.max(self.now),
            _ => self.now + Duration::seconds(self.rng.random_range(1..40)),
        };
        let now = self.now;
        self.note(|| format!("it is {now}"));
        // Each process looks at its clock when it comes to it.
        for node in self.all_awake().collect::<Vec<_>>() {
            for who in 0..self.departments.len() {
                if self.rng.random_bool(0.7) && self.nodes[node].paused_until <= self.turn {
                    self.fire(node, who);
                }
            }
        }
    }

    pub(crate) fn fire(&mut self, node: usize, who: usize) {
        let (now, fate) = (self.nodes[node].now(self.now), self.fate());
        let (stored, early) = self.departments[who].fire(node, now, self.now, fate);
        (0..early).for_each(|_| self.faults.count(Fault::ClockAhead));
        self.stored(node, who, fate, stored);
    }

    fn somebody_stores(&mut self) {
        let Some(node) = self.awake() else { return };
        let who = self.rng.random_range(0..self.departments.len());
        let stored = self.departments[who].flush(node);
        self.stored(node, who, Fate::Written, stored);
    }

    /// A node looks what is its own.
    pub(crate) fn share(&mut self, node: usize) {
        for who in 0..self.departments.len() {
            let shared = self.departments[who].share(node, self.turn);
            (0..shared.taken).for_each(|_| self.faults.count(Fault::LeaseTaken));
            if shared.fenced {
                self.stored(node, who, Fate::Written, Stored::Fenced);
            }
        }
        if self.view.share(node, self.turn) {
            self.faults.count(Fault::LeaseTaken);
        }
    }
}
