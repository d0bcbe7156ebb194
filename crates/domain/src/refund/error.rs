//! Why a refund refuses.

use crate::{Class, Classified, Money, order::MAX_LINES};

/// A refusal.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RefundError {
    /// There is no such refund.
    #[error("there is no such refund")]
    NotFound,
    /// Too much at once.
    #[error("a refund names at most {MAX_LINES} lines, not {lines}")]
    TooManyLines {
        /// How many there were.
        lines: usize,
    },
    /// The money that was given back is not what the goods were charged with.
    #[error("{amount} given back and {deducted} for a coupon are not the {accepted} that the goods cost")]
    DoesNotAddUp {
        /// What the goods were charged with.
        accepted: Money,
        /// What was given back.
        amount: Money,
        /// What came off for a coupon.
        deducted: Money,
    },
    /// The state forbids the command.
    #[error("a refund that is {state} cannot {command}")]
    IllegalTransition {
        /// State, as clients see it.
        state: &'static str,
        /// What was asked.
        command: &'static str,
    },
}

impl Classified for RefundError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound => Class::NotFound,
            Self::TooManyLines { .. } => Class::Invalid,
            Self::DoesNotAddUp { .. } => Class::Bug,
            Self::IllegalTransition { .. } => Class::Rejected,
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "refund_not_found",
            Self::TooManyLines { .. } => "too_many_lines",
            Self::DoesNotAddUp { .. } => "refund_does_not_add_up",
            Self::IllegalTransition { .. } => "illegal_transition",
        }
    }
}
