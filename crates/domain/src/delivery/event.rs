//! What can have happened to a delivery.

use serde::{Deserialize, Serialize};

use crate::{
    Actor, CancellableUntil, ContactId, CustomerId, DeliveryId, OrderId, ShopId, order::ChargedLine,
};

/// Who called a delivery off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelledBy {
    /// The order's cancellation.
    Order,
    /// The shop.
    Shop,
}

events! {
    /// Facts about one delivery.
    pub enum DeliveryEvent {
        /// A paid order reached the shop.
        "delivery.requested" @ 1 => DeliveryRequested {
            /// Which delivery.
            delivery_id: DeliveryId,
            /// Of which order.
            order_id: OrderId,
            /// By which shop.
            shop_id: ShopId,
            /// To whom.
            customer_id: CustomerId,
            /// What.
            lines: Vec<ChargedLine>,
            /// Whether the goods are made first.
            needs_preparation: bool,
            /// Until when the order can be cancelled.
            cancellable_until: CancellableUntil,
        },
        /// The shop took it on.
        "delivery.accepted" @ 1 => DeliveryAccepted {
            /// Of which order.
            order_id: OrderId,
            /// Who.
            by: Actor,
        },
        /// The shop is making it.
        "delivery.preparation_started" @ 1 => PreparationStarted {
            /// Of which order.
            order_id: OrderId,
            /// Who.
            by: Actor,
        },
        /// It left the shop.
        "delivery.shipped" @ 1 => DeliveryShipped {
            /// Of which order.
            order_id: OrderId,
            /// Who.
            by: Actor,
        },
        /// It arrived.
        "delivery.completed" @ 1 => DeliveryCompleted {
            /// Of which order.
            order_id: OrderId,
            /// Who.
            by: Actor,
        },
        /// It did not arrive.
        "delivery.failed" @ 1 => DeliveryFailed {
            /// Of which order.
            order_id: OrderId,
            /// Who said so.
            by: Actor,
            /// Where the reason in their words stands.
            reason_id: Option<ContactId>,
        },
        /// It was called off.
        "delivery.cancelled" @ 1 => DeliveryCancelled {
            /// Which delivery: it may never have been requested.
            delivery_id: DeliveryId,
            /// Of which order.
            order_id: OrderId,
            /// By which shop.
            shop_id: ShopId,
            /// To whom.
            customer_id: CustomerId,
            /// Who called it off.
            cancelled_by: CancelledBy,
            /// Where the reason in their words stands.
            reason_id: Option<ContactId>,
        },
        /// The order's cancellation came too late for it.
        "delivery.cancellation_refused" @ 1 => DeliveryCancellationRefused {
            /// Of which order.
            order_id: OrderId,
        },
    }
}
