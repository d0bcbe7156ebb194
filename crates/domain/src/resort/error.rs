//! Why a resort refuses.

use chrono::NaiveDate;

use crate::{Class, Classified, Currency, MoneyError, NotifiedChange, policy::MAX_POLICY_SECS};

/// The longest name or kind of a resort, in characters.
pub const MAX_NAME_CHARS: usize = 100;
/// The most days before the first night that a policy may name.
pub const MAX_CANCEL_DAYS: u16 = 365;

/// A refusal.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ResortError {
    /// There is no such resort.
    #[error("there is no such resort")]
    NotFound,
    /// A name or kind that cannot be shown.
    #[error("{field} must have 1 to {MAX_NAME_CHARS} visible characters")]
    Label {
        /// Which field.
        field: &'static str,
    },
    /// A price of nothing.
    #[error("the nightly price must be above 0")]
    Price,
    /// A price that cannot be counted with.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// No night between the dates.
    #[error("open_until {open_until} must be after open_from {open_from}")]
    NeverOpen {
        /// First night.
        open_from: NaiveDate,
        /// Day after the last night.
        open_until: NaiveDate,
    },
    /// A payment deadline of zero or beyond a year.
    #[error("pay_within_secs is {secs}: use 1 to {MAX_POLICY_SECS}")]
    PayWithin {
        /// Its value.
        secs: u32,
    },
    /// Too many days.
    #[error("cancel_days_before is {days}: use 0 to {MAX_CANCEL_DAYS}")]
    CancelDays {
        /// Its value.
        days: u16,
    },
    /// The price in another currency than before.
    #[error("the resort is priced in {0}: register another one for another currency")]
    OtherCurrency(Currency),
    /// A change that no reservation comes to.
    #[error("notify names {}, which is not about reservations", .0.name())]
    NotifiedElsewhere(NotifiedChange),
    /// The same change twice.
    #[error("notify names {} twice", .0.name())]
    NotifiedTwice(NotifiedChange),
    /// The state forbids the command.
    #[error("a resort that is {state} cannot {command}")]
    IllegalTransition {
        /// State, as clients see it.
        state: &'static str,
        /// What was asked.
        command: &'static str,
    },
}

impl Classified for ResortError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound => Class::NotFound,
            Self::Label { .. }
            | Self::Price
            | Self::Money(_)
            | Self::NeverOpen { .. }
            | Self::PayWithin { .. }
            | Self::CancelDays { .. }
            | Self::OtherCurrency(_)
            | Self::NotifiedElsewhere(_)
            | Self::NotifiedTwice(_) => Class::Invalid,
            Self::IllegalTransition { .. } => Class::Rejected,
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "resort_not_found",
            Self::Label { .. } => "invalid_name",
            Self::Price | Self::Money(_) => "amount_out_of_range",
            Self::NeverOpen { .. } => "invalid_dates",
            Self::OtherCurrency(_) => "currency_mismatch",
            Self::PayWithin { .. }
            | Self::CancelDays { .. }
            | Self::NotifiedElsewhere(_)
            | Self::NotifiedTwice(_) => "invalid_policy",
            Self::IllegalTransition { .. } => "illegal_transition",
        }
    }
}
