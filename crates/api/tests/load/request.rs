//! A request under a key, and what its sender knows of it.

use serde_json::Value;

/// The platform is gone, or has not decided: nobody knows.
#[derive(Debug)]
pub struct Gone;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// One of three.
    Customer(usize),
    Shop,
    Manager,
    Admin,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// A request, to be sent again under the same key.
#[derive(Clone, Debug)]
pub struct Request {
    pub who: Who,
    pub key: String,
    pub path: String,
    pub body: Value,
    /// Nothing if nobody knows.
    pub answer: Option<Answer>,
}

impl Request {
    /// Whether the answer says that something was done, or that a payment was declined: such a word stands.
    pub fn is_done(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.status < 300 || answer.status == 402)
    }
}
