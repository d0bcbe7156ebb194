//! Why a voucher refuses.

use crate::{Class, Classified};

/// How often a voucher can be asked to be sent. *Source*: ours; it bounds what a careless loop sends to a customer.
pub const MAX_SENDINGS: u32 = 20;

/// A refusal.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum VoucherError {
    /// There is no such voucher.
    #[error("there is no such voucher")]
    NotFound,
    /// It was deactivated before it was issued: the issue is superseded.
    #[error("the voucher was deactivated before it was issued")]
    DeactivatedBefore,
    /// It is no longer good.
    #[error("the voucher is deactivated: its reservation was cancelled")]
    Deactivated,
    /// Sent often enough.
    #[error("the voucher was sent {MAX_SENDINGS} times")]
    SentOftenEnough,
    /// A sending that was never asked for.
    #[error("the voucher has no sending number {sending}")]
    UnknownSending {
        /// Which.
        sending: u32,
    },
    /// Nobody drew a code: the command must be completed before it is given.
    #[error("the voucher has no code")]
    NoCode,
}

impl Classified for VoucherError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound => Class::NotFound,
            Self::DeactivatedBefore | Self::Deactivated | Self::SentOftenEnough => Class::Rejected,
            Self::UnknownSending { .. } | Self::NoCode => Class::Bug,
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "voucher_not_found",
            Self::DeactivatedBefore => "voucher_deactivated_before",
            Self::Deactivated => "voucher_deactivated",
            Self::SentOftenEnough => "voucher_sent_often_enough",
            Self::UnknownSending { .. } => "unknown_sending",
            Self::NoCode => "voucher_without_code",
        }
    }
}
