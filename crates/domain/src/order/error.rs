//! Why an order refuses.

use super::{MAX_LINES, MAX_OPTION_CHARS};
use crate::{Class, Classified, Money, MoneyError};

/// A refusal.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OrderError {
    /// There is no such order.
    #[error("there is no such order")]
    NotFound,
    /// Nothing is ordered.
    #[error("an order has at least one line")]
    NoLines,
    /// Too much is ordered.
    #[error("an order has at most {MAX_LINES} lines, not {lines}")]
    TooManyLines {
        /// How many there were.
        lines: usize,
    },
    /// An option that cannot be shown.
    #[error("a menu option has 1 to {MAX_OPTION_CHARS} characters and no control characters")]
    Option,
    /// The sum cannot be formed.
    #[error("the total cannot be formed: {0}")]
    Money(#[from] MoneyError),
    /// The price is not what the customer saw.
    #[error("the order costs {total} now, not {expected}")]
    PriceChanged {
        /// What the customer saw.
        expected: Money,
        /// What it costs.
        total: Money,
    },
    /// The coupon takes off more than the lines cost.
    #[error("the coupon takes {discount} off an order of {subtotal}")]
    CouponExceedsOrder {
        /// What it takes off.
        discount: Money,
        /// What the lines cost.
        subtotal: Money,
    },
    /// The state forbids the command.
    #[error("an order that is {state} cannot {command}")]
    IllegalTransition {
        /// State, as clients see it.
        state: &'static str,
        /// What was asked.
        command: &'static str,
    },
}

impl Classified for OrderError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound => Class::NotFound,
            Self::NoLines
            | Self::TooManyLines { .. }
            | Self::Option
            | Self::Money(_)
            | Self::CouponExceedsOrder { .. } => Class::Invalid,
            Self::PriceChanged { .. } | Self::IllegalTransition { .. } => Class::Rejected,
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "order_not_found",
            Self::NoLines => "no_lines",
            Self::TooManyLines { .. } => "too_many_lines",
            Self::Option => "invalid_option",
            Self::Money(MoneyError::MixedCurrencies { .. }) => "mixed_currencies",
            Self::Money(_) => "amount_out_of_range",
            Self::PriceChanged { .. } => "price_changed",
            Self::CouponExceedsOrder { .. } => "coupon_exceeds_order",
            Self::IllegalTransition { .. } => "illegal_transition",
        }
    }
}
