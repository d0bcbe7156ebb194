//! Why a reservation refuses.

use crate::{Class, Classified, Money, MoneyError, Timestamp};

/// A refusal.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReservationError {
    /// There is no such reservation.
    #[error("there is no such reservation")]
    NotFound,
    /// Amounts that cannot be counted with.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The price changed since the customer saw it.
    #[error("the price has changed: {total} instead of {expected}")]
    PriceChanged {
        /// What the customer saw.
        expected: Money,
        /// What it costs now.
        total: Money,
    },
    /// It is too late to cancel.
    #[error("it could be cancelled until {until}")]
    TooLateToCancel {
        /// Until when it could.
        until: Timestamp,
    },
    /// The stay is not over yet.
    #[error("the stay ends at {ends_at}")]
    NotOver {
        /// When it ends.
        ends_at: Timestamp,
    },
    /// The state forbids the command.
    #[error("a reservation that is {state} cannot {command}")]
    IllegalTransition {
        /// State, as clients see it.
        state: &'static str,
        /// What was asked.
        command: &'static str,
    },
}

impl Classified for ReservationError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound => Class::NotFound,
            Self::Money(_) => Class::Invalid,
            Self::PriceChanged { .. }
            | Self::TooLateToCancel { .. }
            | Self::NotOver { .. }
            | Self::IllegalTransition { .. } => Class::Rejected,
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "reservation_not_found",
            Self::Money(_) => "amount_out_of_range",
            Self::PriceChanged { .. } => "price_changed",
            Self::TooLateToCancel { .. } => "too_late_to_cancel",
            Self::NotOver { .. } => "stay_not_over",
            Self::IllegalTransition { .. } => "illegal_transition",
        }
    }
}
