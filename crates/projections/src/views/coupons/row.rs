//! A row of `coupons`.

use chrono::{DateTime, Utc};
use domain::{
    CouponId, CustomerId, Money, OrderId, Position, RefundId, ShopId, Version, coupon::CouponValue,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::views::{CouponStanding, CouponStatus, CouponWorthSchema, MoneySchema};

words! {
    /// How a coupon's value is meant.
    pub enum CouponKind {
        /// So much money.
        Amount = "amount",
        /// So many hundredths.
        Percent = "percent",
    }
}

/// What a coupon takes off a later order.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CouponWorth {
    /// So much money, or the whole order if that is less.
    Amount(Money),
    /// So many hundredths of the order.
    Percent(u8),
}

/// A coupon: of one shop, for one customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CouponRow {
    /// Which coupon.
    #[schema(value_type = Uuid)]
    pub coupon_id: CouponId,
    /// Of which shop.
    #[schema(value_type = String)]
    pub shop_id: ShopId,
    /// Whose.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// The order that earned it.
    #[schema(value_type = Uuid)]
    pub order_id: OrderId,
    /// What it is good for.
    pub status: CouponStatus,
    /// How its value is meant.
    pub kind: CouponKind,
    /// What it takes off a later order.
    #[schema(value_type = CouponWorthSchema)]
    pub value: CouponWorth,
    /// The order that uses it.
    pub used_by: Option<CouponUse>,
    /// The refund that took it back, of a coupon that is withheld or revoked; the newest if there are several.
    #[schema(value_type = Option<Uuid>)]
    pub revoked_by: Option<RefundId>,
    /// When the customer got it; nothing if it was withheld.
    pub issued_at: Option<DateTime<Utc>>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
    /// Version of the coupon's stream.
    pub version: Version,
    /// The last event that touched the row.
    pub position: Position,
    /// Not shown.
    #[serde(default)]
    pub internal: CouponInternal,
}

/// The use of a coupon.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CouponUse {
    /// Which order.
    #[schema(value_type = Uuid)]
    pub order_id: OrderId,
    /// What it takes off.
    #[schema(value_type = MoneySchema)]
    pub discount: Money,
}

/// What a row of `coupons` knows and does not show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CouponInternal {
    /// What decides about it.
    pub standing: CouponStanding,
}

impl CouponRow {
    pub(super) fn worth(value: CouponValue) -> (CouponKind, CouponWorth) {
        match value {
            CouponValue::Amount(amount) => (CouponKind::Amount, CouponWorth::Amount(amount)),
            CouponValue::Percent(percent) => (CouponKind::Percent, CouponWorth::Percent(percent)),
        }
    }
}
