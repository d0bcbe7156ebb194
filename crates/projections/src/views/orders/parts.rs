//! What becomes of an order's payment and delivery.

use domain::{DeliveryId, Envelope, ProductId, delivery::DeliveryEvent, payment::PaymentEvent};

use super::{OrderDelivery, OrderRow, OrderRowLine};
use crate::views::{
    DeliveryStatus, PaymentStatus,
    returns::{Pieces, return_lines, take_back},
};

pub(super) fn payment_changed(row: &mut OrderRow, change: &PaymentEvent) {
    let payment = &mut row.payment;
    let open = &mut row.internal.open_refunds;
    payment.status = match change {
        PaymentEvent::PaymentRequested(_) | PaymentEvent::CaptureDeclined(_) => PaymentStatus::Requested,
        PaymentEvent::CaptureStarted(_) | PaymentEvent::PaymentVoidRequested(_) => PaymentStatus::Capturing,
        PaymentEvent::PaymentCaptured(captured) => {
            payment.captured = captured.amount;
            PaymentStatus::Captured
        }
        PaymentEvent::LateCaptureFound(found) => {
            payment.captured = found.amount;
            PaymentStatus::Captured
        }
        PaymentEvent::PaymentDeclined(_) => PaymentStatus::Declined,
        PaymentEvent::PaymentVoided(_) => PaymentStatus::Voided,
        PaymentEvent::PaymentExpired(_) => PaymentStatus::Expired,
        PaymentEvent::RefundStarted(started) => {
            if !open.contains(&started.refund_id) {
                open.push(started.refund_id);
            }
            PaymentStatus::Refunding
        }
        PaymentEvent::RefundFailed(_) => PaymentStatus::Refunding,
        PaymentEvent::PaymentRefunded(done) => {
            open.retain(|refund| *refund != done.refund_id);
            payment.refunded = payment.refunded.plus(done.amount).unwrap_or(payment.refunded);
            PaymentStatus::after_refund(!open.is_empty(), payment.captured, payment.refunded)
        }
    };
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
