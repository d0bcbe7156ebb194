//! Invariants of the goods.

mod one_delivery;
mod paid;
mod returns;
mod stock;

pub(super) use self::{one_delivery::OneDelivery, paid::DeliveredIfPaid, returns::Returns, stock::Stock};
