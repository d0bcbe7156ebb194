//! What the past of an order comes to.

use serde::{Deserialize, Serialize};

use super::{AppliedCoupon, CancellationCause, OrderEvent, OrderPlaced, OrderRejection, delivery_of};
use crate::{
    ContactId, CouponPolicy, CustomerId, DeliveryId, Money, OrderId, PaymentId, ProductId, Quantity, ShopId,
    ShopPolicy,
    coupon::{PromisedCoupon, coupon_of},
};

/// What every order that exists knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderDetails {
    /// Which order.
    pub order_id: OrderId,
    /// From which shop.
    pub shop_id: ShopId,
    /// Who ordered.
    pub customer_id: CustomerId,
    /// Products, quantities and what each line costs.
    pub lines: Vec<(ProductId, Quantity, Money)>,
    /// What it costs, the coupon's discount taken off.
    pub total: Money,
    /// The coupon that it uses.
    pub coupon: Option<AppliedCoupon>,
    /// The policy it was placed under.
    pub policy: ShopPolicy,
    /// Where the recipient stands.
    pub contact_id: ContactId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// Its delivery, once it is confirmed.
    pub delivery_id: DeliveryId,
}

impl OrderDetails {
    /// The products of the order, each once.
    #[must_use]
    pub fn products(&self) -> Vec<ProductId> {
        let mut products: Vec<ProductId> = self.lines.iter().map(|(product, ..)| *product).collect();
        products.sort_unstable();
        products.dedup();
        products
    }

    /// The coupon that the order earns once it is completed: if the policy promises one and enough is paid for it.
    #[must_use]
    pub fn promised_coupon(&self) -> Option<PromisedCoupon> {
        let CouponPolicy { value, minimum } = self.policy.coupon?;
        let earned =
            minimum.currency == self.total.currency && self.total.amount_minor >= minimum.amount_minor;
        earned.then_some(PromisedCoupon { coupon_id: coupon_of(self.order_id), value, minimum })
    }
}

/// An order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Order {
    /// No such order.
    #[default]
    Absent,
    /// Placed; the payment is not decided.
    AwaitingPayment(OrderDetails),
    /// A deal.
    Confirmed(OrderDetails),
    /// Being undone.
    Cancelling {
        /// The order.
        order: OrderDetails,
        /// Whether it was a deal.
        was_confirmed: bool,
        /// What brought it about.
        cause: CancellationCause,
    },
    /// Undone.
    Cancelled(OrderDetails),
    /// Never a deal.
    Rejected {
        /// The order.
        order: OrderDetails,
        /// Why.
        reason: OrderRejection,
    },
    /// Done.
    Completed(OrderDetails),
}

impl Order {
    /// The details, of an order that exists.
    #[must_use]
    pub fn details(&self) -> Option<&OrderDetails> {
        match self {
            Self::Absent => None,
            Self::AwaitingPayment(order)
            | Self::Confirmed(order)
            | Self::Cancelling { order, .. }
            | Self::Cancelled(order)
            | Self::Rejected { order, .. }
            | Self::Completed(order) => Some(order),
        }
    }

    fn into_details(self) -> Option<OrderDetails> {
        match self {
            Self::Absent => None,
            Self::AwaitingPayment(order)
            | Self::Confirmed(order)
            | Self::Cancelling { order, .. }
            | Self::Cancelled(order)
            | Self::Rejected { order, .. }
            | Self::Completed(order) => Some(order),
        }
    }
}

pub(super) fn evolve(state: &mut Order, event: &OrderEvent) {
    if let OrderEvent::OrderPlaced(placed) = event {
        *state = Order::AwaitingPayment(details(placed));
        return;
    }
    let Some(order) = std::mem::take(state).into_details() else { return };
    *state = match event {
        OrderEvent::OrderPlaced(_) => Order::AwaitingPayment(order),
        OrderEvent::OrderConfirmed(_) | OrderEvent::OrderCancellationRefused(_) => Order::Confirmed(order),
        OrderEvent::OrderRejected(event) => Order::Rejected { order, reason: event.reason.clone() },
        OrderEvent::OrderCancellationRequested(event) => {
            Order::Cancelling { order, was_confirmed: event.was_confirmed, cause: event.cause }
        }
        OrderEvent::OrderCancelled(_) => Order::Cancelled(order),
        OrderEvent::OrderCompleted(_) => Order::Completed(order),
    };
}

fn details(placed: &OrderPlaced) -> OrderDetails {
    OrderDetails {
        order_id: placed.order_id,
        shop_id: placed.shop_id.clone(),
        customer_id: placed.customer_id.clone(),
        lines: placed
            .lines
            .iter()
            .map(|line| {
                // Checked when the order was placed: the sum of all lines fits.
                let cost = line.unit_price.times(line.quantity).unwrap_or(line.unit_price);
                (line.product_id, line.quantity, cost)
            })
            .collect(),
        total: placed.total,
        coupon: placed.coupon,
        policy: placed.policy.clone(),
        contact_id: placed.contact_id,
        payment_id: placed.payment_id,
        delivery_id: delivery_of(placed.order_id),
    }
}

pub(super) fn status(order: &Order) -> &'static str {
    match order {
        Order::Absent => "absent",
        Order::AwaitingPayment(_) => "awaiting_payment",
        Order::Confirmed(_) => "confirmed",
        Order::Cancelling { .. } => "cancelling",
        Order::Cancelled(_) => "cancelled",
        Order::Rejected { .. } => "rejected",
        Order::Completed(_) => "completed",
    }
}
