//! What the past of a voucher comes to.

use serde::{Deserialize, Serialize};

use super::{VoucherCode, VoucherEvent, VoucherIssued};
use crate::{CustomerId, ReservationId, ResortId, VoucherId};

/// What is known of a voucher that was issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VoucherDetails {
    /// Which voucher.
    pub voucher_id: VoucherId,
    /// Of which reservation.
    pub reservation_id: ReservationId,
    /// At which resort.
    pub resort_id: ResortId,
    /// Whose.
    pub customer_id: CustomerId,
    /// Who looks after the resort.
    pub manager_id: CustomerId,
    /// What the guest shows.
    pub code: VoucherCode,
    /// How often it was asked to be sent.
    pub sendings: u32,
}

/// A voucher.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Voucher {
    /// No such voucher.
    #[default]
    Absent,
    /// The reservation has it.
    Issued(VoucherDetails),
    /// The customer has it.
    Sent(VoucherDetails),
    /// No longer good; without details if it was never issued.
    Deactivated(Option<VoucherDetails>),
}

impl Voucher {
    /// The details, of a voucher that was issued.
    #[must_use]
    pub fn details(&self) -> Option<&VoucherDetails> {
        match self {
            Self::Absent => None,
            Self::Issued(voucher) | Self::Sent(voucher) => Some(voucher),
            Self::Deactivated(voucher) => voucher.as_ref(),
        }
    }
}

pub(super) fn evolve(voucher: &mut Voucher, event: &VoucherEvent) {
    use Voucher::{Absent, Deactivated, Issued, Sent};
    *voucher = match (std::mem::take(voucher), event) {
        (_, VoucherEvent::VoucherIssued(event)) => Issued(issued(event)),
        (Issued(v), VoucherEvent::VoucherSendRequested(event)) => {
            Issued(VoucherDetails { sendings: event.sending, ..v })
        }
        (Sent(v), VoucherEvent::VoucherSendRequested(event)) => {
            Sent(VoucherDetails { sendings: event.sending, ..v })
        }
        (Issued(v) | Sent(v), VoucherEvent::VoucherSent(_)) => Sent(v),
        (Issued(v) | Sent(v), VoucherEvent::VoucherDeactivated(_)) => Deactivated(Some(v)),
        (Absent, VoucherEvent::VoucherDeactivated(_)) => Deactivated(None),
        // Neither is decided in these states; should one stand there, it changes nothing.
        (
            state @ (Absent | Deactivated(_)),
            VoucherEvent::VoucherSendRequested(_)
            | VoucherEvent::VoucherSent(_)
            | VoucherEvent::VoucherDeactivated(_),
        ) => state,
    };
}

fn issued(event: &VoucherIssued) -> VoucherDetails {
    VoucherDetails {
        voucher_id: event.voucher_id,
        reservation_id: event.reservation_id,
        resort_id: event.resort_id,
        customer_id: event.customer_id.clone(),
        manager_id: event.manager_id.clone(),
        code: event.code.clone(),
        sendings: 0,
    }
}

pub(super) fn status(voucher: &Voucher) -> &'static str {
    match voucher {
        Voucher::Absent => "absent",
        Voucher::Issued(_) => "issued",
        Voucher::Sent(_) => "sent",
        Voucher::Deactivated(_) => "deactivated",
    }
}
