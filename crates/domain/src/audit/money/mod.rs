//! Invariants of the money.

mod balances;
mod captured_once;
mod charge;
mod refund_limit;
mod refund_return;

pub(super) use self::{
    balances::Balances, captured_once::CapturedOnce, charge::ChargedFor, refund_limit::RefundLimit,
    refund_return::RefundReturn,
};
