//! What every aggregate is: a pure `decide` and a pure `evolve`. The macro [`aggregate!`](crate::aggregate) makes a
//! `cqrs_es::Aggregate` of the pair, so that its tools (test framework, repositories) work on our types.

use serde::{Serialize, de::DeserializeOwned};

use crate::{AggregateId, AggregateKind, Event};

/// What a command that is not refused leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<E> {
    /// New facts, in order; at least one.
    Executed(Vec<E>),
    /// The command took effect before: nothing new.
    AlreadyApplied,
}

/// What `decide` returns.
pub type Decision<E, R> = Result<Outcome<E>, R>;

/// One new fact.
///
/// # Errors
/// Never; the type lets a decision end in it.
pub fn executed<E, R>(event: impl Into<E>) -> Decision<E, R> {
    Ok(Outcome::Executed(vec![event.into()]))
}

/// Several new facts that are one decision.
///
/// # Errors
/// Never; the type lets a decision end in it.
pub fn executed_all<E, R>(events: impl IntoIterator<Item = E>) -> Decision<E, R> {
    Ok(Outcome::Executed(events.into_iter().collect()))
}

/// The command took effect before.
///
/// # Errors
/// Never; the type lets a decision end in it.
pub fn already_applied<E, R>() -> Decision<E, R> {
    Ok(Outcome::AlreadyApplied)
}

/// What kind of refusal an error is. It decides HTTP status, retry and log level, in one place each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The command itself can never work as it was given (422).
    Invalid,
    /// The state forbids it (409).
    Rejected,
    /// There is no such thing (404).
    NotFound,
    /// Another writer was faster; worth another try (409).
    Conflict,
    /// A store or provider does not answer; worth another try (503).
    Transient,
    /// We are wrong (500).
    Bug,
}

/// An error that knows its class and its stable code.
pub trait Classified: std::error::Error {
    /// See [`Class`].
    fn class(&self) -> Class;
    /// A stable word in snake_case: `code` in a problem document, and what a process manager's table names.
    fn code(&self) -> &'static str;
}

/// An aggregate as a pair of pure functions.
pub trait Aggregate:
    cqrs_es::Aggregate<
        Command = <Self as Aggregate>::Command,
        Event = <Self as Aggregate>::Event,
        Error = <Self as Aggregate>::Error,
        Services = (),
    > + Default
    + Clone
    + std::fmt::Debug
    + Serialize
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// Which streams hold it.
    const KIND: AggregateKind;
    /// Raised whenever `evolve` or the state's shape changes, so that older snapshots are not used.
    const FOLD_VERSION: u32;
    /// Names one of them.
    type Id: AggregateId;
    /// What can be asked of it.
    type Command: Serialize + DeserializeOwned + Clone + std::fmt::Debug + Send + Sync + 'static;
    /// What can have happened to it.
    type Event: cqrs_es::DomainEvent + Into<Event> + TryFrom<Event> + 'static;
    /// Why it refuses.
    type Error: Classified + Clone + PartialEq + Send + Sync + 'static;

    /// What `command` leads to in this state.
    ///
    /// # Errors
    /// The typed reason why the command is refused; nothing happens then.
    fn decide(
        &self,
        command: &<Self as Aggregate>::Command,
    ) -> Decision<<Self as Aggregate>::Event, <Self as Aggregate>::Error>;

    /// The state after `event`. Never fails on an event that was once stored.
    fn evolve(&mut self, event: &<Self as Aggregate>::Event);

    /// A word for the state, as clients see it: `awaiting_payment`.
    fn status(&self) -> &'static str;
}
