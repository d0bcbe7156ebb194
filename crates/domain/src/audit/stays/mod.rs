//! Invariants of resorts, reservations and vouchers.

mod deactivated;
mod issued;
mod nights;
mod paid;

pub(super) use self::{
    deactivated::VoucherDeactivated, issued::VoucherIfPaid, nights::Nights, paid::PaidIfCaptured,
};
