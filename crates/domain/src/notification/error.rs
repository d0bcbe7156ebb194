//! Why a notification refuses.

use crate::{Class, Classified};

/// A refusal.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NotificationError {
    /// There is no such notification.
    #[error("there is no such notification")]
    NotFound,
    /// The state forbids the command.
    #[error("a notification that is {state} cannot {command}")]
    IllegalTransition {
        /// State, as clients see it.
        state: &'static str,
        /// What was asked.
        command: &'static str,
    },
}

impl Classified for NotificationError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound => Class::NotFound,
            Self::IllegalTransition { .. } => Class::Rejected,
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "notification_not_found",
            Self::IllegalTransition { .. } => "illegal_transition",
        }
    }
}
