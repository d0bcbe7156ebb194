//! A row of `shops`.

use domain::{Position, ShopId, ShopPolicy, Version};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

words! {
    /// Whether a shop takes orders.
    pub enum ShopStatus {
        /// Takes orders.
        Open = "open",
        /// Takes no new orders.
        Closed = "closed",
    }
}

/// A shop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShopRow {
    /// Which shop.
    #[schema(value_type = String, example = "phone")]
    pub shop_id: ShopId,
    /// The name customers see.
    pub name: String,
    /// Whether it takes orders.
    pub status: ShopStatus,
    /// How it sells.
    #[schema(value_type = Object)]
    pub policy: ShopPolicy,
    /// Version of the shop's stream.
    pub version: Version,
    /// The last event that touched the row.
    pub position: Position,
}
