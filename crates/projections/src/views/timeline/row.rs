//! A row of `timeline`.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    CouponId, CustomerId, Money, NotifiedChange, OrderId, Position, ProductId, RefundId, ReservationId,
    ShopId, Subject, VoucherId, order::CancellationCause,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::views::MoneySchema;

/// One step of an order or a reservation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelineStep {
    /// The event's place in the log; 0 in a header.
    pub position: Position,
    /// When.
    pub at: DateTime<Utc>,
    /// What happened, such as `order.placed`.
    #[schema(value_type = String)]
    pub what: Cow<'static, str>,
    /// Who did it, such as `customer:alice`.
    pub actor: String,
    /// What it happened to, such as `payment/0190…`.
    pub about: String,
    /// Which order it belongs to, if to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub order_id: Option<OrderId>,
    /// Which reservation it belongs to, if to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub reservation_id: Option<ReservationId>,
    /// Whose order or reservation.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// From which shop, if from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub shop_id: Option<ShopId>,
    /// What else is worth knowing.
    #[serde(default, skip_serializing_if = "StepDetails::is_empty")]
    pub details: StepDetails,
}

impl TimelineStep {
    /// The row that remembers whose order or reservation it is.
    pub(super) fn header(
        subject: Subject,
        customer_id: CustomerId,
        shop_id: Option<ShopId>,
        at: DateTime<Utc>,
    ) -> Self {
        Self {
            position: 0,
            at,
            what: Cow::Borrowed(""),
            actor: String::new(),
            about: String::new(),
            order_id: subject.order_id(),
            reservation_id: subject.reservation_id(),
            customer_id,
            shop_id,
            details: StepDetails::default(),
        }
    }

    /// Whether this is no step but a header.
    pub(super) fn is_header(&self) -> bool {
        self.position == 0
    }
}

/// What else is worth knowing of a step. Only what applies is there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepDetails {
    /// How much money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<MoneySchema>)]
    pub amount: Option<Money>,
    /// Until when it must be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<DateTime<Utc>>,
    /// Which attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Which refund.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub refund_id: Option<RefundId>,
    /// What came off a refund for a coupon that was spent already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<MoneySchema>)]
    pub deducted: Option<Money>,
    /// Which coupon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub coupon_id: Option<CouponId>,
    /// Which voucher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub voucher_id: Option<VoucherId>,
    /// First night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_in: Option<NaiveDate>,
    /// Day of departure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_out: Option<NaiveDate>,
    /// Until when goods may go back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returnable_until: Option<DateTime<Utc>>,
    /// Which sending of the voucher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<u32>,
    /// The payment provider's word for a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<String>,
    /// The provider's or channel's word for a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_code: Option<String>,
    /// Why something was refused: `out_of_stock`, `withdrawn`, `payment_declined`, `window_over`, `taken`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub refusal: Option<Cow<'static, str>>,
    /// Which product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub product_id: Option<ProductId>,
    /// How many pieces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    /// How many pieces were left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<u64>,
    /// What brought a cancellation about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub cause: Option<CancellationCause>,
    /// What the customer was told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub change: Option<NotifiedChange>,
    /// Through which channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

impl StepDetails {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
