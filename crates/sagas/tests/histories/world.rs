//! The world: what may happen next, in any order.

use std::collections::HashSet;

use chrono::Duration;
use domain::{
    Actor, AggregateKind, AnyCommand, Class, Timestamp, derive_uuid,
    notification::{Notification, NotificationCommand},
    payment::{CaptureOutcome, PaymentCommand, RefundOutcome},
};
use orderstream_sagas::{
    Action, EffectCall,
    booking::Booking,
    cancellation::Cancellation,
    checkout::Checkout,
    completed,
    fulfilment::Fulfilment,
    loyalty::Loyalty,
    notifications::Notifications,
    payments::{Payments, charge_key, refund_key},
    returns::Returns,
    vouchers::Vouchers,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use uuid::Uuid;

use crate::{
    log::{Context, Log, State},
    manager::{Managed, Manager, Pending},
    people::People,
    provider::{Provider, Silence},
};

/// How many rounds all of it may take to come to its end.
const ROUNDS: usize = 2_000;

pub struct World {
    pub log: Log,
    pub now: Timestamp,
    pub rng: StdRng,
    pub provider: Provider,
    managers: Vec<Box<dyn Manager>>,
    people: People,
    /// Steps that were tried before.
    tried: HashSet<Uuid>,
    /// What was done, beside the log.
    diary: Vec<(usize, String)>,
}

impl World {
    fn managers() -> Vec<Box<dyn Manager>> {
        vec![
            Managed::<Checkout>::boxed(),
            Managed::<Payments>::boxed(),
            Managed::<Fulfilment>::boxed(),
            Managed::<Cancellation>::boxed(),
            Managed::<Returns>::boxed(),
            Managed::<Loyalty>::boxed(),
            Managed::<Booking>::boxed(),
            Managed::<Vouchers>::boxed(),
            Managed::<Notifications>::boxed(),
        ]
    }

    pub fn processes() -> Vec<&'static str> {
        Self::managers().iter().map(|manager| manager.name()).collect()
    }

    pub fn new(seed: u64, without: Option<&str>) -> Self {
        let mut managers = Self::managers();
        managers.retain(|manager| Some(manager.name()) != without);
        let mut world = Self {
            log: Log::default(),
            now: Timestamp::from_timestamp(1_767_225_600, 0).unwrap(),
            rng: StdRng::seed_from_u64(seed),
            provider: Provider::default(),
            managers,
            people: People::default(),
            tried: HashSet::new(),
            diary: Vec::new(),
        };
        People::open(&mut world);
        world
    }

    /// A history and its end.
    pub fn live(&mut self, turns: usize) -> Result<(), String> {
        for _ in 0..turns {
            match self.rng.random_range(0..100) {
                0..32 => self.somebody_reads(),
                32..70 => self.somebody_works()?,
                70..93 => self.somebody_acts(),
                93..96 => self.time_passes(),
                96..99 => self.somebody_dies(),
                _ => self.somebody_forgets(),
            }
            self.check()?;
        }
        self.come_to_rest()?;
        self.judge()
    }

    fn note(&mut self, what: impl Into<String>) {
        self.diary.push((self.log.events.len(), what.into()));
    }

    fn somebody_reads(&mut self) {
        let who = self.rng.random_range(0..self.managers.len());
        // Sometimes a whole batch.
        for _ in 0..*[1, 1, 1, 2, 5, 50].get(self.rng.random_range(0..6)).unwrap() {
            self.read(who);
        }
    }

    fn read(&mut self, who: usize) -> bool {
        let manager = &mut self.managers[who];
        let next = usize::try_from(manager.position()).unwrap();
        let Some(event) = self.log.events.get(next) else { return false };
        manager.read(event);
        true
    }

    fn somebody_works(&mut self) -> Result<(), String> {
        let busy: Vec<(usize, Uuid)> = self
            .managers
            .iter()
            .enumerate()
            .flat_map(|(who, manager)| manager.busy().into_iter().map(move |key| (who, key)))
            .collect();
        if busy.is_empty() {
            self.somebody_reads();
            return Ok(());
        }
        let (who, key) = busy[self.rng.random_range(0..busy.len())];
        self.work(who, key)
    }

    /// Does the next step of an instance, as the runner's worker does.
    fn work(&mut self, who: usize, key: Uuid) -> Result<(), String> {
        let (step, process) = (self.managers[who].step(key), self.managers[who].name());
        let (command, command_id) = match &step.action {
            Action::Command(command) => (command.clone(), step.command_id),
            Action::Effect(effect) => match self.call(effect, step.command_id) {
                Ok(Some(outcome)) => (outcome, derive_uuid(step.command_id, "outcome", "")),
                Ok(None) => {
                    self.managers[who].done(key);
                    return Ok(());
                }
                Err(Silence) => {
                    self.note(format!("{process}: {} is not answered", step.name));
                    return Ok(());
                }
            },
        };
        let context = Context {
            command_id,
            correlation_id: step.correlation_id,
            causation_id: Some(step.causation_id),
            actor: Actor::Process(process.to_owned()),
        };
        match self.log.give(&completed(command, self.now), context, self.now) {
            Ok(()) => self.managers[who].done(key),
            Err(refusal) if step.superseded_by.iter().any(|code| code == refusal.code) => {
                self.note(format!("{process}: {} is superseded: {}", step.name, refusal.code));
                self.managers[who].done(key);
            }
            Err(refusal) if matches!(refusal.class, Class::Transient | Class::Conflict) => {}
            Err(refusal) => return Err(stuck(process, key, &step, refusal.code, &refusal.message)),
        }
        Ok(())
    }

    /// Calls the outside; the outcome is a command to the log, or nothing is left to be said.
    fn call(&mut self, effect: &EffectCall, step: Uuid) -> Result<Option<AnyCommand>, Silence> {
        match effect {
            EffectCall::Charge { payment_id, attempt, amount, due_at, .. } => {
                let key = charge_key(*payment_id, *attempt);
                // Who has tried before asks first what became of it.
                let known = if self.tried.insert(step) {
                    None
                } else {
                    self.provider.look_up(&key, &mut self.rng)?
                };
                let charged = if let Some(known) = known {
                    known
                } else if self.now < *due_at {
                    self.provider.charge(&key, *amount, &mut self.rng)?
                } else {
                    self.provider.void(&key, &mut self.rng)?
                };
                let outcome = match charged {
                    Some(provider_ref) => CaptureOutcome::Captured { provider_ref },
                    None => CaptureOutcome::Declined { decline_code: "declined".to_owned() },
                };
                let command = PaymentCommand::RecordCapture { attempt: *attempt, outcome, at: self.now };
                Ok(Some(AnyCommand::Payment { id: *payment_id, command }))
            }
            EffectCall::Refund { payment_id, refund_id, attempt, amount, charge_ref } => {
                let key = refund_key(*refund_id, *attempt);
                let outcome = if self.provider.refund(&key, charge_ref, *amount, &mut self.rng)? {
                    RefundOutcome::Refunded { provider_ref: key }
                } else {
                    RefundOutcome::Failed { failure_code: "no".to_owned() }
                };
                let command =
                    PaymentCommand::RecordRefund { refund_id: *refund_id, attempt: *attempt, outcome };
                Ok(Some(AnyCommand::Payment { id: *payment_id, command }))
            }
            EffectCall::Deliver { notification_id, .. } => {
                let told = self.log.state(AggregateKind::Notification, notification_id.uuid());
                if let Some(State::Notification(Notification::Sent(_) | Notification::Failed(_))) = told {
                    return Ok(None);
                }
                let channel = "log".to_owned();
                let command = match self.rng.random_range(0..10) {
                    0 if !self.provider.calm => return Err(Silence),
                    1 => NotificationCommand::RecordFailed { channel, failure_code: "gone".to_owned() },
                    _ => NotificationCommand::RecordSent { channel },
                };
                Ok(Some(AnyCommand::Notification { id: *notification_id, command }))
            }
        }
    }

    fn somebody_acts(&mut self) {
        let mut people = std::mem::take(&mut self.people);
        let said = people.act(self);
        self.people = people;
        self.note(said);
    }

    fn time_passes(&mut self) {
        let timers = self.managers.iter().filter_map(|manager| manager.next_timer());
        let next = timers.min();
        self.now = match next {
            Some(due) if self.rng.random_bool(0.06) => due.max(self.now),
            _ => self.now + Duration::seconds(self.rng.random_range(1..40)),
        };
        self.note(format!("it is {}", self.now));
        // Each process looks at the clock when it comes to it.
        for manager in &mut self.managers {
            if self.rng.random_bool(0.7) {
                manager.fire(self.now);
            }
        }
    }

    fn somebody_dies(&mut self) {
        let who = self.rng.random_range(0..self.managers.len());
        self.managers[who].die();
        self.note(format!("{} dies", self.managers[who].name()));
    }

    fn somebody_forgets(&mut self) {
        let who = self.rng.random_range(0..self.managers.len());
        self.managers[who].lose_memory();
        self.note(format!("{} loses its memory", self.managers[who].name()));
    }

    fn check(&self) -> Result<(), String> {
        match self.log.audit.violated() {
            0 => Ok(()),
            violations => Err(format!("{violations} violations")),
        }
    }

    /// Nothing new is asked for, the provider answers, goods under way arrive, and time runs until no timer is left.
    fn come_to_rest(&mut self) -> Result<(), String> {
        self.note("from here on everything comes to its end");
        self.provider.calm = true;
        for _ in 0..ROUNDS {
            let mut quiet = true;
            for who in 0..self.managers.len() {
                while self.read(who) {
                    quiet = false;
                }
                for key in self.managers[who].busy() {
                    quiet = false;
                    self.work(who, key)?;
                    self.check()?;
                }
            }
            if !quiet {
                continue;
            }
            if People::finish(self) {
                continue;
            }
            let Some(due) = self.managers.iter().filter_map(|manager| manager.next_timer()).min() else {
                return Ok(());
            };
            self.now = self.now.max(due);
            for manager in &mut self.managers {
                manager.fire(self.now);
            }
        }
        Err(format!("it does not come to rest in {ROUNDS} rounds"))
    }

    /// Now everything must be settled.
    fn judge(&mut self) -> Result<(), String> {
        let mut wrong = Vec::new();
        let report = std::mem::take(&mut self.log.audit).finish();
        wrong.extend(report.violations.iter().map(ToString::to_string));
        wrong.extend(
            report
                .open
                .iter()
                .map(|open| format!("{} is open: {}: {}", open.subject, open.invariant, open.what)),
        );
        wrong.extend(self.managers.iter().flat_map(|manager| manager.waits()));
        let (books, log) = (self.provider.money(), self.log.money());
        if books != log {
            wrong.push(format!("the provider's books {books:?} are not the log's {log:?}"));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    /// The log, and between the events what was done.
    pub fn story(&self) -> String {
        let mut text = String::new();
        let mut diary = self.diary.iter().peekable();
        for (place, event) in self.log.events.iter().enumerate() {
            while let Some((_, said)) = diary.next_if(|(at, _)| *at <= place) {
                text += &format!("        - {said}\n");
            }
            let payload = String::from_utf8(event.event.encode()).unwrap();
            let short: String = payload.chars().take(160).collect();
            text += &format!(
                "{:>6} {} of {} by {}  {short}\n",
                event.position,
                event.event.name(),
                event.metadata.correlation_id,
                event.metadata.actor
            );
        }
        for (_, said) in diary {
            text += &format!("        - {said}\n");
        }
        let report = |violation: &domain::audit::Violation| format!("{violation}\n");
        let mut audit = domain::audit::Audit::new();
        self.log.events.iter().for_each(|event| audit.observe(event));
        text + &audit.finish().violations.iter().map(report).collect::<String>()
    }
}

fn stuck(process: &str, key: Uuid, step: &Pending, code: &str, message: &str) -> String {
    format!("{process} {key} is stuck at {}: {message} ({code})\n{:?}", step.name, step.action)
}
