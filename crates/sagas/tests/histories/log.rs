//! The log in memory: real aggregates decide, and the audit reads along.

use std::collections::{BTreeMap, HashMap, HashSet};

use domain::{
    Actor, Aggregate, AggregateKind, AnyCommand, Class, Classified, Envelope, Event, Metadata, Outcome,
    StreamId, Timestamp, audit::Audit, coupon::Coupon, delivery::Delivery, derive_uuid,
    notification::Notification, order::Order, payment::Payment, product::Product, refund::Refund,
    reservation::Reservation, resort::Resort, shop::Shop, voucher::Voucher,
};
use uuid::Uuid;

/// Why a command was refused.
#[derive(Debug)]
pub struct Refusal {
    pub code: &'static str,
    pub class: Class,
    pub message: String,
}

/// Who gives a command, and on account of what.
pub struct Context {
    pub command_id: Uuid,
    pub correlation_id: Uuid,
    pub causation_id: Option<Uuid>,
    pub actor: Actor,
}

macro_rules! aggregates {
    ($($kind:ident),*) => {
        /// Where a stream stands.
        #[derive(Clone, Debug)]
        pub enum State { $($kind($kind)),* }

        impl State {
            fn absent(kind: AggregateKind) -> Self {
                match kind { $(AggregateKind::$kind => Self::$kind($kind::default())),* }
            }
            fn decide(&self, command: &AnyCommand) -> Result<Vec<Event>, Refusal> {
                match (self, command) {
                    $((Self::$kind(state), AnyCommand::$kind { command, .. }) => decided(state, command),)*
                    _ => panic!("a command for another aggregate"),
                }
            }
            fn evolve(&mut self, event: &Event) {
                match (self, event) {
                    $((Self::$kind(state), Event::$kind(event)) => Aggregate::evolve(state, event),)*
                    _ => panic!("an event of another aggregate"),
                }
            }
        }
    };
}
aggregates!(
    Shop,
    Product,
    Order,
    Payment,
    Delivery,
    Notification,
    Refund,
    Coupon,
    Resort,
    Reservation,
    Voucher
);

fn decided<A: Aggregate>(state: &A, command: &<A as Aggregate>::Command) -> Result<Vec<Event>, Refusal> {
    match Aggregate::decide(state, command) {
        Ok(Outcome::Executed(events)) => Ok(events.into_iter().map(Into::into).collect()),
        Ok(Outcome::AlreadyApplied) => Ok(Vec::new()),
        Err(error) => Err(Refusal { code: error.code(), class: error.class(), message: error.to_string() }),
    }
}

struct Stream {
    version: u64,
    state: State,
    commands: HashSet<Uuid>,
}

#[derive(Default)]
pub struct Log {
    pub events: Vec<Envelope>,
    streams: HashMap<StreamId, Stream>,
    pub audit: Audit,
}

impl Log {
    /// Carries out a command, once.
    pub fn give(&mut self, command: &AnyCommand, context: Context, now: Timestamp) -> Result<(), Refusal> {
        let id = command.stream();
        let new = || Stream { version: 0, state: State::absent(id.kind), commands: HashSet::new() };
        let stream = self.streams.entry(id).or_insert_with(new);
        if stream.commands.contains(&context.command_id) {
            return Ok(());
        }
        let events = stream.state.decide(command)?;
        if !events.is_empty() {
            stream.commands.insert(context.command_id);
        }
        for (ordinal, event) in events.into_iter().enumerate() {
            stream.state.evolve(&event);
            stream.version += 1;
            let metadata = Metadata {
                event_id: derive_uuid(context.command_id, "event", &format!("{id}/{ordinal}")),
                command_id: context.command_id,
                correlation_id: context.correlation_id,
                causation_id: context.causation_id,
                actor: context.actor.clone(),
                recorded_at: now,
                traceparent: None,
            };
            let position = self.events.len() as u64 + 1;
            let envelope = Envelope { position, stream: id, version: stream.version, metadata, event };
            self.audit.observe(&envelope);
            self.events.push(envelope);
        }
        Ok(())
    }

    /// Where a stream stands, if anything was ever asked of it.
    pub fn state(&self, kind: AggregateKind, id: Uuid) -> Option<&State> {
        self.streams.get(&StreamId::new(kind, id)).map(|stream| &stream.state)
    }

    /// What each payment has captured and refunded.
    pub fn money(&self) -> BTreeMap<String, (i64, i64)> {
        use domain::payment::PaymentEvent;
        let mut money: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for event in &self.events {
            let Event::Payment(payment) = &event.event else { continue };
            let (captured, refunded) = match payment {
                PaymentEvent::PaymentCaptured(e) => (e.amount.amount_minor, 0),
                PaymentEvent::LateCaptureFound(e) => (e.amount.amount_minor, 0),
                PaymentEvent::PaymentRefunded(e) => (0, e.amount.amount_minor),
                _ => continue,
            };
            let sum = money.entry(event.stream.id.to_string()).or_default();
            *sum = (sum.0 + captured, sum.1 + refunded);
        }
        money.retain(|_, sum| *sum != (0, 0));
        money
    }
}
