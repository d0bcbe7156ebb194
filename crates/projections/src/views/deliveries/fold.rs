//! From events to rows of `deliveries`.

use domain::{
    Envelope, Event, ProductId,
    delivery::{DeliveryCancelled, DeliveryEvent, DeliveryRequested},
};

use super::{Deliveries, DeliveryInternal, DeliveryLine, DeliveryRow, DeliveryStatus, OpenReturn};
use crate::{
    Key, Rows,
    views::returns::{Pieces, return_lines, take_back},
};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    if let Event::Delivery(_) = &event.event {
        let first = event.version == 1;
        keys.push(if first { Key::fresh(event.stream.id) } else { Key::of(event.stream.id) });
    }
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Deliveries>) {
    let Event::Delivery(change) = &event.event else { return };
    let delivery = event.stream.id;
    match change {
        DeliveryEvent::DeliveryRequested(requested) => {
            return rows.insert(delivery, new_row(event, requested));
        }
        DeliveryEvent::DeliveryCancelled(cancelled) if rows.peek(delivery).is_none() => {
            return rows.insert(delivery, never_requested(event, cancelled));
        }
        _ => {}
    }
    let Some(row) = rows.get(delivery) else { return };
    if let (DeliveryEvent::ReturnReceived(_), Some(open)) = (change, row.open_return.take()) {
        take_back(&mut row.lines, &open.lines);
    }
    let kept = row.lines.iter().any(|line| line.returned < line.quantity);
    row.status = DeliveryStatus::after(change, kept).unwrap_or(row.status);
    match change {
        DeliveryEvent::DeliveryCompleted(completed) => row.returnable_until = completed.returnable_until,
        DeliveryEvent::ReturnStarted(started) => {
            let lines = return_lines(&started.lines);
            row.open_return = Some(OpenReturn { refund_id: started.refund_id, lines });
        }
        DeliveryEvent::ReturnCancelled(_) => row.open_return = None,
        DeliveryEvent::DeliveryFailed(failed) => row.internal.reason_id = failed.reason_id,
        DeliveryEvent::DeliveryCancelled(cancelled) => row.internal.reason_id = cancelled.reason_id,
        _ => {}
    }
    row.updated_at = event.metadata.recorded_at;
    row.version = event.version;
    row.position = event.position;
}

impl Pieces for DeliveryLine {
    fn pieces(&mut self) -> (ProductId, u32, &mut u32) {
        (self.product_id, self.quantity, &mut self.returned)
    }
}

fn new_row(event: &Envelope, requested: &DeliveryRequested) -> DeliveryRow {
    let lines = requested.lines.iter();
    DeliveryRow {
        delivery_id: requested.delivery_id,
        order_id: requested.order_id,
        shop_id: requested.shop_id.clone(),
        customer_id: requested.customer_id.clone(),
        status: DeliveryStatus::Requested,
        lines: lines
            .map(|line| DeliveryLine {
                product_id: line.product_id,
                quantity: line.quantity.get(),
                returned: 0,
            })
            .collect(),
        needs_preparation: requested.needs_preparation,
        open_return: None,
        returnable_until: None,
        requested_at: Some(event.metadata.recorded_at),
        updated_at: event.metadata.recorded_at,
        version: event.version,
        position: event.position,
        internal: DeliveryInternal::default(),
    }
}

/// A cancellation that overtook the request.
fn never_requested(event: &Envelope, cancelled: &DeliveryCancelled) -> DeliveryRow {
    DeliveryRow {
        delivery_id: cancelled.delivery_id,
        order_id: cancelled.order_id,
        shop_id: cancelled.shop_id.clone(),
        customer_id: cancelled.customer_id.clone(),
        status: DeliveryStatus::Cancelled,
        lines: Vec::new(),
        needs_preparation: false,
        open_return: None,
        returnable_until: None,
        requested_at: None,
        updated_at: event.metadata.recorded_at,
        version: event.version,
        position: event.position,
        internal: DeliveryInternal { reason_id: cancelled.reason_id },
    }
}
