//! A row of `refunds`.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use domain::{
    ContactId, CustomerId, DeliveryId, Money, OrderId, PaymentId, Position, RefundId, ShopId, Version,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::views::{MoneySchema, OrderRefundStatus, ReturnLine};

/// A refund: money back for goods that were delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RefundRow {
    /// Which refund.
    #[schema(value_type = Uuid)]
    pub refund_id: RefundId,
    /// Of which order.
    #[schema(value_type = Uuid)]
    pub order_id: OrderId,
    /// Of which shop.
    #[schema(value_type = String)]
    pub shop_id: ShopId,
    /// Whose.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// The payment that gives the money back.
    #[schema(value_type = Uuid)]
    pub payment_id: PaymentId,
    /// The delivery that takes the goods back.
    #[schema(value_type = Uuid)]
    pub delivery_id: DeliveryId,
    /// How far it is. (How far the money is stands in the payment.)
    pub status: OrderRefundStatus,
    /// Why, in the customer's words; filled in from the erasable table when it is shown.
    pub reason: Option<String>,
    /// What goes back; nothing here means everything that was left.
    pub lines: Vec<ReturnLine>,
    /// What the goods were charged with while they are on their way back, then what was given back; nothing before the
    /// delivery agreed, and when it never did.
    #[schema(value_type = Option<MoneySchema>)]
    pub amount: Option<Money>,
    /// What comes off for a coupon that was spent already; nothing before it is known. Until the money is given back,
    /// `amount` has it still in it.
    #[schema(value_type = Option<MoneySchema>)]
    pub deducted: Option<Money>,
    /// Why it is not possible: `window_over`, `return_open`, …
    #[schema(value_type = Option<String>)]
    pub refusal: Option<Cow<'static, str>>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
    /// Version of the refund's stream.
    pub version: Version,
    /// The last event that touched the row.
    pub position: Position,
    /// Not shown.
    pub internal: RefundInternal,
}

/// What a row of `refunds` knows and does not show.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RefundInternal {
    /// Where the reason stands.
    #[schema(value_type = Uuid)]
    pub reason_id: ContactId,
}
