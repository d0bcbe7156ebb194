//! Invariants of the coupons.

mod clawback;
mod deserved;
mod discount;
mod earned;
mod given_back;
mod used_once;

pub(super) use self::{
    clawback::Clawback, deserved::Deserved, discount::Discount, earned::Earned, given_back::GivenBack,
    used_once::UsedOnce,
};
