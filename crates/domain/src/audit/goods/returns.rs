//! `returns_within_delivery`: no more pieces go back than were delivered, one return at a time, and what goes back, what
//! went back before and what is kept add up to what was charged.

use std::collections::HashMap;

use crate::{
    Envelope, Event, OrderId, ProductId, RefundId,
    audit::{
        Over,
        check::{Check, Findings},
    },
    delivery::{DeliveryEvent, ReturnStarted},
    refund::ReturnedLine,
};

struct Delivered {
    /// Pieces that the customer has.
    pieces: Vec<(ProductId, u64)>,
    /// What these were charged with.
    charged: i64,
    open: Option<Open>,
}

struct Open {
    refund: RefundId,
    lines: Vec<ReturnedLine>,
    amount: i64,
}

#[derive(Default)]
pub(in crate::audit) struct Returns {
    orders: HashMap<OrderId, Delivered>,
}

impl Check for Returns {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        match &event.event {
            Event::Delivery(DeliveryEvent::DeliveryRequested(e)) => {
                let mut delivered = Delivered { pieces: Vec::new(), charged: 0, open: None };
                for line in &e.lines {
                    *pieces_of(&mut delivered.pieces, line.product_id) += u64::from(line.quantity.get());
                    delivered.charged += line.charged.amount_minor;
                }
                self.orders.insert(e.order_id, delivered);
            }
            Event::Delivery(DeliveryEvent::ReturnStarted(e)) => {
                let wrong = match self.orders.get_mut(&e.order_id) {
                    Some(delivered) => started(delivered, e),
                    None => Some("goods go back that were not delivered".to_owned()),
                };
                found.ensure(event, wrong.is_none(), || wrong.unwrap_or_default());
            }
            Event::Delivery(DeliveryEvent::ReturnReceived(e)) => {
                let open =
                    self.orders.get_mut(&e.order_id).and_then(|delivered| received(delivered, e.refund_id));
                found.ensure(event, open.is_some(), || {
                    "a return is received that was not under way".to_owned()
                });
            }
            Event::Delivery(DeliveryEvent::ReturnCancelled(e)) => {
                let open = self.orders.get_mut(&e.order_id).and_then(|delivered| delivered.open.take());
                let holds = open.is_some_and(|open| open.refund == e.refund_id);
                found.ensure(event, holds, || "a return is called off that was not under way".to_owned());
            }
            _ => {}
        }
    }

    fn forget(&mut self, over: &Over, _: &mut Findings) {
        self.orders.remove(&OrderId::from_uuid(over.subject));
    }
}

/// Notes the return; says what is wrong with it.
fn started(delivered: &mut Delivered, event: &ReturnStarted) -> Option<String> {
    let amount = event.amount.amount_minor;
    let open = Open { refund: event.refund_id, lines: event.lines.clone(), amount };
    if let Some(other) = delivered.open.replace(open) {
        return Some(format!("it began while refund {} had one under way", other.refund));
    }
    let mut left = delivered.pieces.clone();
    for line in &event.lines {
        let pieces = pieces_of(&mut left, line.product_id);
        match pieces.checked_sub(u64::from(line.quantity.get())) {
            Some(rest) => *pieces = rest,
            None => return Some(format!("more of product {} goes back than is there", line.product_id)),
        }
    }
    let (kept, charged) = (event.kept.amount_minor, delivered.charged);
    (amount + kept != charged).then(|| format!("{amount} goes back and {kept} is kept of {charged}"))
}

fn received(delivered: &mut Delivered, refund: RefundId) -> Option<()> {
    let open = delivered.open.take().filter(|open| open.refund == refund)?;
    for line in &open.lines {
        let pieces = pieces_of(&mut delivered.pieces, line.product_id);
        *pieces = pieces.saturating_sub(u64::from(line.quantity.get()));
    }
    delivered.charged -= open.amount;
    Some(())
}

fn pieces_of(pieces: &mut Vec<(ProductId, u64)>, product: ProductId) -> &mut u64 {
    let place = pieces.iter().position(|(known, _)| *known == product).unwrap_or_else(|| {
        pieces.push((product, 0));
        pieces.len() - 1
    });
    &mut pieces[place].1
}
