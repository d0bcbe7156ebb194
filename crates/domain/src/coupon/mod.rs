//! A coupon: what a completed order earns its customer, to be used once on a later order of the same shop.
//!
//! ```text
//!            /--issue--> Issued --redeem (an order)--> Redeemed
//!           /             |  ^ \                        |   revoke: ClawedBack, stays Redeemed; reinstate undoes it
//!          /       revoke |  |  \<-------release--------/
//! (absent)                v  | reinstate                |
//!          \             Revoked <--release, if refunds hold it and its worth is not paid for
//!           \             (customer once had it)
//!            \--revoke--> Withheld --reinstate--> Issued
//! ```
//! Invariants: one order uses it at a time, and a refusal is an event, since checkout waits for it; every refund that
//! takes it back gets one answer: withheld or revoked while it is not used, else clawed back; what is clawed back over
//! all refunds is never more than the discount that was enjoyed, nor more than the refund it comes off; it is good
//! again only when no refund holds it, or when the customer has paid for its whole worth.

mod command;
mod decide;
mod error;
mod event;
mod state;
#[cfg(test)]
mod tests;

pub use command::CouponCommand;
pub use error::CouponError;
pub use event::{
    CouponClawbackUndone, CouponClawedBack, CouponEvent, CouponIssued, CouponRedeemed,
    CouponRedemptionRefused, CouponRefusal, CouponReinstated, CouponReleased, CouponRevoked, CouponValue,
    CouponWithheld, PromisedCoupon,
};
pub use state::{Coupon, CouponDetails, CouponStanding};

aggregate!(Coupon, kind: Coupon, id: crate::CouponId, command: CouponCommand, event: CouponEvent, error: CouponError, fold_version: 1);

/// The coupon that an order earns: known to everyone who knows the order.
#[must_use]
pub fn coupon_of(order: crate::OrderId) -> crate::CouponId {
    crate::CouponId::derived(order.uuid(), "coupon", "")
}
