//! What can have happened to a coupon.

use serde::{Deserialize, Serialize};

use crate::{CouponId, CustomerId, Money, OrderId, RefundId, ShopId};

/// What a coupon takes off an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum CouponValue {
    /// So much, or the whole order if that is less.
    Amount(Money),
    /// So many hundredths, 1 to 100; what cannot be split stays with the shop.
    Percent(u8),
}

impl CouponValue {
    /// Whether it is worth something, and no more than everything.
    #[must_use]
    pub fn makes_sense(self) -> bool {
        match self {
            Self::Amount(amount) => amount.amount_minor > 0,
            Self::Percent(percent) => (1..=100).contains(&percent),
        }
    }

    /// What it takes off `subtotal`: never more than that, nothing in another currency.
    #[must_use]
    pub fn discount_on(self, subtotal: Money) -> Money {
        let amount_minor = match self {
            Self::Amount(amount) if amount.currency == subtotal.currency => {
                amount.amount_minor.min(subtotal.amount_minor)
            }
            Self::Amount(_) => 0,
            Self::Percent(percent) => {
                let share = i128::from(subtotal.amount_minor) * i128::from(percent) / 100;
                i64::try_from(share).unwrap_or(subtotal.amount_minor)
            }
        };
        Money { amount_minor: amount_minor.max(0), currency: subtotal.currency }
    }
}

/// The coupon that an order earns once it is completed. Known from the order on, so that it can be taken back before it
/// is issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromisedCoupon {
    /// Which coupon.
    pub coupon_id: CouponId,
    /// What it takes off a later order.
    pub value: CouponValue,
    /// What must be kept of the order to keep the coupon.
    pub minimum: Money,
}

/// Why an order does not get a coupon's discount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CouponRefusal {
    /// There is no such coupon (yet).
    NotIssued,
    /// Another order uses it.
    AlreadyRedeemed,
    /// It was taken back.
    Revoked,
    /// It is somebody else's.
    OtherCustomer,
    /// It is another shop's.
    OtherShop,
    /// It takes off something else than the order was placed with.
    OtherDiscount,
    /// It takes nothing off this order, so it would be spent for nothing.
    NoDiscount,
}

impl CouponRefusal {
    /// The word that stands in answers and views.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NotIssued => "not_issued",
            Self::AlreadyRedeemed => "already_redeemed",
            Self::Revoked => "revoked",
            Self::OtherCustomer => "other_customer",
            Self::OtherShop => "other_shop",
            Self::OtherDiscount => "other_discount",
            Self::NoDiscount => "no_discount",
        }
    }
}

events! {
    /// Facts about one coupon: of one shop, for one customer.
    pub enum CouponEvent {
        /// The customer has it.
        "coupon.issued" @ 1 => CouponIssued {
            /// Which coupon.
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
        /// It was taken back before it was issued: it will not be.
        "coupon.withheld" @ 1 => CouponWithheld {
            /// Which coupon.
            coupon_id: CouponId,
            /// Of which shop.
            shop_id: ShopId,
            /// Whose it would have been.
            customer_id: CustomerId,
            /// The order that earned it.
            order_id: OrderId,
            /// What it would have taken off.
            value: CouponValue,
            /// The refund that took it back.
            refund_id: RefundId,
        },
        /// An order uses it.
        "coupon.redeemed" @ 1 => CouponRedeemed {
            /// Which coupon.
            coupon_id: CouponId,
            /// The order that uses it.
            order_id: OrderId,
            /// The order that earned it.
            earned_by: OrderId,
            /// What it takes off.
            discount: Money,
        },
        /// An order wanted to use it and may not.
        "coupon.redemption_refused" @ 1 => CouponRedemptionRefused {
            /// Which coupon.
            coupon_id: CouponId,
            /// The order that wanted it.
            order_id: OrderId,
            /// Why.
            reason: CouponRefusal,
        },
        /// The order that used it is off: it can be used again (or is revoked, if its own order was given back meanwhile).
        "coupon.released" @ 1 => CouponReleased {
            /// Which coupon.
            coupon_id: CouponId,
            /// The order that gave it back.
            order_id: OrderId,
            /// The order that earned it.
            earned_by: OrderId,
        },
        /// It was taken back: what is kept of its order is too little.
        "coupon.revoked" @ 1 => CouponRevoked {
            /// Which coupon.
            coupon_id: CouponId,
            /// The order that earned it.
            order_id: OrderId,
            /// The refund that took it back.
            refund_id: RefundId,
        },
        /// The refund that took it back is off: the coupon is good again, unless another refund took it back too.
        "coupon.reinstated" @ 1 => CouponReinstated {
            /// Which coupon.
            coupon_id: CouponId,
            /// The order that earned it.
            order_id: OrderId,
            /// The refund that is off.
            refund_id: RefundId,
        },
        /// It was to be taken back and is spent already: its worth comes off the refund, once over all refunds.
        "coupon.clawed_back" @ 1 => CouponClawedBack {
            /// Which coupon.
            coupon_id: CouponId,
            /// The order that earned it.
            order_id: OrderId,
            /// The refund that it comes off.
            refund_id: RefundId,
            /// How much; 0 when its worth came off an earlier refund.
            amount: Money,
        },
        /// The refund that it came off is off itself.
        "coupon.clawback_undone" @ 1 => CouponClawbackUndone {
            /// Which coupon.
            coupon_id: CouponId,
            /// The order that earned it.
            order_id: OrderId,
            /// The refund that is off.
            refund_id: RefundId,
        },
    }
}
