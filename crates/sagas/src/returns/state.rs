//! What returns remembers of a refund.

use domain::{
    AnyCommand, CouponId, CustomerId, Money, OrderId, PaymentId, RefundId, ShopId,
    coupon::{CouponCommand, PromisedCoupon},
    delivery::ReturnStarted,
    payment::PaymentCommand,
    refund::{RefundCommand, RefundRequested},
};
use serde::{Deserialize, Serialize};

/// The process; see the [module](super).
#[derive(Clone, Copy, Debug)]
pub struct Returns;

/// What is wanted back, by whom, from where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// Which refund.
    pub refund_id: RefundId,
    /// Of which order.
    pub order_id: OrderId,
    /// Of which shop.
    pub shop_id: ShopId,
    /// Whose.
    pub customer_id: CustomerId,
    /// The payment that gives the money back.
    pub payment_id: PaymentId,
    /// The coupon that the order earned, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<PromisedCoupon>,
    /// The coupon that the order uses, while what goes back is all that is left of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_coupon_id: Option<CouponId>,
}

/// Where the goods are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goods {
    /// On their way back.
    Underway,
    /// At the shop.
    Received,
    /// With the customer: the way back was called off.
    Kept,
}

/// How far a refund is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", content = "memory", rename_all = "snake_case")]
pub enum ReturnsState {
    /// Not begun.
    #[default]
    Idle,
    /// The delivery is asked.
    Requested(Claim),
    /// The goods are on their way back; the coupon is being taken back.
    Revoking {
        /// The refund.
        claim: Claim,
        /// What the goods were charged with.
        amount: Money,
        /// What has become of the goods meanwhile.
        goods: Goods,
    },
    /// The goods are on their way back.
    Returning {
        /// The refund.
        claim: Claim,
        /// What the goods were charged with.
        amount: Money,
        /// What comes off for the coupon; none when the customer keeps it.
        deducted: Option<Money>,
    },
    /// The money is on its way back.
    Paying {
        /// The refund.
        claim: Claim,
        /// What came off for the coupon.
        deducted: Money,
    },
    /// Over.
    Done,
}

impl Claim {
    pub(super) fn of(requested: &RefundRequested) -> Self {
        Self {
            refund_id: requested.refund_id,
            order_id: requested.order_id,
            shop_id: requested.shop_id.clone(),
            customer_id: requested.customer_id.clone(),
            payment_id: requested.payment_id,
            coupon: requested.coupon,
            used_coupon_id: requested.used_coupon_id,
        }
    }

    pub(super) fn refund(&self, command: RefundCommand) -> AnyCommand {
        AnyCommand::Refund { id: self.refund_id, command }
    }

    pub(super) fn pay_back(&self, amount: Money) -> AnyCommand {
        let command = PaymentCommand::StartRefund { refund_id: self.refund_id, amount };
        AnyCommand::Payment { id: self.payment_id, command }
    }

    pub(super) fn release_coupon(&self) -> Option<(String, AnyCommand)> {
        let command = CouponCommand::ReleaseCoupon { order_id: self.order_id };
        self.used_coupon_id.map(|id| ("release_coupon".to_owned(), AnyCommand::Coupon { id, command }))
    }

    pub(super) fn revoke_coupon(&self, coupon: PromisedCoupon, started: &ReturnStarted) -> AnyCommand {
        let command = CouponCommand::RevokeCoupon {
            coupon_id: coupon.coupon_id,
            shop_id: self.shop_id.clone(),
            customer_id: self.customer_id.clone(),
            order_id: self.order_id,
            value: coupon.value,
            refund_id: self.refund_id,
            at_most: started.amount,
            called_off: started.called_off.clone(),
        };
        AnyCommand::Coupon { id: coupon.coupon_id, command }
    }

    pub(super) fn reinstate_coupon(&self, coupon: PromisedCoupon) -> (String, AnyCommand) {
        let command = CouponCommand::ReinstateCoupon { refund_id: self.refund_id };
        ("reinstate_coupon".to_owned(), AnyCommand::Coupon { id: coupon.coupon_id, command })
    }
}
