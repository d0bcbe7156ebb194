//! What can have happened to an order.

use serde::{Deserialize, Serialize};

use crate::{
    Actor, ContactId, CouponId, CustomerId, DeliveryId, Money, OrderId, PaymentId, ProductId, Quantity,
    ShopId, ShopPolicy, Timestamp,
    coupon::{CouponRefusal, PromisedCoupon},
    product::RefusalReason,
};

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Which product.
    pub product_id: ProductId,
    /// Its name when the order was placed.
    pub name: String,
    /// The menu option, if one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// How many.
    pub quantity: Quantity,
    /// The price of one piece when the order was placed.
    pub unit_price: Money,
}

/// What was charged for one line: the base of every refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargedLine {
    /// Which product.
    pub product_id: ProductId,
    /// How many.
    pub quantity: Quantity,
    /// For all of them together, discounts taken off.
    pub charged: Money,
}

/// A coupon that an order uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedCoupon {
    /// Which coupon.
    pub coupon_id: CouponId,
    /// What it takes off the lines' sum.
    pub discount: Money,
}

/// Why an order did not become a deal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum OrderRejection {
    /// A product could not be put aside.
    StockRefused {
        /// Which.
        product_id: ProductId,
        /// Why.
        refusal: RefusalReason,
    },
    /// The coupon could not be used.
    CouponRefused {
        /// Which.
        coupon_id: CouponId,
        /// Why.
        refusal: CouponRefusal,
    },
    /// The provider declined the payment.
    PaymentDeclined {
        /// The provider's word for it.
        decline_code: String,
    },
    /// The payment was not made, or not decided, in time.
    PaymentExpired,
}

/// What brought a cancellation about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancellationCause {
    /// The customer, or an operator for them.
    Requested,
    /// The shop cancelled the delivery.
    ShopCancelledDelivery,
    /// The delivery failed on the way.
    DeliveryFailed,
}

impl CancellationCause {
    /// The word that stands in views.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::ShopCancelledDelivery => "shop_cancelled_delivery",
            Self::DeliveryFailed => "delivery_failed",
        }
    }
}

events! {
    /// Facts about one order.
    pub enum OrderEvent {
        /// A customer ordered; the payment is not decided yet.
        "order.placed" @ 1 => OrderPlaced {
            /// Which order.
            order_id: OrderId,
            /// From which shop.
            shop_id: ShopId,
            /// Who ordered.
            customer_id: CustomerId,
            /// What, at which prices.
            lines: Vec<OrderLine>,
            /// What it costs, the coupon's discount taken off.
            total: Money,
            /// The coupon that it uses.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            coupon: Option<AppliedCoupon>,
            /// The policy it was placed under.
            policy: ShopPolicy,
            /// Where the recipient and the payment token stand.
            contact_id: ContactId,
            /// The payment that decides it.
            payment_id: PaymentId,
            /// When the payment must be decided.
            payment_due_at: Timestamp,
        },
        /// It is a deal: paid, and taken by the shop.
        "order.confirmed" @ 1 => OrderConfirmed {
            /// Which order.
            order_id: OrderId,
            /// The shop that ships.
            shop_id: ShopId,
            /// Who gets it.
            customer_id: CustomerId,
            /// The delivery to request.
            delivery_id: DeliveryId,
            /// What was charged, per line.
            lines: Vec<ChargedLine>,
            /// The policy it was placed under.
            policy: ShopPolicy,
        },
        /// It is no deal.
        "order.rejected" @ 1 => OrderRejected {
            /// Which order.
            order_id: OrderId,
            /// Why.
            reason: OrderRejection,
        },
        /// Somebody wants it undone.
        "order.cancellation_requested" @ 1 => OrderCancellationRequested {
            /// Which order.
            order_id: OrderId,
            /// Who asked.
            by: Actor,
            /// What brought it about.
            cause: CancellationCause,
            /// Where the reason in their words stands.
            reason_id: Option<ContactId>,
            /// Whether it was a deal already: then cancellation undoes it, else checkout.
            was_confirmed: bool,
            /// Whose order it is.
            customer_id: CustomerId,
            /// The shop.
            shop_id: ShopId,
            /// The payment to give back.
            payment_id: PaymentId,
            /// The delivery to stop.
            delivery_id: DeliveryId,
            /// The products whose pieces go back on the shelf.
            products: Vec<ProductId>,
            /// The amount to give back.
            amount: Money,
            /// The coupon to give back, if one was used.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            coupon_id: Option<CouponId>,
        },
        /// It was too late.
        "order.cancellation_refused" @ 1 => OrderCancellationRefused {
            /// Which order.
            order_id: OrderId,
        },
        /// Everything is undone.
        "order.cancelled" @ 1 => OrderCancelled {
            /// Which order.
            order_id: OrderId,
        },
        /// The goods arrived.
        "order.completed" @ 1 => OrderCompleted {
            /// Which order.
            order_id: OrderId,
            /// Whose order it is.
            customer_id: CustomerId,
            /// The shop.
            shop_id: ShopId,
            /// The coupon that it earned, if it did.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            coupon: Option<PromisedCoupon>,
        },
    }
}
