//! From events to rows of `products`.

use domain::{
    Envelope, Event,
    product::{ProductEvent, ProductListed},
};

use super::{ProductRow, ProductStatus, Products};
use crate::{Key, Rows};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    match &event.event {
        Event::Product(ProductEvent::StockReservationRefused(_)) => {}
        Event::Product(ProductEvent::ProductListed(_)) => keys.push(Key::fresh(event.stream.id)),
        Event::Product(_) => keys.push(Key::of(event.stream.id)),
        _ => {}
    }
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Products>) {
    let Event::Product(change) = &event.event else { return };
    let product = event.stream.id;
    if let ProductEvent::ProductListed(listed) = change {
        return rows.insert(product, new_row(event, listed));
    }
    let of_stock = matches!(
        change,
        ProductEvent::ProductRestocked(_)
            | ProductEvent::StockReserved(_)
            | ProductEvent::StockReleased(_)
            | ProductEvent::StockCommitted(_)
    );
    // A product that is made to order has nothing to count: its row is not written for every order.
    if of_stock && rows.peek(product).is_none_or(|row| row.stock.is_none()) {
        return;
    }
    let Some(row) = rows.get(product) else { return };
    changed(row, change);
    row.version = event.version;
    row.position = event.position;
}

fn new_row(event: &Envelope, listed: &ProductListed) -> ProductRow {
    ProductRow {
        product_id: listed.product_id,
        shop_id: listed.shop_id.clone(),
        name: listed.name.clone(),
        price: listed.price,
        stock: listed.stock,
        reserved: 0,
        status: ProductStatus::Listed,
        version: event.version,
        position: event.position,
    }
}

fn changed(row: &mut ProductRow, change: &ProductEvent) {
    match change {
        ProductEvent::ProductListed(_) | ProductEvent::StockReservationRefused(_) => {}
        ProductEvent::ProductRevised(revised) => {
            row.name.clone_from(&revised.name);
            row.price = revised.price;
        }
        ProductEvent::ProductWithdrawn(_) => row.status = ProductStatus::Withdrawn,
        ProductEvent::ProductRestocked(more) => {
            row.stock = row.stock.map(|n| n.saturating_add(more.quantity))
        }
        ProductEvent::StockReserved(aside) => {
            row.stock = row.stock.map(|n| n.saturating_sub(aside.quantity));
            row.reserved = row.reserved.saturating_add(aside.quantity);
        }
        ProductEvent::StockReleased(back) => {
            row.stock = row.stock.map(|n| n.saturating_add(back.quantity));
            row.reserved = row.reserved.saturating_sub(back.quantity);
        }
        ProductEvent::StockCommitted(gone) => row.reserved = row.reserved.saturating_sub(gone.quantity),
    }
}
