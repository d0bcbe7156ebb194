//! Why a payment refuses.

use crate::{Class, Classified, Money, Timestamp};

/// A refusal.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PaymentError {
    /// There is no such payment.
    #[error("there is no such payment")]
    NotFound,
    /// Too late to charge.
    #[error("the payment was due at {due_at}: nothing new is charged after that")]
    Overdue {
        /// The deadline.
        due_at: Timestamp,
    },
    /// Not late enough to expire.
    #[error("the payment is not due before {due_at}")]
    NotDue {
        /// The deadline.
        due_at: Timestamp,
    },
    /// An answer to an attempt that was never made.
    #[error("attempt {attempt} of this payment was never started")]
    UnknownAttempt {
        /// Which attempt.
        attempt: u32,
    },
    /// No such refund.
    #[error("there is no such refund of this payment")]
    UnknownRefund,
    /// More than is there.
    #[error("{asked} is more than the {refundable} minor units that can still be given back")]
    RefundTooLarge {
        /// What was asked.
        asked: Money,
        /// Minor units that are left.
        refundable: i64,
    },
    /// The same refund id with another amount.
    #[error("the refund is already under way with another amount, {amount}")]
    RefundDiffers {
        /// The amount that is under way.
        amount: Money,
    },
    /// The state forbids the command.
    #[error("a payment that is {state} cannot {command}")]
    IllegalTransition {
        /// State, as clients see it.
        state: &'static str,
        /// What was asked.
        command: &'static str,
    },
}

impl Classified for PaymentError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound | Self::UnknownRefund => Class::NotFound,
            Self::UnknownAttempt { .. } => Class::Bug,
            Self::Overdue { .. }
            | Self::NotDue { .. }
            | Self::RefundTooLarge { .. }
            | Self::RefundDiffers { .. }
            | Self::IllegalTransition { .. } => Class::Rejected,
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "payment_not_found",
            Self::Overdue { .. } => "payment_overdue",
            Self::NotDue { .. } => "payment_not_due",
            Self::UnknownAttempt { .. } => "unknown_attempt",
            Self::UnknownRefund => "refund_not_found",
            Self::RefundTooLarge { .. } => "refund_too_large",
            Self::RefundDiffers { .. } => "refund_differs",
            Self::IllegalTransition { .. } => "illegal_transition",
        }
    }
}
