//! A history: commands decided in memory by the real aggregates, with the events that they led to.

use std::{any::Any, collections::HashMap, sync::Arc};

use domain::{
    Actor, Aggregate, AggregateId, AnyCommand, Envelope, Event, Outcome, StreamId, Timestamp, Version,
    coupon::Coupon, delivery::Delivery, notification::Notification, order::Order, payment::Payment,
    product::Product, refund::Refund, reservation::Reservation, resort::Resort, shop::Shop, voucher::Voucher,
};
use eventlog::{CommandContext, Commit, EncodedCommit, NewEvent};
use uuid::Uuid;

/// A command with everything that its caller gives.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) command: AnyCommand,
    pub(crate) context: CommandContext,
}

/// What was done, and what came of it.
#[derive(Default)]
pub(crate) struct History {
    pub(crate) acts: Vec<Act>,
    pub(crate) commits: Vec<Commit>,
    states: HashMap<StreamId, (Version, Box<dyn Any + Send>)>,
    ticks: i64,
}

impl History {
    /// The time, which goes on by 1.5 milliseconds with every command.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_timestamp_micros(1_767_225_600_000_000 + self.ticks * 1_500).unwrap()
    }

    /// An id that no other history step has.
    fn id(&self, kind: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{kind} {}", self.ticks).as_bytes())
    }

    /// Decides a command, which must not be refused.
    pub(crate) fn act(&mut self, actor: Actor, correlation_id: Uuid, command: AnyCommand) {
        self.ticks += 1;
        let context = CommandContext {
            command_id: self.id("command"),
            correlation_id,
            causation_id: None,
            actor,
            at: self.now(),
            traceparent: None,
        };
        self.acts.push(Act { command: command.clone(), context: context.clone() });
        match command {
            AnyCommand::Shop { id, command } => self.decide::<Shop>(&id, &command, context),
            AnyCommand::Product { id, command } => self.decide::<Product>(&id, &command, context),
            AnyCommand::Order { id, command } => self.decide::<Order>(&id, &command, context),
            AnyCommand::Payment { id, command } => self.decide::<Payment>(&id, &command, context),
            AnyCommand::Delivery { id, command } => self.decide::<Delivery>(&id, &command, context),
            AnyCommand::Notification { id, command } => self.decide::<Notification>(&id, &command, context),
            AnyCommand::Refund { id, command } => self.decide::<Refund>(&id, &command, context),
            AnyCommand::Coupon { id, command } => self.decide::<Coupon>(&id, &command, context),
            AnyCommand::Resort { id, command } => self.decide::<Resort>(&id, &command, context),
            AnyCommand::Reservation { id, command } => self.decide::<Reservation>(&id, &command, context),
            AnyCommand::Voucher { id, command } => self.decide::<Voucher>(&id, &command, context),
        }
    }

    fn decide<A: Aggregate>(&mut self, id: &A::Id, command: &<A as Aggregate>::Command, ctx: CommandContext) {
        let stream = StreamId::new(A::KIND, id.uuid());
        let (mut version, mut state) = match self.states.remove(&stream) {
            Some((version, state)) => (version, *state.downcast::<A>().unwrap()),
            None => (0, A::default()),
        };
        let decided =
            state.decide(command).unwrap_or_else(|error| panic!("{command:?} was refused: {error}"));
        let Outcome::Executed(events) = decided else {
            self.states.insert(stream, (version, Box::new(state)));
            return;
        };
        events.iter().for_each(|event| state.evolve(event));
        let expected_version = version;
        version += events.len() as Version;
        let new = |(ordinal, event): (usize, <A as Aggregate>::Event)| {
            let event: Event = event.into();
            NewEvent { event_id: self.id(&format!("event {ordinal}")), event }
        };
        let events = events.into_iter().enumerate().map(new).collect();
        self.commits.push(Commit {
            stream,
            expected_version,
            events,
            command_id: ctx.command_id,
            correlation_id: ctx.correlation_id,
            causation_id: None,
            actor: ctx.actor,
            recorded_at: ctx.at,
            traceparent: None,
        });
        self.states.insert(stream, (version, Box::new(state)));
    }

    /// The events as a log would give them.
    pub(crate) fn envelopes(&self) -> Vec<Arc<Envelope>> {
        let mut events: Vec<Arc<Envelope>> = Vec::new();
        for commit in &self.commits {
            let last = (events.len() + commit.events.len()) as u64;
            events.extend(EncodedCommit::new(commit.clone()).into_envelopes(last));
        }
        events
    }
}
