//! A row of `deliveries`.

use chrono::{DateTime, Utc};
use domain::{
    ContactId, CustomerId, DeliveryId, OrderId, Position, ProductId, RefundId, ShopId, Version,
    delivery::DeliveryEvent,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

words! {
    /// How far a delivery is.
    pub enum DeliveryStatus {
        /// At the shop.
        Requested = "requested",
        /// Taken on.
        Accepted = "accepted",
        /// Being made.
        Preparing = "preparing",
        /// On its way.
        Shipped = "shipped",
        /// Arrived.
        Delivered = "delivered",
        /// Arrived, and some or all of it is on its way back.
        Returning = "returning",
        /// Arrived, and all of it went back.
        Returned = "returned",
        /// Did not arrive.
        Failed = "failed",
        /// Called off.
        Cancelled = "cancelled",
    }
}

impl DeliveryStatus {
    /// Where an event leads; none if the delivery stays where it is. `kept`: whether the customer keeps any of the goods
    /// once the return that is under way is received.
    pub(crate) fn after(event: &DeliveryEvent, kept: bool) -> Option<Self> {
        Some(match event {
            DeliveryEvent::DeliveryRequested(_) => Self::Requested,
            DeliveryEvent::DeliveryAccepted(_) => Self::Accepted,
            DeliveryEvent::PreparationStarted(_) => Self::Preparing,
            DeliveryEvent::DeliveryShipped(_) => Self::Shipped,
            DeliveryEvent::DeliveryCompleted(_) | DeliveryEvent::ReturnCancelled(_) => Self::Delivered,
            DeliveryEvent::DeliveryFailed(_) => Self::Failed,
            DeliveryEvent::DeliveryCancelled(_) => Self::Cancelled,
            DeliveryEvent::ReturnStarted(_) => Self::Returning,
            DeliveryEvent::ReturnReceived(_) if kept => Self::Delivered,
            DeliveryEvent::ReturnReceived(_) => Self::Returned,
            DeliveryEvent::DeliveryCancellationRefused(_)
            | DeliveryEvent::ReturnRefused(_)
            | DeliveryEvent::ReturnWindowClosed(_) => return None,
        })
    }
}

/// A delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryRow {
    /// Which delivery.
    #[schema(value_type = Uuid)]
    pub delivery_id: DeliveryId,
    /// Of which order.
    #[schema(value_type = Uuid)]
    pub order_id: OrderId,
    /// By which shop.
    #[schema(value_type = String)]
    pub shop_id: ShopId,
    /// To whom.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// How far it is.
    pub status: DeliveryStatus,
    /// What; nothing for a delivery that was called off before it reached the shop.
    pub lines: Vec<DeliveryLine>,
    /// Whether the goods are made first.
    pub needs_preparation: bool,
    /// What is on its way back.
    pub open_return: Option<OpenReturn>,
    /// Until when goods may go back; nothing before they arrived, and when they never may.
    pub returnable_until: Option<DateTime<Utc>>,
    /// When it reached the shop; nothing if it was called off before.
    pub requested_at: Option<DateTime<Utc>>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
    /// Version of the delivery's stream.
    pub version: Version,
    /// The last event that touched the row.
    pub position: Position,
    /// Not shown.
    #[serde(default)]
    pub internal: DeliveryInternal,
}

/// One line of a delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryLine {
    /// Which product.
    #[schema(value_type = Uuid)]
    pub product_id: ProductId,
    /// How many.
    pub quantity: u32,
    /// How many of them went back.
    #[serde(default)]
    pub returned: u32,
}

/// Goods on their way back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OpenReturn {
    /// For which refund.
    #[schema(value_type = Uuid)]
    pub refund_id: RefundId,
    /// What.
    pub lines: Vec<ReturnLine>,
}

/// Pieces of a product that go back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReturnLine {
    /// Which product.
    #[schema(value_type = Uuid)]
    pub product_id: ProductId,
    /// How many.
    pub quantity: u32,
}

/// What a row of `deliveries` knows and does not show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeliveryInternal {
    /// Where the reason of a failure or cancellation stands.
    #[schema(value_type = Option<Uuid>)]
    pub reason_id: Option<ContactId>,
}
