//! What can be asked of a voucher.

use serde::{Deserialize, Serialize};

use super::VoucherCode;
use crate::{Actor, CustomerId, ReservationId, ResortId, VoucherId};

/// A command to a voucher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoucherCommand {
    /// A reservation was paid.
    IssueVoucher {
        /// The new voucher's id.
        voucher_id: VoucherId,
        /// Of which reservation.
        reservation_id: ReservationId,
        /// At which resort.
        resort_id: ResortId,
        /// Whose.
        customer_id: CustomerId,
        /// Who looks after the resort.
        manager_id: CustomerId,
        /// What the guest shows. None while the command waits to be executed: whoever executes it draws one.
        code: Option<VoucherCode>,
    },
    /// Send it to the customer, or once more.
    RequestSend {
        /// Who asks.
        by: Actor,
    },
    /// The channel took it.
    RecordSent {
        /// Which time.
        sending: u32,
    },
    /// The reservation is off.
    DeactivateVoucher {
        /// Which voucher: it may not be issued yet.
        voucher_id: VoucherId,
        /// Of which reservation.
        reservation_id: ReservationId,
        /// Whose.
        customer_id: CustomerId,
        /// Who looks after the resort.
        manager_id: CustomerId,
    },
}
