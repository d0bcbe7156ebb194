//! What a process manager is: a pure function from its state and an input to its next state and what is to be done.

use chrono::Duration;
use domain::{
    AnyCommand, ContactId, CustomerId, Envelope, Money, NotificationId, NotifiedChange, PaymentId, RefundId,
    ShopId, Subject, Timestamp, VoucherId,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// What a process reacts to.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// An event of the log.
    Event(&'a Envelope),
    /// A timer that the instance has set.
    Timer {
        /// Which of its timers.
        name: &'a str,
        /// When it was due.
        due_at: Timestamp,
    },
}

/// A call to the outside. Its outcome comes back as a command to our own log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum EffectCall {
    /// Ask the provider for money, under the key `payment_id:attempt`. After `due_at` the key is voided instead.
    Charge {
        /// Which payment.
        payment_id: PaymentId,
        /// Which attempt.
        attempt: u32,
        /// How much.
        amount: Money,
        /// Where the payment token stands.
        method: ContactId,
        /// After this nothing new is charged.
        due_at: Timestamp,
    },
    /// Ask the provider to give money back, under the key `refund_id:attempt`.
    Refund {
        /// Which payment.
        payment_id: PaymentId,
        /// Which refund.
        refund_id: RefundId,
        /// Which attempt.
        attempt: u32,
        /// How much.
        amount: Money,
        /// The charge it is taken from.
        charge_ref: String,
    },
    /// Hand a message to the channel.
    Deliver {
        /// Which notification.
        notification_id: NotificationId,
        /// About what.
        #[serde(flatten)]
        subject: Subject,
        /// Whom.
        customer_id: CustomerId,
        /// Of which shop; none for a reservation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shop_id: Option<ShopId>,
        /// Of what.
        change: NotifiedChange,
        /// The voucher that it brings. Its code is read when the message is handed over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        voucher_id: Option<VoucherId>,
    },
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Give a command to an aggregate.
    Command(AnyCommand),
    /// Call the outside.
    Effect(EffectCall),
}

/// One thing to be done. Steps of an instance are done in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its written name, such as `release_stock/<product>`: part of the command's id, so never an ordinal.
    pub name: String,
    /// What it does.
    pub action: Action,
    /// Error codes that mean "overtaken by something else": the step counts as done.
    pub superseded_by: Vec<String>,
}

/// A timer set or cleared.
#[derive(Clone, Debug, PartialEq)]
pub struct TimerChange {
    /// Which of the instance's timers.
    pub name: String,
    /// When it is due; none clears it.
    pub due_at: Option<Timestamp>,
}

/// What an open instance waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaiting {
    /// The event or events, in words an operator knows.
    pub what: String,
    /// When a timer ends the waiting, if one does.
    pub deadline: Option<Timestamp>,
}

impl Awaiting {
    /// Waits for `what`, without a deadline.
    pub fn for_event(what: impl Into<String>) -> Option<Self> {
        Some(Self { what: what.into(), deadline: None })
    }

    /// Waits for `what` until `deadline`.
    pub fn until(what: impl Into<String>, deadline: Timestamp) -> Option<Self> {
        Some(Self { what: what.into(), deadline: Some(deadline) })
    }
}

/// What an input leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct Reaction<S> {
    /// The next state; none when the input means nothing to the instance.
    pub next: Option<S>,
    /// What is to be done, in order.
    pub steps: Vec<Step>,
    /// Timers set and cleared.
    pub timers: Vec<TimerChange>,
}

/// The input means nothing here.
#[must_use]
pub fn ignore<S>() -> Reaction<S> {
    Reaction { next: None, steps: Vec::new(), timers: Vec::new() }
}

/// Goes on to `next`.
#[must_use]
pub fn go<S>(next: S) -> Reaction<S> {
    Reaction { next: Some(next), steps: Vec::new(), timers: Vec::new() }
}

impl<S> Reaction<S> {
    /// Adds a command.
    #[must_use]
    pub fn send(mut self, name: impl Into<String>, command: AnyCommand) -> Self {
        self.steps.push(Step {
            name: name.into(),
            action: Action::Command(command),
            superseded_by: Vec::new(),
        });
        self
    }

    /// Adds a command for each item.
    #[must_use]
    pub fn send_all(self, commands: impl IntoIterator<Item = (String, AnyCommand)>) -> Self {
        commands.into_iter().fold(self, |reaction, (name, command)| reaction.send(name, command))
    }

    /// Adds a call to the outside.
    #[must_use]
    pub fn call(mut self, name: impl Into<String>, effect: EffectCall) -> Self {
        self.steps.push(Step {
            name: name.into(),
            action: Action::Effect(effect),
            superseded_by: Vec::new(),
        });
        self
    }

    /// Names the refusals of the step just added that mean that something else was faster.
    #[must_use]
    pub fn unless(mut self, codes: &[&str]) -> Self {
        if let Some(step) = self.steps.last_mut() {
            step.superseded_by = codes.iter().map(|code| (*code).to_owned()).collect();
        }
        self
    }

    /// Sets a timer, or moves it.
    #[must_use]
    pub fn wake(mut self, name: impl Into<String>, due_at: Timestamp) -> Self {
        self.timers.push(TimerChange { name: name.into(), due_at: Some(due_at) });
        self
    }

    /// Clears a timer.
    #[must_use]
    pub fn unwake(mut self, name: impl Into<String>) -> Self {
        self.timers.push(TimerChange { name: name.into(), due_at: None });
        self
    }
}

/// A process manager.
pub trait Process: Send + Sync + 'static {
    /// What an instance remembers.
    type State: Default
        + Clone
        + std::fmt::Debug
        + PartialEq
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + 'static;
    /// Its name: in the CLI, in command ids, in the store.
    const NAME: &'static str;
    /// Stored with every instance that begins under it. Raised when the table changes, which then tells by it what older
    /// instances have stored.
    const VERSION: u32;

    /// The instance that an event belongs to; none for events that mean nothing to this process.
    fn instance(event: &Envelope) -> Option<Uuid>;

    /// Whether the event is always the first of its instance: nothing can be stored of it, so nothing is looked up.
    fn begins(event: &Envelope) -> bool;

    /// The table.
    fn react(state: &Self::State, input: Input<'_>) -> Reaction<Self::State>;

    /// What an instance in this state waits for; none once it has ended (or never began).
    fn awaits(state: &Self::State) -> Option<Awaiting>;
}

/// How long to wait before the attempt after `attempt`: doubling from `first_secs`, at most an hour.
#[must_use]
pub fn backoff(attempt: u32, first_secs: i64) -> Duration {
    let doubled = first_secs.saturating_mul(1_i64 << attempt.saturating_sub(1).min(20));
    Duration::seconds(doubled.clamp(1, 3600))
}
