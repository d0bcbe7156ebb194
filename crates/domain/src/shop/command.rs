//! What can be asked of a shop.

use serde::{Deserialize, Serialize};

use crate::{ShopId, ShopPolicy};

/// A command to a shop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShopCommand {
    /// Open the shop, or replace the name and the whole policy of one that exists.
    PutShop {
        /// Which shop.
        shop_id: ShopId,
        /// The name customers see.
        name: String,
        /// The whole policy.
        policy: ShopPolicy,
    },
    /// Take no new orders; finish the old ones.
    CloseShop,
    /// Take orders again.
    ReopenShop,
}
