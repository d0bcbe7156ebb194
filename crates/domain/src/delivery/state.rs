//! What the past of a delivery comes to.

use serde::{Deserialize, Serialize};

use super::DeliveryEvent;
use crate::{CancellableUntil, CustomerId, DeliveryId, OrderId, ShopId, order::ChargedLine};

/// What is known of a delivery that was requested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeliveryDetails {
    /// Which delivery.
    pub delivery_id: DeliveryId,
    /// Of which order.
    pub order_id: OrderId,
    /// By which shop.
    pub shop_id: ShopId,
    /// To whom.
    pub customer_id: CustomerId,
    /// What.
    pub lines: Vec<ChargedLine>,
    /// Whether the goods are made first.
    pub needs_preparation: bool,
    /// Until when the order can be cancelled.
    pub cancellable_until: CancellableUntil,
}

/// A delivery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Delivery {
    /// No such delivery.
    #[default]
    Absent,
    /// At the shop.
    Requested(DeliveryDetails),
    /// Taken on.
    Accepted(DeliveryDetails),
    /// Being made.
    Preparing(DeliveryDetails),
    /// On its way.
    Shipped(DeliveryDetails),
    /// Arrived.
    Delivered(DeliveryDetails),
    /// Did not arrive.
    Failed(DeliveryDetails),
    /// Called off; without details if it was never requested.
    Cancelled(Option<DeliveryDetails>),
}

impl Delivery {
    /// The details, of a delivery that was requested.
    #[must_use]
    pub fn details(&self) -> Option<&DeliveryDetails> {
        match self {
            Self::Absent | Self::Cancelled(None) => None,
            Self::Requested(details)
            | Self::Accepted(details)
            | Self::Preparing(details)
            | Self::Shipped(details)
            | Self::Delivered(details)
            | Self::Failed(details)
            | Self::Cancelled(Some(details)) => Some(details),
        }
    }

    fn into_details(self) -> Option<DeliveryDetails> {
        match self {
            Self::Absent | Self::Cancelled(None) => None,
            Self::Requested(details)
            | Self::Accepted(details)
            | Self::Preparing(details)
            | Self::Shipped(details)
            | Self::Delivered(details)
            | Self::Failed(details)
            | Self::Cancelled(Some(details)) => Some(details),
        }
    }
}

pub(super) fn evolve(state: &mut Delivery, event: &DeliveryEvent) {
    let before = std::mem::take(state);
    *state = match event {
        DeliveryEvent::DeliveryRequested(e) => Delivery::Requested(DeliveryDetails {
            delivery_id: e.delivery_id,
            order_id: e.order_id,
            shop_id: e.shop_id.clone(),
            customer_id: e.customer_id.clone(),
            lines: e.lines.clone(),
            needs_preparation: e.needs_preparation,
            cancellable_until: e.cancellable_until,
        }),
        DeliveryEvent::DeliveryCancelled(_) => Delivery::Cancelled(before.into_details()),
        DeliveryEvent::DeliveryAccepted(_) => moved(before, Delivery::Accepted),
        DeliveryEvent::PreparationStarted(_) => moved(before, Delivery::Preparing),
        DeliveryEvent::DeliveryShipped(_) => moved(before, Delivery::Shipped),
        DeliveryEvent::DeliveryCompleted(_) => moved(before, Delivery::Delivered),
        DeliveryEvent::DeliveryFailed(_) => moved(before, Delivery::Failed),
        DeliveryEvent::DeliveryCancellationRefused(_) => before,
    };
}

fn moved(before: Delivery, to: fn(DeliveryDetails) -> Delivery) -> Delivery {
    before.into_details().map_or(Delivery::Absent, to)
}

pub(super) fn status(delivery: &Delivery) -> &'static str {
    match delivery {
        Delivery::Absent => "absent",
        Delivery::Requested(_) => "requested",
        Delivery::Accepted(_) => "accepted",
        Delivery::Preparing(_) => "preparing",
        Delivery::Shipped(_) => "shipped",
        Delivery::Delivered(_) => "delivered",
        Delivery::Failed(_) => "failed",
        Delivery::Cancelled(_) => "cancelled",
    }
}
