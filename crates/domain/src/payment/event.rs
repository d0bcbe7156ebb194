//! What can have happened to a payment.

use serde::{Deserialize, Serialize};

use crate::{ContactId, CustomerId, Money, PaymentId, RefundId, ShopId, Subject, Timestamp};

/// When a payment is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentTiming {
    /// Within the order call.
    AtOrder,
    /// Later, as a step of its own.
    Deferred,
}

events! {
    /// Facts about one payment.
    pub enum PaymentEvent {
        /// Money is wanted.
        "payment.requested" @ 1 => PaymentRequested {
            /// Which payment.
            payment_id: PaymentId,
            /// What is paid for.
            #[serde(flatten)]
            subject: Subject,
            /// From whom.
            customer_id: CustomerId,
            /// The shop that gets it; none for a reservation.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            shop_id: Option<ShopId>,
            /// How much.
            amount: Money,
            /// Within the order call, or later.
            timing: PaymentTiming,
            /// Where the payment token stands, when it is known already.
            method: Option<ContactId>,
            /// After this nothing new is charged.
            due_at: Timestamp,
        },
        /// The provider is about to be called, under the key `payment_id:attempt`.
        "payment.capture_started" @ 1 => CaptureStarted {
            /// Which payment.
            payment_id: PaymentId,
            /// 1 for the first.
            attempt: u32,
            /// How much.
            amount: Money,
            /// Where the payment token stands.
            method: ContactId,
        },
        /// The money was taken.
        "payment.captured" @ 1 => PaymentCaptured {
            /// Which payment.
            payment_id: PaymentId,
            /// What is paid for.
            #[serde(flatten)]
            subject: Subject,
            /// How much.
            amount: Money,
            /// Which attempt; 0 when nothing was to be paid.
            attempt: u32,
            /// The provider's name for the charge.
            provider_ref: String,
        },
        /// This attempt failed; another method may be tried until `due_at`.
        "payment.capture_declined" @ 1 => CaptureDeclined {
            /// Which attempt.
            attempt: u32,
            /// The provider's word for it.
            decline_code: String,
        },
        /// The payment failed for good.
        "payment.declined" @ 1 => PaymentDeclined {
            /// What is paid for.
            #[serde(flatten)]
            subject: Subject,
            /// The provider's word for it.
            decline_code: String,
        },
        /// Nobody wants the money any more, but a charge is under way: its outcome decides.
        "payment.void_requested" @ 1 => PaymentVoidRequested {
            /// What is paid for.
            #[serde(flatten)]
            subject: Subject,
        },
        /// Called off; no money moved.
        "payment.voided" @ 1 => PaymentVoided {
            /// What is paid for.
            #[serde(flatten)]
            subject: Subject,
        },
        /// Not made in time; no money moved.
        "payment.expired" @ 1 => PaymentExpired {
            /// What is paid for.
            #[serde(flatten)]
            subject: Subject,
        },
        /// Money turned out to be taken after the payment had ended: it goes back.
        "payment.late_capture_found" @ 1 => LateCaptureFound {
            /// Which payment.
            payment_id: PaymentId,
            /// What is paid for.
            #[serde(flatten)]
            subject: Subject,
            /// How much.
            amount: Money,
            /// Which attempt.
            attempt: u32,
            /// The provider's name for the charge.
            provider_ref: String,
        },
        /// The provider is about to be asked to give money back, under the key `refund_id:attempt`.
        "payment.refund_started" @ 1 => RefundStarted {
            /// Which payment.
            payment_id: PaymentId,
            /// Which refund.
            refund_id: RefundId,
            /// 1 for the first.
            attempt: u32,
            /// How much.
            amount: Money,
            /// The charge it is taken from.
            charge_ref: String,
        },
        /// Money was given back.
        "payment.refunded" @ 1 => PaymentRefunded {
            /// What is paid for.
            #[serde(flatten)]
            subject: Subject,
            /// Which refund.
            refund_id: RefundId,
            /// How much.
            amount: Money,
            /// The provider's name for the refund; empty when nothing was to be given back.
            provider_ref: String,
        },
        /// This attempt to give money back failed.
        "payment.refund_failed" @ 1 => RefundFailed {
            /// Which refund.
            refund_id: RefundId,
            /// Which attempt.
            attempt: u32,
            /// The provider's word for it.
            failure_code: String,
        },
    }
}
