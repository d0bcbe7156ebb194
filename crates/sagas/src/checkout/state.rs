//! What checkout remembers of an order.

use std::collections::BTreeMap;

use domain::{
    AnyCommand, ContactId, CustomerId, Money, OrderId, PaymentId, PaymentTerms, ProductId, ShopId, Timestamp,
    coupon::CouponCommand,
    order::{AppliedCoupon, OrderPlaced, OrderRejection, total_of},
    payment::{PaymentCommand, PaymentTiming},
};
use serde::{Deserialize, Serialize};

/// The process; see the [module](super).
#[derive(Clone, Copy, Debug)]
pub struct Checkout;

/// A coupon that is to be used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsedCoupon {
    /// Which coupon, and what it takes off.
    #[serde(flatten)]
    pub coupon: AppliedCoupon,
    /// What the goods cost before that.
    pub subtotal: Money,
}

/// What is being bought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Basket {
    /// Which order.
    pub order_id: OrderId,
    /// From which shop.
    pub shop_id: ShopId,
    /// Who buys.
    pub customer_id: CustomerId,
    /// Products and pieces, each product once.
    pub products: Vec<(ProductId, u64)>,
    /// What it costs, the coupon's discount taken off.
    pub total: Money,
    /// The coupon that it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<UsedCoupon>,
    /// The payment that decides it.
    pub payment_id: PaymentId,
    /// When the payment must be decided.
    pub payment_due_at: Timestamp,
    /// Within the order call, or later.
    pub timing: PaymentTiming,
    /// Where the payment token stands.
    pub contact_id: ContactId,
}

impl Basket {
    pub(super) fn of(placed: &OrderPlaced) -> Self {
        let mut products = BTreeMap::new();
        for line in &placed.lines {
            *products.entry(line.product_id).or_insert(0) += u64::from(line.quantity.get());
        }
        Self {
            order_id: placed.order_id,
            shop_id: placed.shop_id.clone(),
            customer_id: placed.customer_id.clone(),
            products: products.into_iter().collect(),
            total: placed.total,
            coupon: placed.coupon.map(|coupon| UsedCoupon {
                coupon,
                // Checked when the order was placed: the sum of all lines can be formed.
                subtotal: total_of(&placed.lines).unwrap_or(placed.total),
            }),
            payment_id: placed.payment_id,
            payment_due_at: placed.payment_due_at,
            timing: match placed.policy.payment {
                PaymentTerms::AtOrder { .. } => PaymentTiming::AtOrder,
                PaymentTerms::Deferred { .. } => PaymentTiming::Deferred,
            },
            contact_id: placed.contact_id,
        }
    }

    pub(super) fn reserving(&self) -> CheckoutState {
        CheckoutState::Reserving {
            basket: self.clone(),
            missing: self.products.iter().map(|(product, _)| *product).collect(),
            refusal: None,
            cancelled: false,
        }
    }

    pub(super) fn request_payment(&self) -> AnyCommand {
        // A deferred payment gets its method later; one of nothing needs none and is captured at once.
        let at_once = self.timing == PaymentTiming::AtOrder || self.total.is_zero();
        let command = PaymentCommand::RequestPayment {
            payment_id: self.payment_id,
            subject: self.order_id.into(),
            customer_id: self.customer_id.clone(),
            shop_id: Some(self.shop_id.clone()),
            amount: self.total,
            timing: self.timing,
            method: at_once.then_some(self.contact_id),
            due_at: self.payment_due_at,
        };
        AnyCommand::Payment { id: self.payment_id, command }
    }

    pub(super) fn redeem(&self, used: &UsedCoupon) -> AnyCommand {
        let command = CouponCommand::RedeemCoupon {
            coupon_id: used.coupon.coupon_id,
            order_id: self.order_id,
            shop_id: self.shop_id.clone(),
            customer_id: self.customer_id.clone(),
            subtotal: used.subtotal,
            discount: used.coupon.discount,
        };
        AnyCommand::Coupon { id: used.coupon.coupon_id, command }
    }
}

/// How far checkout is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", content = "memory", rename_all = "snake_case")]
pub enum CheckoutState {
    /// Not begun.
    #[default]
    Idle,
    /// Stock is being put aside.
    Reserving {
        /// What is being bought.
        basket: Basket,
        /// Products that have not answered.
        missing: Vec<ProductId>,
        /// The first refusal.
        refusal: Option<OrderRejection>,
        /// Whether the customer has called the order back meanwhile.
        cancelled: bool,
    },
    /// The stock is put aside; the coupon is being used.
    Redeeming {
        /// What is being bought.
        basket: Basket,
        /// Whether the customer has called the order back meanwhile.
        cancelled: bool,
    },
    /// The payment is being made.
    Paying(Basket),
    /// The money is there.
    Confirming(Basket),
    /// It will be no deal.
    Rejecting(Basket),
    /// The customer called the order back.
    Undoing(Basket),
    /// Over.
    Done,
}
