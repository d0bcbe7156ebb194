//! What can be asked of a coupon.

use serde::{Deserialize, Serialize};

use super::CouponValue;
use crate::{CouponId, CustomerId, Money, OrderId, RefundId, ShopId};

/// A command to a coupon.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CouponCommand {
    /// An order earned it.
    IssueCoupon {
        /// The new coupon's id.
        coupon_id: CouponId,
        /// Of which shop.
        shop_id: ShopId,
        /// Whose.
        customer_id: CustomerId,
        /// The order that earned it.
        order_id: OrderId,
        /// What it takes off.
        value: CouponValue,
    },
    /// An order wants to use it. A refusal is an event, since checkout waits for it.
    RedeemCoupon {
        /// Which coupon: it may not exist.
        coupon_id: CouponId,
        /// The order.
        order_id: OrderId,
        /// Of which shop.
        shop_id: ShopId,
        /// By whom.
        customer_id: CustomerId,
        /// What the order costs before the discount.
        subtotal: Money,
        /// What the order was placed with.
        discount: Money,
    },
    /// The order that uses it is off.
    ReleaseCoupon {
        /// The order.
        order_id: OrderId,
    },
    /// Its own order is given back: take it back, or its worth if it is spent. The answer is always an event, one for
    /// each refund.
    RevokeCoupon {
        /// Which coupon: it may not be issued yet.
        coupon_id: CouponId,
        /// Of which shop.
        shop_id: ShopId,
        /// Whose.
        customer_id: CustomerId,
        /// The order that earned it.
        order_id: OrderId,
        /// What it takes off.
        value: CouponValue,
        /// The refund.
        refund_id: RefundId,
        /// The most that can come off the refund.
        at_most: Money,
        /// Refunds of the order that were called off before this one began.
        #[serde(default)]
        called_off: Vec<RefundId>,
    },
    /// The refund that took it back is off.
    ReinstateCoupon {
        /// The refund.
        refund_id: RefundId,
    },
}
