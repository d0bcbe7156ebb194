//! What stands beside every event: where it is in the log, who caused it, and what it belongs to.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{CustomerId, Event, ShopId, StreamId, Timestamp};

/// An event's place in the log: 1 for the first, one order over all streams.
pub type Position = u64;
/// An event's place in its stream: 1 for the first. 0 names the empty stream.
pub type Version = u64;

/// Who gave a command. Written `customer:alice`, `shop:phone`, `process:checkout`, …
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Actor {
    /// A customer.
    Customer(CustomerId),
    /// Somebody at a shop.
    Shop(ShopId),
    /// A courier.
    Courier(CustomerId),
    /// A resort manager.
    Manager(CustomerId),
    /// An operator.
    Admin(CustomerId),
    /// A process manager.
    Process(String),
    /// The program itself, for example when it loads the sample shops.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Customer(id) => write!(f, "customer:{id}"),
            Self::Shop(id) => write!(f, "shop:{id}"),
            Self::Courier(id) => write!(f, "courier:{id}"),
            Self::Manager(id) => write!(f, "manager:{id}"),
            Self::Admin(id) => write!(f, "admin:{id}"),
            Self::Process(name) => write!(f, "process:{name}"),
            Self::System => f.write_str("system"),
        }
    }
}

/// A text that names no actor.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no actor")]
pub struct ActorError(String);

impl FromStr for Actor {
    type Err = ActorError;
    fn from_str(text: &str) -> Result<Self, ActorError> {
        let wrong = || ActorError(text.to_owned());
        if text == "system" {
            return Ok(Self::System);
        }
        let (role, name) = text.split_once(':').ok_or_else(wrong)?;
        let person = || name.parse::<CustomerId>().map_err(|_| wrong());
        Ok(match role {
            "customer" => Self::Customer(person()?),
            "shop" => Self::Shop(name.parse().map_err(|_| wrong())?),
            "courier" => Self::Courier(person()?),
            "manager" => Self::Manager(person()?),
            "admin" => Self::Admin(person()?),
            "process" => Self::Process(name.to_owned()),
            _ => return Err(wrong()),
        })
    }
}
impl TryFrom<String> for Actor {
    type Error = ActorError;
    fn try_from(text: String) -> Result<Self, ActorError> {
        text.parse()
    }
}
impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

/// What every event carries beside its payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// This event, uniquely.
    pub event_id: Uuid,
    /// The command that it came from: the same for all events of one commit.
    pub command_id: Uuid,
    /// The order, reservation, shop or product that it all belongs to.
    pub correlation_id: Uuid,
    /// The event that caused the command, if one did.
    pub causation_id: Option<Uuid>,
    /// Who gave the command.
    pub actor: Actor,
    /// When it was decided. UTC, microseconds.
    pub recorded_at: Timestamp,
    /// W3C trace context of the request, if it had one.
    pub traceparent: Option<String>,
}

/// An event as every consumer of the log receives it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Envelope {
    /// Place in the log.
    pub position: Position,
    /// Whose event it is.
    pub stream: StreamId,
    /// Place in the stream.
    pub version: Version,
    /// What stands beside it.
    pub metadata: Metadata,
    /// What happened.
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_read_as_it_is_written() {
        for text in [
            "customer:alice",
            "shop:phone",
            "courier:kim",
            "manager:m",
            "admin:root",
            "process:checkout",
            "system",
        ] {
            assert_eq!(text.parse::<Actor>().map(|a| a.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "alice", "king:x", "customer:", "shop:NOT A SLUG"] {
            assert!(text.parse::<Actor>().is_err(), "{text:?} was taken");
        }
    }
}
