//! What can be asked of a product.

use serde::{Deserialize, Serialize};

use crate::{Money, OrderId, ProductId, ShopId};

/// A command to a product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductCommand {
    /// Put it on sale.
    ListProduct {
        /// Which product.
        product_id: ProductId,
        /// Whose product it is.
        shop_id: ShopId,
        /// The name customers see.
        name: String,
        /// Price of one piece.
        price: Money,
        /// Pieces in stock; none for a product that is made to order.
        stock: Option<u64>,
    },
    /// Change what is given; keep the rest.
    ReviseProduct {
        /// A new name.
        name: Option<String>,
        /// A new price, in the same currency.
        price: Option<Money>,
    },
    /// Take it off sale. Orders placed before go on.
    WithdrawProduct,
    /// More pieces arrived.
    Restock {
        /// How many.
        quantity: u64,
    },
    /// Put pieces aside for an order.
    ReserveStock {
        /// For which order.
        order_id: OrderId,
        /// How many, over all lines of the order.
        quantity: u64,
    },
    /// Put an order's pieces back on the shelf.
    ReleaseStock {
        /// Whose pieces.
        order_id: OrderId,
    },
    /// An order's pieces left the shop.
    CommitStock {
        /// Whose pieces.
        order_id: OrderId,
    },
}
