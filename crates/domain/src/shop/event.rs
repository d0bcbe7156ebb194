//! What can have happened to a shop.

use crate::{ShopId, ShopPolicy};

events! {
    /// Facts about one shop.
    pub enum ShopEvent {
        /// The shop was registered and takes orders.
        "shop.opened" @ 1 => ShopOpened {
            /// Which shop.
            shop_id: ShopId,
            /// The name customers see.
            name: String,
            /// How it sells.
            policy: ShopPolicy,
        },
        /// The shop sells under another name or policy from here on.
        "shop.policy_changed" @ 1 => ShopPolicyChanged {
            /// Which shop.
            shop_id: ShopId,
            /// The name customers see.
            name: String,
            /// How it sells.
            policy: ShopPolicy,
        },
        /// The shop takes no new orders.
        "shop.closed" @ 1 => ShopClosed {
            /// Which shop.
            shop_id: ShopId,
        },
        /// The shop takes orders again.
        "shop.reopened" @ 1 => ShopReopened {
            /// Which shop.
            shop_id: ShopId,
        },
    }
}
