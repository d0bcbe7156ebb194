//! Why a coupon refuses.

use crate::{Class, Classified};

/// A refusal.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CouponError {
    /// There is no such coupon.
    #[error("there is no such coupon")]
    NotFound,
    /// It was taken back before it was issued: the issue is superseded.
    #[error("the coupon was taken back before it was issued")]
    RevokedBefore,
}

impl Classified for CouponError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound => Class::NotFound,
            Self::RevokedBefore => Class::Rejected,
        }
    }
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "coupon_not_found",
            Self::RevokedBefore => "coupon_revoked_before",
        }
    }
}
