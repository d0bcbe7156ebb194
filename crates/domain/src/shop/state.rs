//! What the past of a shop comes to.

use serde::{Deserialize, Serialize};

use super::{ShopEvent, ShopOpened, ShopPolicyChanged};
use crate::{ShopId, ShopPolicy};

/// What is known of a shop that exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShopDetails {
    /// Which shop.
    pub shop_id: ShopId,
    /// The name customers see.
    pub name: String,
    /// How it sells.
    pub policy: ShopPolicy,
}

/// A shop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Shop {
    /// No such shop.
    #[default]
    Absent,
    /// Takes orders.
    Open(ShopDetails),
    /// Takes no new orders.
    Closed(ShopDetails),
}

impl Shop {
    /// The details, of a shop that exists.
    #[must_use]
    pub fn details(&self) -> Option<&ShopDetails> {
        match self {
            Self::Absent => None,
            Self::Open(details) | Self::Closed(details) => Some(details),
        }
    }
}

pub(super) fn evolve(shop: &mut Shop, event: &ShopEvent) {
    *shop = match (std::mem::take(shop), event) {
        (_, ShopEvent::ShopOpened(ShopOpened { shop_id, name, policy })) => {
            Shop::Open(ShopDetails { shop_id: shop_id.clone(), name: name.clone(), policy: policy.clone() })
        }
        (Shop::Closed(_), ShopEvent::ShopPolicyChanged(event)) => Shop::Closed(changed(event)),
        (_, ShopEvent::ShopPolicyChanged(event)) => Shop::Open(changed(event)),
        (Shop::Open(details) | Shop::Closed(details), ShopEvent::ShopClosed(_)) => Shop::Closed(details),
        (Shop::Open(details) | Shop::Closed(details), ShopEvent::ShopReopened(_)) => Shop::Open(details),
        (Shop::Absent, ShopEvent::ShopClosed(_) | ShopEvent::ShopReopened(_)) => Shop::Absent,
    };
}

fn changed(event: &ShopPolicyChanged) -> ShopDetails {
    ShopDetails { shop_id: event.shop_id.clone(), name: event.name.clone(), policy: event.policy.clone() }
}

pub(super) fn status(shop: &Shop) -> &'static str {
    match shop {
        Shop::Absent => "absent",
        Shop::Open(_) => "open",
        Shop::Closed(_) => "closed",
    }
}
