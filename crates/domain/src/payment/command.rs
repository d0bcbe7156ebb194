//! What can be asked of a payment.

use serde::{Deserialize, Serialize};

use super::PaymentTiming;
use crate::{ContactId, CustomerId, Money, PaymentId, RefundId, ShopId, Subject, Timestamp};

/// What the provider said about a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureOutcome {
    /// The money was taken.
    Captured {
        /// The provider's name for the charge.
        provider_ref: String,
    },
    /// The money was not taken and will not be.
    Declined {
        /// The provider's word for it.
        decline_code: String,
    },
}

/// What the provider said about a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundOutcome {
    /// The money was given back.
    Refunded {
        /// The provider's name for the refund.
        provider_ref: String,
    },
    /// The money was not given back.
    Failed {
        /// The provider's word for it.
        failure_code: String,
    },
}

/// A command to a payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentCommand {
    /// Money is wanted.
    RequestPayment {
        /// The new payment's id.
        payment_id: PaymentId,
        /// What is paid for.
        #[serde(flatten)]
        subject: Subject,
        /// From whom.
        customer_id: CustomerId,
        /// The shop that gets it; none for a reservation.
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
    /// The provider is about to be called.
    StartCapture {
        /// Where the payment token stands.
        method: ContactId,
        /// Now.
        at: Timestamp,
    },
    /// The provider answered.
    RecordCapture {
        /// Which attempt.
        attempt: u32,
        /// What it said.
        outcome: CaptureOutcome,
        /// Now.
        at: Timestamp,
    },
    /// Nobody wants the money any more: call it off, or give it back in full.
    VoidPayment,
    /// `due_at` may have passed.
    ExpirePayment {
        /// Now.
        at: Timestamp,
    },
    /// Give money back.
    StartRefund {
        /// Which refund.
        refund_id: RefundId,
        /// How much.
        amount: Money,
    },
    /// Try a failed refund again.
    RetryRefund {
        /// Which refund.
        refund_id: RefundId,
        /// The attempt that failed.
        failed_attempt: u32,
    },
    /// The provider answered.
    RecordRefund {
        /// Which refund.
        refund_id: RefundId,
        /// Which attempt.
        attempt: u32,
        /// What it said.
        outcome: RefundOutcome,
    },
}
