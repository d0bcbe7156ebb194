//! How far a payment is after each of its events: the same for every view that shows one inside another row.

use domain::{Money, RefundId, payment::PaymentEvent};

use super::PaymentStatus;

/// The payment's status after `change`; brings along what was taken, what was given back, and which refunds are started and
/// not done.
pub(crate) fn payment_after(
    change: &PaymentEvent,
    captured: &mut Money,
    refunded: &mut Money,
    open: &mut Vec<RefundId>,
) -> PaymentStatus {
    match change {
        PaymentEvent::PaymentRequested(_) | PaymentEvent::CaptureDeclined(_) => PaymentStatus::Requested,
        PaymentEvent::CaptureStarted(_) | PaymentEvent::PaymentVoidRequested(_) => PaymentStatus::Capturing,
        PaymentEvent::PaymentCaptured(event) => {
            *captured = event.amount;
            PaymentStatus::Captured
        }
        PaymentEvent::LateCaptureFound(event) => {
            *captured = event.amount;
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
            *refunded = refunded.plus(done.amount).unwrap_or(*refunded);
            PaymentStatus::after_refund(!open.is_empty(), *captured, *refunded)
        }
    }
}
