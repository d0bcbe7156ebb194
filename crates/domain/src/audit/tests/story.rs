//! Histories as they stand in a log, and what can be done to them that must not be.

use std::collections::HashMap;

use uuid::Uuid;

use crate::{
    Actor, AggregateId, Envelope, Event, Metadata, StreamId,
    audit::{Audit, Report},
    testing::at,
};

/// A history under way.
#[derive(Clone, Default)]
pub(super) struct Story {
    pub(super) events: Vec<Envelope>,
}

impl Story {
    /// Something happens to `id`, on account of the order or the reservation `subject`.
    pub(super) fn say(&mut self, id: impl AggregateId, subject: Uuid, event: impl Into<Event>) {
        let event = event.into();
        let number = self.events.len() as u64 + 1;
        let metadata = Metadata {
            event_id: Uuid::from_u128(u128::from(number)),
            command_id: Uuid::from_u128(u128::from(number) << 64),
            correlation_id: subject,
            causation_id: None,
            actor: Actor::System,
            recorded_at: at(0),
            traceparent: None,
        };
        let stream = StreamId::new(event.kind(), id.uuid());
        let version = 1 + self.events.iter().filter(|before| before.stream == stream).count() as u64;
        self.events.push(Envelope { position: number, stream, version, metadata, event });
    }

    /// The same without the n-th event (0 is the first) of this name.
    pub(super) fn without(mut self, name: &str, nth: usize) -> Self {
        let place = self.place(name, nth);
        self.events.remove(place);
        self.renumbered()
    }

    /// The same with the n-th event of this name once more, right behind it.
    pub(super) fn twice(mut self, name: &str, nth: usize) -> Self {
        let place = self.place(name, nth);
        let mut again = self.events[place].clone();
        again.metadata.event_id = Uuid::from_u128(1 << 100);
        again.metadata.command_id = Uuid::from_u128(1 << 101);
        self.events.insert(place + 1, again);
        self.renumbered()
    }

    /// The same with another n-th event of this name.
    pub(super) fn with(mut self, name: &str, nth: usize, change: impl FnOnce(&mut Envelope)) -> Self {
        let place = self.place(name, nth);
        change(&mut self.events[place]);
        self
    }

    /// Only what happens before the n-th event of this name.
    pub(super) fn until(mut self, name: &str, nth: usize) -> Self {
        let place = self.place(name, nth);
        self.events.truncate(place);
        self
    }

    fn place(&self, name: &str, nth: usize) -> usize {
        let mut places = self.events.iter().enumerate().filter(|(_, event)| event.event.name() == name);
        places.nth(nth).unwrap_or_else(|| panic!("there is no {name} number {nth}")).0
    }

    fn renumbered(mut self) -> Self {
        let mut versions: HashMap<StreamId, u64> = HashMap::new();
        for (place, event) in self.events.iter_mut().enumerate() {
            event.position = place as u64 + 1;
            let version = versions.entry(event.stream).or_default();
            *version += 1;
            event.version = *version;
        }
        self
    }

    pub(super) fn audit(&self) -> Report {
        let mut audit = Audit::new();
        self.events.iter().for_each(|event| audit.observe(event));
        let so_far = audit.violated();
        let report = audit.finish();
        assert!(so_far <= report.violated(), "{so_far} before the end, {} at it", report.violated());
        report
    }

    /// Nothing is wrong with it, and so many things are under way.
    #[track_caller]
    pub(super) fn is_good(&self, open: usize) {
        let report = self.audit();
        assert!(report.is_clean(), "{:#?}", report.violations);
        assert_eq!(report.open.len(), open, "{:#?}", report.open);
        assert_eq!(report.invariants.iter().map(|invariant| invariant.open).sum::<u64>(), open as u64);
    }

    /// The audit finds that this invariant does not hold.
    #[track_caller]
    pub(super) fn violates(&self, invariant: &str) {
        let report = self.audit();
        let found: Vec<String> = report.violations.iter().map(ToString::to_string).collect();
        assert!(
            report.violations.iter().any(|violation| violation.invariant == invariant),
            "{invariant} is not found to be violated; found: {found:#?}"
        );
    }
}
