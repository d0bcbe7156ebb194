//! `stock_never_oversold`: no more pieces are put aside than are on the shelf, an order's pieces are released or
//! committed once and in full, and an order that is rejected, cancelled or completed has none put aside.

use std::collections::HashMap;

use crate::{
    Envelope, Event, OrderId, Position, ProductId,
    audit::check::{Check, Findings},
    order::OrderEvent,
    product::ProductEvent,
};

#[derive(Default)]
pub(in crate::audit) struct Stock {
    /// Pieces on the shelf; products that are made to order are left out.
    available: HashMap<ProductId, u64>,
    /// What is put aside, by order.
    reserved: HashMap<OrderId, Aside>,
}

/// Pieces put aside for an order.
struct Aside {
    since: Position,
    pieces: Vec<(ProductId, u64)>,
}

impl Stock {
    fn reserve(&mut self, event: &Envelope, order: OrderId, quantity: u64, found: &mut Findings) {
        let product = ProductId::from_uuid(event.stream.id);
        let Some(available) = self.available.get_mut(&product) else { return };
        let aside = Aside { since: event.position, pieces: Vec::new() };
        let aside = self.reserved.entry(order).or_insert(aside);
        let twice = aside.pieces.iter().any(|(known, _)| *known == product);
        found.ensure(event, !twice, || format!("pieces are put aside twice for order {order}"));
        found.ensure(event, quantity <= *available, || {
            format!("{quantity} pieces are put aside for order {order}, of {available} on the shelf")
        });
        *available = available.saturating_sub(quantity);
        aside.pieces.push((product, quantity));
    }

    fn end(&mut self, event: &Envelope, order: OrderId, quantity: u64, back: bool, found: &mut Findings) {
        let product = ProductId::from_uuid(event.stream.id);
        let Some(available) = self.available.get_mut(&product) else { return };
        let mut aside = 0;
        if let Some(reserved) = self.reserved.get_mut(&order) {
            let of_product = reserved.pieces.iter().filter(|(known, _)| *known == product);
            aside = of_product.map(|(_, pieces)| pieces).sum();
            reserved.pieces.retain(|(known, _)| *known != product);
            if reserved.pieces.is_empty() {
                self.reserved.remove(&order);
            }
        }
        found.ensure(event, aside == quantity && quantity > 0, || {
            format!("{quantity} pieces of order {order} are moved, of {aside} put aside")
        });
        if back {
            *available = available.saturating_add(quantity);
        }
    }

    fn ended(&mut self, event: &Envelope, order: OrderId, found: &mut Findings) {
        let holds = self.reserved.remove(&order).is_none();
        found.ensure(event, holds, || format!("{} with pieces put aside", event.event.name()));
    }
}

impl Check for Stock {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        match &event.event {
            Event::Product(ProductEvent::ProductListed(e)) => {
                if let Some(stock) = e.stock {
                    self.available.insert(e.product_id, stock);
                }
            }
            Event::Product(ProductEvent::ProductRestocked(e)) => {
                if let Some(stock) = self.available.get_mut(&ProductId::from_uuid(event.stream.id)) {
                    *stock = stock.saturating_add(e.quantity);
                }
            }
            Event::Product(ProductEvent::StockReserved(e)) => {
                self.reserve(event, e.order_id, e.quantity, found)
            }
            Event::Product(ProductEvent::StockReleased(e)) => {
                self.end(event, e.order_id, e.quantity, true, found);
            }
            Event::Product(ProductEvent::StockCommitted(e)) => {
                self.end(event, e.order_id, e.quantity, false, found);
            }
            Event::Order(OrderEvent::OrderRejected(e)) => self.ended(event, e.order_id, found),
            Event::Order(OrderEvent::OrderCancelled(e)) => self.ended(event, e.order_id, found),
            Event::Order(OrderEvent::OrderCompleted(e)) => self.ended(event, e.order_id, found),
            _ => {}
        }
    }

    fn finish(&mut self, found: &mut Findings) {
        for (order, aside) in &self.reserved {
            found.leave_open(order, aside.since, "pieces are put aside and neither released nor shipped");
        }
    }
}
