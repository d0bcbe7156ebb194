//! A row of `orders`.

use chrono::{DateTime, Utc};
use domain::{
    Actor, ContactId, CouponId, CustomerId, DeliveryId, Money, OrderId, PaymentId, Position, ProductId,
    RefundId, ShopId, Version, coupon::CouponRefusal, delivery::ReturnRefusal, order::CancellationCause,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::views::{CouponStanding, CouponStatus, DeliveryStatus, MoneySchema, PaymentStatus, ReturnLine};

words! {
    /// How far an order is.
    pub enum OrderStatus {
        /// Placed; the payment is not decided.
        AwaitingPayment = "awaiting_payment",
        /// A deal.
        Confirmed = "confirmed",
        /// Being undone.
        Cancelling = "cancelling",
        /// Undone.
        Cancelled = "cancelled",
        /// Never a deal.
        Rejected = "rejected",
        /// Done.
        Completed = "completed",
    }
}

words! {
    /// Why an order is no deal.
    pub enum RejectionCode {
        /// Too few pieces.
        OutOfStock = "out_of_stock",
        /// A product is no longer on sale.
        Withdrawn = "withdrawn",
        /// The coupon cannot be used.
        CouponRefused = "coupon_refused",
        /// The provider declined the payment.
        PaymentDeclined = "payment_declined",
        /// The payment was not made, or not decided, in time.
        PaymentExpired = "payment_expired",
    }
}

words! {
    /// How far a refund that the customer asked for is.
    pub enum OrderRefundStatus {
        /// Asked for.
        Requested = "requested",
        /// The goods are on their way back.
        Returning = "returning",
        /// The money is given back.
        Completed = "completed",
        /// Called off.
        Cancelled = "cancelled",
        /// Not possible.
        Refused = "refused",
    }
}

/// An order with its payment, delivery, refunds and coupons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderRow {
    /// Which order.
    #[schema(value_type = Uuid)]
    pub order_id: OrderId,
    /// From which shop.
    #[schema(value_type = String)]
    pub shop_id: ShopId,
    /// Who ordered.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// How far it is.
    pub status: OrderStatus,
    /// What was ordered.
    pub lines: Vec<OrderRowLine>,
    /// What it costs, the discount taken off.
    #[schema(value_type = MoneySchema)]
    pub total: Money,
    /// What a coupon takes off the sum of the lines.
    #[schema(value_type = MoneySchema)]
    pub discount: Money,
    /// The coupon that it was placed with.
    pub coupon_used: Option<OrderCouponUsed>,
    /// Its payment.
    pub payment: OrderPayment,
    /// Its delivery, once it reached the shop.
    pub delivery: Option<OrderDelivery>,
    /// What the customer gave back of it, and why. (What a cancellation gives back shows in `payment.refunded`.)
    pub refunds: Vec<OrderRefund>,
    /// The coupon that it earned.
    pub coupon_issued: Option<OrderCoupon>,
    /// Why it is no deal.
    pub rejection: Option<OrderRejected>,
    /// Who undid it, and what brought that about.
    pub cancellation: Option<OrderCancellation>,
    /// When it was placed.
    pub placed_at: DateTime<Utc>,
    /// When it, or anything that belongs to it, changed last.
    pub updated_at: DateTime<Utc>,
    /// Version of the order's stream.
    pub version: Version,
    /// The last event that touched the row.
    pub position: Position,
    /// Not shown.
    #[serde(default = "OrderInternal::unknown")]
    pub internal: OrderInternal,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderRowLine {
    /// Which product.
    #[schema(value_type = Uuid)]
    pub product_id: ProductId,
    /// Its name when the order was placed.
    pub name: String,
    /// The menu option, if one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// How many.
    pub quantity: u32,
    /// How many of them went back.
    #[serde(default)]
    pub returned: u32,
    /// The price of one piece when the order was placed.
    #[schema(value_type = MoneySchema)]
    pub unit_price: Money,
}

/// The payment of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderPayment {
    /// Which payment.
    #[schema(value_type = Uuid)]
    pub payment_id: PaymentId,
    /// How far it is.
    pub status: PaymentStatus,
    /// What was taken.
    #[schema(value_type = MoneySchema)]
    pub captured: Money,
    /// What was given back.
    #[schema(value_type = MoneySchema)]
    pub refunded: Money,
}

/// The delivery of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderDelivery {
    /// Which delivery.
    #[schema(value_type = Uuid)]
    pub delivery_id: DeliveryId,
    /// How far it is.
    pub status: DeliveryStatus,
    /// Until when goods may go back; nothing before they arrived, and when they never may.
    pub returnable_until: Option<DateTime<Utc>>,
}

/// A refund that the customer asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderRefund {
    /// Which refund.
    #[schema(value_type = Uuid)]
    pub refund_id: RefundId,
    /// How far it is.
    pub status: OrderRefundStatus,
    /// Why, in the customer's words; filled in from the erasable table when it is shown.
    pub reason: Option<String>,
    /// Where the reason stands.
    #[schema(value_type = Uuid)]
    pub reason_id: ContactId,
    /// What the goods were charged with (0 until the shop takes them back); of a completed refund what was given back.
    #[schema(value_type = MoneySchema)]
    pub amount: Money,
    /// What came off for a coupon that was spent already.
    #[schema(value_type = MoneySchema)]
    pub deducted: Money,
    /// Why it is not possible, such as `window_over`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub refusal: Option<ReturnRefusal>,
}

/// The coupon that an order uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderCouponUsed {
    /// Which coupon.
    #[schema(value_type = Uuid)]
    pub coupon_id: CouponId,
    /// What it takes off.
    #[schema(value_type = MoneySchema)]
    pub discount: Money,
}

/// The coupon that an order earned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderCoupon {
    /// Which coupon.
    #[schema(value_type = Uuid)]
    pub coupon_id: CouponId,
    /// What it is good for.
    pub status: CouponStatus,
}

/// Why an order is no deal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderRejected {
    /// The reason in a word.
    pub code: RejectionCode,
    /// The product that could not be put aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub product_id: Option<ProductId>,
    /// Pieces that were left of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<u64>,
    /// The coupon that could not be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub coupon_id: Option<CouponId>,
    /// Why it could not, such as `already_redeemed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub coupon_refusal: Option<CouponRefusal>,
    /// The payment provider's word for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<String>,
}

/// How an order came to be undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderCancellation {
    /// Who asked, such as `customer:alice`.
    #[schema(value_type = String)]
    pub by: Actor,
    /// What brought it about.
    #[schema(value_type = String)]
    pub cause: CancellationCause,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// Why, in their words; filled in from the erasable table when it is shown.
    pub reason: Option<String>,
}

/// What a row of `orders` knows and does not show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderInternal {
    /// Where the recipient stands.
    #[schema(value_type = Uuid)]
    pub contact_id: ContactId,
    /// Where the reason of the cancellation stands.
    #[schema(value_type = Option<Uuid>)]
    pub cancellation_reason_id: Option<ContactId>,
    /// Refunds of the payment that are started and not done.
    #[schema(value_type = Vec<Uuid>)]
    pub open_refunds: Vec<RefundId>,
    /// Goods on their way back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub returning: Vec<ReturnLine>,
    /// What decides about the coupon that it earned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<CouponStanding>,
}

impl OrderInternal {
    /// For a document that came without: nobody stands under the nil id.
    fn unknown() -> Self {
        Self {
            contact_id: ContactId::from_uuid(Uuid::nil()),
            cancellation_reason_id: None,
            open_refunds: Vec::new(),
            returning: Vec::new(),
            coupon: None,
        }
    }
}
