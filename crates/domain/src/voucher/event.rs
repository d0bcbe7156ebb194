//! What can have happened to a voucher.

use crate::{Actor, CustomerId, ReservationId, ResortId, VoucherId, voucher::VoucherCode};

events! {
    /// Facts about one voucher: what the guest shows at the resort.
    pub enum VoucherEvent {
        /// The reservation has it.
        "voucher.issued" @ 1 => VoucherIssued {
            /// Which voucher.
            voucher_id: VoucherId,
            /// Of which reservation.
            reservation_id: ReservationId,
            /// At which resort.
            resort_id: ResortId,
            /// Whose.
            customer_id: CustomerId,
            /// Who looks after the resort.
            manager_id: CustomerId,
            /// What the guest shows: drawn at random, so that nobody guesses it.
            code: VoucherCode,
        },
        /// It is to be sent to the customer.
        "voucher.send_requested" @ 1 => VoucherSendRequested {
            /// Which voucher.
            voucher_id: VoucherId,
            /// Of which reservation.
            reservation_id: ReservationId,
            /// To whom.
            customer_id: CustomerId,
            /// 1 for the first time.
            sending: u32,
            /// Who asked.
            by: Actor,
        },
        /// The channel took it.
        "voucher.sent" @ 1 => VoucherSent {
            /// Of which reservation.
            reservation_id: ReservationId,
            /// Which time.
            sending: u32,
        },
        /// It is no longer good.
        "voucher.deactivated" @ 1 => VoucherDeactivated {
            /// Which voucher: it may never have been issued.
            voucher_id: VoucherId,
            /// Of which reservation.
            reservation_id: ReservationId,
            /// Whose.
            customer_id: CustomerId,
            /// Who looks after the resort.
            manager_id: CustomerId,
        },
    }
}
