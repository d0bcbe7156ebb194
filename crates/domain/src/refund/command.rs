//! What can be asked of a refund.

use serde::{Deserialize, Serialize};

use super::ReturnedLine;
use crate::{
    ContactId, CouponId, CustomerId, DeliveryId, Money, OrderId, PaymentId, RefundId, ShopId,
    coupon::PromisedCoupon, delivery::ReturnRefusal,
};

/// A command to a refund.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundCommand {
    /// A customer wants money back.
    RequestRefund {
        /// The new refund's id.
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
        /// The coupon that the order uses, if it does.
        used_coupon_id: Option<CouponId>,
        /// Where the reason in the customer's words stands.
        reason_id: ContactId,
    },
    /// The delivery takes the goods back.
    AcceptRefund {
        /// What they were charged with.
        amount: Money,
    },
    /// The delivery does not take the goods back.
    RefuseRefund {
        /// Why.
        reason: ReturnRefusal,
    },
    /// The money is given back.
    CompleteRefund {
        /// What was given back.
        amount: Money,
        /// What came off for a coupon.
        deducted: Money,
    },
    /// The return was called off.
    CancelRefund,
}
