//! What can be asked of a delivery.

use serde::{Deserialize, Serialize};

use crate::{
    Actor, CancellableUntil, ContactId, CustomerId, DeliveryId, OrderId, ShopId, order::ChargedLine,
};

/// A command to a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryCommand {
    /// A paid order reaches the shop.
    RequestDelivery {
        /// The new delivery's id.
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
    /// The shop takes it on.
    AcceptDelivery {
        /// Who.
        by: Actor,
    },
    /// The shop starts making it.
    StartPreparation {
        /// Who.
        by: Actor,
    },
    /// It leaves the shop.
    ShipDelivery {
        /// Who.
        by: Actor,
    },
    /// It arrived.
    CompleteDelivery {
        /// Who.
        by: Actor,
    },
    /// It did not arrive.
    FailDelivery {
        /// Who says so.
        by: Actor,
        /// Where the reason in their words stands.
        reason_id: Option<ContactId>,
    },
    /// The shop calls it off.
    CancelDelivery {
        /// Who.
        by: Actor,
        /// Where the reason in their words stands.
        reason_id: Option<ContactId>,
    },
    /// The order is being cancelled. Too late gives an event, not an error.
    CancelForOrder {
        /// The delivery's id: it may not exist yet.
        delivery_id: DeliveryId,
        /// Of which order.
        order_id: OrderId,
        /// By which shop.
        shop_id: ShopId,
        /// To whom.
        customer_id: CustomerId,
    },
}
