//! What becomes of an order's payment and delivery.

use domain::{DeliveryId, Envelope, ProductId, delivery::DeliveryEvent, payment::PaymentEvent};

use super::{OrderDelivery, OrderRow, OrderRowLine};
use crate::views::{
    DeliveryStatus,
    payment_standing::payment_after,
    returns::{Pieces, return_lines, take_back},
};

pub(super) fn payment_changed(row: &mut OrderRow, change: &PaymentEvent) {
    let OrderRow { payment, internal, .. } = row;
    let (captured, refunded) = (&mut payment.captured, &mut payment.refunded);
    payment.status = payment_after(change, captured, refunded, &mut internal.open_refunds);
}

pub(super) fn delivery_changed(row: &mut OrderRow, change: &DeliveryEvent, event: &Envelope) {
    let returning = &mut row.internal.returning;
    match change {
        DeliveryEvent::ReturnStarted(started) => *returning = return_lines(&started.lines),
        DeliveryEvent::ReturnReceived(_) => take_back(&mut row.lines, &std::mem::take(returning)),
        DeliveryEvent::ReturnCancelled(_) => returning.clear(),
        _ => {}
    }
    let kept = row.lines.iter().any(|line| line.returned < line.quantity);
    let Some(status) = DeliveryStatus::after(change, kept) else { return };
    let known = row.delivery.as_ref().and_then(|delivery| delivery.returnable_until);
    let returnable_until = match change {
        DeliveryEvent::DeliveryCompleted(completed) => completed.returnable_until,
        _ => known,
    };
    let delivery_id = DeliveryId::from_uuid(event.stream.id);
    row.delivery = Some(OrderDelivery { delivery_id, status, returnable_until });
}

impl Pieces for OrderRowLine {
    fn pieces(&mut self) -> (ProductId, u32, &mut u32) {
        (self.product_id, self.quantity, &mut self.returned)
    }
}
