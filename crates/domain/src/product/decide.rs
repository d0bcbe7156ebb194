//! What a product answers to each command in each state.

use super::{
    MAX_STOCK, Product, ProductCommand, ProductDetails, ProductError, ProductEvent, ProductListed,
    ProductRestocked, ProductRevised, ProductWithdrawn, RefusalReason, StockCommitted, StockReleased,
    StockReservationRefused, StockReserved,
};
use crate::{Decision, Money, OrderId, already_applied, executed, policy::is_label};

type Answer = Decision<ProductEvent, ProductError>;

pub(super) fn decide(product: &Product, command: &ProductCommand) -> Answer {
    use Product::{Absent, Listed, Withdrawn};
    use ProductCommand::{
        CommitStock, ListProduct, ReleaseStock, ReserveStock, Restock, ReviseProduct, WithdrawProduct,
    };
    match (product, command) {
        (Absent, ListProduct { product_id, shop_id, name, price, stock }) => {
            check_name(name)?;
            check_stock(stock.unwrap_or(0), 0)?;
            executed(ProductListed {
                product_id: *product_id,
                shop_id: shop_id.clone(),
                name: name.clone(),
                price: *price,
                stock: *stock,
            })
        }
        (Listed(p), ListProduct { shop_id, name, price, .. }) => {
            let same = p.shop_id == *shop_id && p.name == *name && p.price == *price;
            if same { already_applied() } else { Err(ProductError::AlreadyListed) }
        }
        (Listed(p), ReviseProduct { name, price }) => revise(p, name.as_deref(), *price),
        (Listed(_), WithdrawProduct) => executed(ProductWithdrawn {}),
        (Withdrawn(_), WithdrawProduct) => already_applied(),
        (Listed(p), Restock { quantity }) => restock(p, *quantity),
        (Listed(p), ReserveStock { order_id, quantity }) => reserve(p, *order_id, *quantity),
        (Withdrawn(p), ReserveStock { order_id, .. }) if !holds(p, *order_id) => {
            refuse(p, *order_id, RefusalReason::Withdrawn)
        }
        (Withdrawn(_), ReserveStock { .. }) => already_applied(),
        (Listed(p) | Withdrawn(p), ReleaseStock { order_id }) => match reserved(p, *order_id) {
            Some(quantity) => executed(StockReleased { order_id: *order_id, quantity }),
            None => already_applied(),
        },
        (Listed(p) | Withdrawn(p), CommitStock { order_id }) => match reserved(p, *order_id) {
            Some(quantity) => executed(StockCommitted { order_id: *order_id, quantity }),
            None => already_applied(),
        },
        (Withdrawn(_), ListProduct { .. } | ReviseProduct { .. } | Restock { .. }) => {
            Err(ProductError::Withdrawn)
        }
        (Absent, _) => Err(ProductError::NotFound),
    }
}

fn revise(product: &ProductDetails, name: Option<&str>, price: Option<Money>) -> Answer {
    let name = name.unwrap_or(&product.name);
    let price = price.unwrap_or(product.price);
    check_name(name)?;
    if price.currency != product.price.currency {
        return Err(ProductError::OtherCurrency { given: price.currency, sold: product.price.currency });
    }
    if name == product.name && price == product.price {
        return already_applied();
    }
    executed(ProductRevised { name: name.to_owned(), price })
}

fn restock(product: &ProductDetails, quantity: u64) -> Answer {
    let stock = product.stock.as_ref().ok_or(ProductError::NoStock)?;
    if quantity == 0 {
        return Err(ProductError::Quantity { quantity });
    }
    // Reserved pieces may come back to the shelf, so they count.
    check_stock(quantity, stock.available.saturating_add(stock.reserved.values().sum()))?;
    executed(ProductRestocked { quantity })
}

fn reserve(product: &ProductDetails, order_id: OrderId, quantity: u64) -> Answer {
    match &product.stock {
        _ if holds(product, order_id) => already_applied(),
        Some(stock) if stock.available < quantity => {
            refuse(product, order_id, RefusalReason::OutOfStock { available: stock.available })
        }
        _ => executed(StockReserved { product_id: product.product_id, order_id, quantity }),
    }
}

fn refuse(product: &ProductDetails, order_id: OrderId, reason: RefusalReason) -> Answer {
    executed(StockReservationRefused { product_id: product.product_id, order_id, reason })
}

fn reserved(product: &ProductDetails, order_id: OrderId) -> Option<u64> {
    product.stock.as_ref()?.reserved.get(&order_id).copied()
}

fn holds(product: &ProductDetails, order_id: OrderId) -> bool {
    reserved(product, order_id).is_some()
}

fn check_name(name: &str) -> Result<(), ProductError> {
    if is_label(name, 120) { Ok(()) } else { Err(ProductError::Name) }
}

fn check_stock(more: u64, have: u64) -> Result<(), ProductError> {
    match have.checked_add(more) {
        Some(sum) if sum <= MAX_STOCK => Ok(()),
        _ => Err(ProductError::Quantity { quantity: more }),
    }
}
