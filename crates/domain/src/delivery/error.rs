//! Why a delivery refuses.

use crate::{Class, Classified, Timestamp};

/// A refusal.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DeliveryError {
    /// There is no such delivery.
    #[error("there is no such delivery")]
    NotFound,
    /// It was called off before the request came: the request is superseded.
    #[error("the delivery was cancelled before it was requested")]
    CancelledBefore,
    /// The goods must be made before they are shipped.
    #[error("the goods must be prepared before they are shipped: prepare first")]
    NotPrepared,
    /// There is nothing to make.
    #[error("this shop has no preparation step: ship it")]
    NoPreparation,
    /// Nothing is on its way back, or not for that refund.
    #[error("no such return is under way")]
    NoOpenReturn,
    /// Goods may still go back.
    #[error("goods may go back until {until}")]
    ReturnWindowOpen {
        /// The end of the window.
        until: Timestamp,
    },
    /// The state forbids the command.
    #[error("a delivery that is {state} cannot {command}")]
    IllegalTransition {
        /// State, as clients see it.
        state: &'static str,
        /// What was asked.
        command: &'static str,
    },
}

impl Classified for DeliveryError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound => Class::NotFound,
            Self::CancelledBefore
            | Self::NotPrepared
            | Self::NoPreparation
            | Self::NoOpenReturn
            | Self::ReturnWindowOpen { .. }
            | Self::IllegalTransition { .. } => Class::Rejected,
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "delivery_not_found",
            Self::CancelledBefore => "delivery_cancelled_before",
            Self::NotPrepared => "not_prepared",
            Self::NoPreparation => "no_preparation",
            Self::NoOpenReturn => "no_open_return",
            Self::ReturnWindowOpen { .. } => "return_window_open",
            Self::IllegalTransition { .. } => "illegal_transition",
        }
    }
}
