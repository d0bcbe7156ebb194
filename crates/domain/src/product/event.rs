//! What can have happened to a product.

use serde::{Deserialize, Serialize};

use crate::{Money, OrderId, ProductId, ShopId};

/// Why no stock was put aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum RefusalReason {
    /// Too few pieces.
    OutOfStock {
        /// Pieces that were left.
        available: u64,
    },
    /// No longer on sale.
    Withdrawn,
}

events! {
    /// Facts about one product.
    pub enum ProductEvent {
        /// It is on sale.
        "product.listed" @ 1 => ProductListed {
            /// Which product.
            product_id: ProductId,
            /// Whose product.
            shop_id: ShopId,
            /// The name customers see.
            name: String,
            /// Price of one piece.
            price: Money,
            /// Pieces in stock; none for a product that is made to order.
            stock: Option<u64>,
        },
        /// Its name or price changed; placed orders keep theirs.
        "product.revised" @ 1 => ProductRevised {
            /// The name from here on.
            name: String,
            /// The price from here on.
            price: Money,
        },
        /// It is off sale.
        "product.withdrawn" @ 1 => ProductWithdrawn {},
        /// More pieces arrived.
        "product.restocked" @ 1 => ProductRestocked {
            /// How many.
            quantity: u64,
        },
        /// Pieces were put aside for an order.
        "product.stock_reserved" @ 1 => StockReserved {
            /// Which product.
            product_id: ProductId,
            /// For which order.
            order_id: OrderId,
            /// How many.
            quantity: u64,
        },
        /// An order asked for pieces and got none.
        "product.stock_reservation_refused" @ 1 => StockReservationRefused {
            /// Which product.
            product_id: ProductId,
            /// Which order.
            order_id: OrderId,
            /// Why.
            reason: RefusalReason,
        },
        /// An order's pieces are on the shelf again.
        "product.stock_released" @ 1 => StockReleased {
            /// Which order.
            order_id: OrderId,
            /// How many.
            quantity: u64,
        },
        /// An order's pieces left the shop.
        "product.stock_committed" @ 1 => StockCommitted {
            /// Which order.
            order_id: OrderId,
            /// How many.
            quantity: u64,
        },
    }
}
