//! What can have happened to a refund.

use serde::{Deserialize, Serialize};

use crate::{
    ContactId, CouponId, CustomerId, DeliveryId, Money, OrderId, PaymentId, ProductId, Quantity, RefundId,
    ShopId, coupon::PromisedCoupon, delivery::ReturnRefusal,
};

/// Pieces of a product that go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnedLine {
    /// Which product.
    pub product_id: ProductId,
    /// How many.
    pub quantity: Quantity,
}

events! {
    /// Facts about one refund: money back for goods that were delivered.
    pub enum RefundEvent {
        /// The customer wants money back.
        "refund.requested" @ 1 => RefundRequested {
            /// Which refund.
            refund_id: RefundId,
            /// Of which order.
            order_id: OrderId,
            /// Of which shop.
            shop_id: ShopId,
            /// Whose.
            customer_id: CustomerId,
            /// The payment that gives the money back.
            payment_id: PaymentId,
            /// The delivery that takes the goods back.
            delivery_id: DeliveryId,
            /// What goes back; empty means everything that is left.
            lines: Vec<ReturnedLine>,
            /// The coupon that the order earned, if it did.
            coupon: Option<PromisedCoupon>,
            /// The coupon that the order uses, if it does: whoever gives everything back has it again.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            used_coupon_id: Option<CouponId>,
            /// Where the reason in the customer's words stands.
            reason_id: ContactId,
        },
        /// The goods may go back.
        "refund.accepted" @ 1 => RefundAccepted {
            /// Of which order.
            order_id: OrderId,
            /// What the goods were charged with.
            amount: Money,
        },
        /// The goods cannot go back.
        "refund.refused" @ 1 => RefundRefused {
            /// Of which order.
            order_id: OrderId,
            /// Why.
            reason: ReturnRefusal,
        },
        /// The money is given back.
        "refund.completed" @ 1 => RefundCompleted {
            /// Of which order.
            order_id: OrderId,
            /// What was given back.
            amount: Money,
            /// What came off for a coupon that was spent already.
            deducted: Money,
        },
        /// The return was called off, and the refund with it.
        "refund.cancelled" @ 1 => RefundCancelled {
            /// Of which order.
            order_id: OrderId,
        },
    }
}
