//! A row of `payments`.

use chrono::{DateTime, Utc};
use domain::{
    CustomerId, Money, OrderId, PaymentId, Position, RefundId, ReservationId, ShopId, Version,
    payment::PaymentTiming,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::views::MoneySchema;

words! {
    /// How far a payment is.
    pub enum PaymentStatus {
        /// Asked for.
        Requested = "requested",
        /// The provider is being asked.
        Capturing = "capturing",
        /// Taken.
        Captured = "captured",
        /// Failed for good.
        Declined = "declined",
        /// Called off; no money moved.
        Voided = "voided",
        /// Not made in time; no money moved.
        Expired = "expired",
        /// Money is on its way back.
        Refunding = "refunding",
        /// Some of it was given back.
        PartiallyRefunded = "partially_refunded",
        /// All of it was given back.
        Refunded = "refunded",
    }
}

impl PaymentStatus {
    /// What a captured payment is called once a refund of it is done.
    pub(crate) fn after_refund(others_open: bool, captured: Money, refunded: Money) -> Self {
        if others_open {
            Self::Refunding
        } else if refunded.amount_minor < captured.amount_minor {
            Self::PartiallyRefunded
        } else {
            Self::Refunded
        }
    }
}

words! {
    /// How far a refund is.
    pub enum RefundStatus {
        /// The provider is being asked.
        Started = "started",
        /// The money is back.
        Done = "done",
        /// The last attempt failed.
        Failed = "failed",
    }
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentRow {
    /// Which payment.
    #[schema(value_type = Uuid)]
    pub payment_id: PaymentId,
    /// For which order, if it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub order_id: Option<OrderId>,
    /// For which reservation, if it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub reservation_id: Option<ReservationId>,
    /// From whom.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// For which shop; nothing for a reservation.
    #[schema(value_type = Option<String>)]
    pub shop_id: Option<ShopId>,
    /// How far it is.
    pub status: PaymentStatus,
    /// How much is asked for.
    #[schema(value_type = MoneySchema)]
    pub amount: Money,
    /// What was taken.
    #[schema(value_type = MoneySchema)]
    pub captured: Money,
    /// What was given back.
    #[schema(value_type = MoneySchema)]
    pub refunded: Money,
    /// When it must be paid; nothing when nothing is due any more.
    pub due_at: Option<DateTime<Utc>>,
    /// Within the order call (`at_order`), or later (`deferred`).
    #[schema(value_type = String)]
    pub timing: PaymentTiming,
    /// How often the provider was asked to charge.
    pub attempts: u32,
    /// The provider's word for the last refusal, until the money is taken.
    pub decline_code: Option<String>,
    /// What was given back, or is being given back.
    pub refunds: Vec<PaymentRefund>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
    /// Version of the payment's stream.
    pub version: Version,
    /// The last event that touched the row.
    pub position: Position,
}

/// Money given back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentRefund {
    /// Which refund.
    #[schema(value_type = Uuid)]
    pub refund_id: RefundId,
    /// How much.
    #[schema(value_type = MoneySchema)]
    pub amount: Money,
    /// How far it is.
    pub status: RefundStatus,
    /// The newest attempt.
    pub attempt: u32,
}
