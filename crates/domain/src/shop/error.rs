//! Why a shop refuses.

use crate::{Class, Classified, policy::PolicyError};

/// A refusal.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ShopError {
    /// There is no such shop.
    #[error("there is no such shop")]
    NotFound,
    /// The policy makes no sense.
    #[error("the policy makes no sense: {0}")]
    Policy(#[from] PolicyError),
    /// A name must be 1 to 80 characters without control characters.
    #[error("a shop's name has 1 to 80 characters and no control characters")]
    Name,
}

impl Classified for ShopError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound => Class::NotFound,
            Self::Policy(_) | Self::Name => Class::Invalid,
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "shop_not_found",
            Self::Policy(_) => "invalid_policy",
            Self::Name => "invalid_name",
        }
    }
}
