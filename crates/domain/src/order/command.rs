//! What can be asked of an order.

use serde::{Deserialize, Serialize};

use super::{AppliedCoupon, CancellationCause, OrderLine, OrderRejection};
use crate::{Actor, ContactId, CustomerId, Money, OrderId, ShopId, ShopPolicy, Timestamp};

/// A command to an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderCommand {
    /// A customer orders.
    PlaceOrder {
        /// The new order's id.
        order_id: OrderId,
        /// From which shop.
        shop_id: ShopId,
        /// Who orders.
        customer_id: CustomerId,
        /// What, at which prices: taken from the products just now.
        lines: Vec<OrderLine>,
        /// The coupon that it uses and what that takes off: taken from the coupon just now.
        coupon: Option<AppliedCoupon>,
        /// The total that the customer saw, if they said so.
        expected_total: Option<Money>,
        /// The shop's policy just now.
        policy: ShopPolicy,
        /// Where the recipient stands.
        contact_id: ContactId,
        /// Now; the payment's deadline follows from it.
        at: Timestamp,
    },
    /// The money is there (or nothing was to be paid).
    ConfirmOrder,
    /// The order cannot become a deal.
    RejectOrder {
        /// Why.
        reason: OrderRejection,
    },
    /// Somebody wants the order undone.
    RequestCancellation {
        /// Who.
        by: Actor,
        /// What brought it about.
        cause: CancellationCause,
        /// Where the reason in their words stands.
        reason_id: Option<ContactId>,
    },
    /// It is too late to cancel: the goods are on their way.
    RefuseCancellation,
    /// Everything is undone.
    FinishCancellation,
    /// The goods arrived.
    CompleteOrder,
}
