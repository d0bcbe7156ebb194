//! A row of `products`.

use domain::{Money, Position, ProductId, ShopId, Version};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::views::MoneySchema;

words! {
    /// Whether a product can be ordered.
    pub enum ProductStatus {
        /// On sale.
        Listed = "listed",
        /// Off sale.
        Withdrawn = "withdrawn",
    }
}

/// A product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProductRow {
    /// Which product.
    #[schema(value_type = Uuid)]
    pub product_id: ProductId,
    /// Whose product.
    #[schema(value_type = String)]
    pub shop_id: ShopId,
    /// The name customers see.
    pub name: String,
    /// Price of one piece.
    #[schema(value_type = MoneySchema)]
    pub price: Money,
    /// Pieces on the shelf; nothing for a product that is made to order.
    pub stock: Option<u64>,
    /// Pieces put aside for orders.
    pub reserved: u64,
    /// Whether it can be ordered.
    pub status: ProductStatus,
    /// Version of the product's stream at the last event that changed the row. Orders of a product that is made to
    /// order do not change it.
    pub version: Version,
    /// The last event that changed the row.
    pub position: Position,
}
