//! What can have happened to a reservation.

use crate::{
    Actor, ContactId, CustomerId, Money, PaymentId, ReservationId, ResortId, Stay, Timestamp, VoucherId,
    resort::{NightsRefusal, ResortPolicy},
};

events! {
    /// Facts about one reservation.
    pub enum ReservationEvent {
        /// A customer wants nights; the resort has not answered yet.
        "reservation.requested" @ 1 => ReservationRequested {
            /// Which reservation.
            reservation_id: ReservationId,
            /// At which resort.
            resort_id: ResortId,
            /// The resort's name then.
            resort_name: String,
            /// Who looks after the resort.
            manager_id: CustomerId,
            /// Who wants to stay.
            customer_id: CustomerId,
            /// Which nights.
            stay: Stay,
            /// What they cost together.
            total: Money,
            /// The policy it was made under.
            policy: ResortPolicy,
            /// Where the guest stands.
            contact_id: ContactId,
            /// The payment that it waits for once the nights are held.
            payment_id: PaymentId,
            /// When it must be paid.
            payment_due_at: Timestamp,
            /// The voucher that it gets once it is paid.
            voucher_id: VoucherId,
            /// Until when it can be cancelled.
            cancellable_until: Timestamp,
            /// When the stay is over.
            ends_at: Timestamp,
        },
        /// The nights are held; the payment is awaited.
        "reservation.confirmed" @ 1 => ReservationConfirmed {
            /// Which reservation.
            reservation_id: ReservationId,
        },
        /// The nights are not to be had.
        "reservation.refused" @ 1 => ReservationRefused {
            /// Which reservation.
            reservation_id: ReservationId,
            /// Why.
            reason: NightsRefusal,
        },
        /// It is paid.
        "reservation.paid" @ 1 => ReservationPaid {
            /// Which reservation.
            reservation_id: ReservationId,
            /// At which resort.
            resort_id: ResortId,
            /// Who looks after the resort.
            manager_id: CustomerId,
            /// Who stays.
            customer_id: CustomerId,
            /// The voucher to issue.
            voucher_id: VoucherId,
        },
        /// Somebody wants it undone.
        "reservation.cancellation_requested" @ 1 => ReservationCancellationRequested {
            /// Which reservation.
            reservation_id: ReservationId,
            /// Who asked.
            by: Actor,
            /// Where the reason in their words stands.
            reason_id: Option<ContactId>,
            /// Whether it was paid: then there is a voucher to deactivate.
            was_paid: bool,
            /// Whose reservation it is.
            customer_id: CustomerId,
            /// Who looks after the resort.
            manager_id: CustomerId,
            /// The resort whose nights are to be released.
            resort_id: ResortId,
            /// The payment to give back.
            payment_id: PaymentId,
            /// The voucher to deactivate.
            voucher_id: VoucherId,
        },
        /// Everything is undone.
        "reservation.cancelled" @ 1 => ReservationCancelled {
            /// Which reservation.
            reservation_id: ReservationId,
        },
        /// It was not paid in time.
        "reservation.expired" @ 1 => ReservationExpired {
            /// Which reservation.
            reservation_id: ReservationId,
        },
        /// The stay is over.
        "reservation.completed" @ 1 => ReservationCompleted {
            /// Which reservation.
            reservation_id: ReservationId,
        },
    }
}
