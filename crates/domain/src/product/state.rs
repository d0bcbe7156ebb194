//! What the past of a product comes to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ProductEvent;
use crate::{Money, OrderId, ProductId, ShopId};

/// Pieces of a product that is kept in stock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stock {
    /// Pieces on the shelf.
    pub available: u64,
    /// Pieces put aside, by order; an order leaves when its pieces are released or committed.
    pub reserved: BTreeMap<OrderId, u64>,
}

/// What is known of a product that exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProductDetails {
    /// Which product.
    pub product_id: ProductId,
    /// Whose product.
    pub shop_id: ShopId,
    /// The name customers see.
    pub name: String,
    /// Price of one piece.
    pub price: Money,
    /// Its stock; none for a product that is made to order.
    pub stock: Option<Stock>,
}

/// A product.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Product {
    /// No such product.
    #[default]
    Absent,
    /// On sale.
    Listed(ProductDetails),
    /// Off sale.
    Withdrawn(ProductDetails),
}

impl Product {
    /// The details, of a product that exists.
    #[must_use]
    pub fn details(&self) -> Option<&ProductDetails> {
        match self {
            Self::Absent => None,
            Self::Listed(details) | Self::Withdrawn(details) => Some(details),
        }
    }
}

pub(super) fn evolve(product: &mut Product, event: &ProductEvent) {
    match event {
        ProductEvent::ProductListed(event) => {
            *product = Product::Listed(ProductDetails {
                product_id: event.product_id,
                shop_id: event.shop_id.clone(),
                name: event.name.clone(),
                price: event.price,
                stock: event.stock.map(|available| Stock { available, reserved: BTreeMap::new() }),
            });
        }
        ProductEvent::ProductWithdrawn(_) => {
            *product = match std::mem::take(product) {
                Product::Listed(details) => Product::Withdrawn(details),
                other => other,
            };
        }
        ProductEvent::ProductRevised(event) => {
            if let Some(details) = details_mut(product) {
                details.name.clone_from(&event.name);
                details.price = event.price;
            }
        }
        ProductEvent::ProductRestocked(event) => {
            change_stock(product, |stock| stock.available = stock.available.saturating_add(event.quantity));
        }
        ProductEvent::StockReserved(event) => change_stock(product, |stock| {
            stock.available = stock.available.saturating_sub(event.quantity);
            stock.reserved.insert(event.order_id, event.quantity);
        }),
        ProductEvent::StockReleased(event) => change_stock(product, |stock| {
            let quantity = stock.reserved.remove(&event.order_id).unwrap_or(0);
            stock.available = stock.available.saturating_add(quantity);
        }),
        ProductEvent::StockCommitted(event) => change_stock(product, |stock| {
            stock.reserved.remove(&event.order_id);
        }),
        ProductEvent::StockReservationRefused(_) => {}
    }
}

fn details_mut(product: &mut Product) -> Option<&mut ProductDetails> {
    match product {
        Product::Absent => None,
        Product::Listed(details) | Product::Withdrawn(details) => Some(details),
    }
}

fn change_stock(product: &mut Product, change: impl FnOnce(&mut Stock)) {
    if let Some(stock) = details_mut(product).and_then(|details| details.stock.as_mut()) {
        change(stock);
    }
}

pub(super) fn status(product: &Product) -> &'static str {
    match product {
        Product::Absent => "absent",
        Product::Listed(_) => "listed",
        Product::Withdrawn(_) => "withdrawn",
    }
}
