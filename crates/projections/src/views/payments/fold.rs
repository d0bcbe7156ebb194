//! From events to rows of `payments`.

use domain::{
    Envelope, Event, Money, RefundId,
    payment::{PaymentEvent, PaymentRequested, RefundStarted},
};

use super::{PaymentRefund, PaymentRow, PaymentStatus, Payments, RefundStatus};
use crate::{Key, Rows};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    match &event.event {
        Event::Payment(PaymentEvent::PaymentRequested(_)) => keys.push(Key::fresh(event.stream.id)),
        Event::Payment(_) => keys.push(Key::of(event.stream.id)),
        _ => {}
    }
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Payments>) {
    let Event::Payment(change) = &event.event else { return };
    if let PaymentEvent::PaymentRequested(requested) = change {
        return rows.insert(event.stream.id, new_row(event, requested));
    }
    let Some(row) = rows.get(event.stream.id) else { return };
    changed(row, change);
    row.updated_at = event.metadata.recorded_at;
    row.version = event.version;
    row.position = event.position;
}

fn new_row(event: &Envelope, requested: &PaymentRequested) -> PaymentRow {
    let nothing = Money::zero(requested.amount.currency);
    PaymentRow {
        payment_id: requested.payment_id,
        order_id: requested.subject.order_id(),
        reservation_id: requested.subject.reservation_id(),
        customer_id: requested.customer_id.clone(),
        shop_id: requested.shop_id.clone(),
        status: PaymentStatus::Requested,
        amount: requested.amount,
        captured: nothing,
        refunded: nothing,
        due_at: Some(requested.due_at),
        timing: requested.timing,
        attempts: 0,
        decline_code: None,
        refunds: Vec::new(),
        requested_at: event.metadata.recorded_at,
        updated_at: event.metadata.recorded_at,
        version: event.version,
        position: event.position,
    }
}

fn changed(row: &mut PaymentRow, change: &PaymentEvent) {
    match change {
        PaymentEvent::PaymentRequested(_) => {}
        PaymentEvent::CaptureStarted(started) => {
            row.attempts = started.attempt;
            row.status = PaymentStatus::Capturing;
        }
        PaymentEvent::PaymentVoidRequested(_) => row.status = PaymentStatus::Capturing,
        PaymentEvent::PaymentCaptured(captured) => taken(row, captured.amount),
        PaymentEvent::LateCaptureFound(found) => taken(row, found.amount),
        PaymentEvent::CaptureDeclined(declined) => {
            row.decline_code = Some(declined.decline_code.clone());
            row.status = PaymentStatus::Requested;
        }
        PaymentEvent::PaymentDeclined(declined) => {
            row.decline_code = Some(declined.decline_code.clone());
            over(row, PaymentStatus::Declined);
        }
        PaymentEvent::PaymentVoided(_) => over(row, PaymentStatus::Voided),
        PaymentEvent::PaymentExpired(_) => over(row, PaymentStatus::Expired),
        PaymentEvent::RefundStarted(started) => refund_started(row, started),
        PaymentEvent::RefundFailed(failed) => {
            refund_is(row, failed.refund_id, RefundStatus::Failed);
            row.status = PaymentStatus::Refunding;
        }
        PaymentEvent::PaymentRefunded(done) => {
            refund_is(row, done.refund_id, RefundStatus::Done);
            row.refunded = row.refunded.plus(done.amount).unwrap_or(row.refunded);
            let open = row.refunds.iter().any(|refund| refund.status != RefundStatus::Done);
            row.status = PaymentStatus::after_refund(open, row.captured, row.refunded);
        }
    }
}

fn taken(row: &mut PaymentRow, amount: Money) {
    row.captured = amount;
    row.decline_code = None;
    over(row, PaymentStatus::Captured);
}

fn over(row: &mut PaymentRow, status: PaymentStatus) {
    row.due_at = None;
    row.status = status;
}

fn refund_started(row: &mut PaymentRow, started: &RefundStarted) {
    let refund = PaymentRefund {
        refund_id: started.refund_id,
        amount: started.amount,
        status: RefundStatus::Started,
        attempt: started.attempt,
    };
    match row.refunds.iter_mut().find(|known| known.refund_id == started.refund_id) {
        Some(known) => *known = refund,
        None => row.refunds.push(refund),
    }
    row.status = PaymentStatus::Refunding;
}

fn refund_is(row: &mut PaymentRow, refund_id: RefundId, status: RefundStatus) {
    if let Some(refund) = row.refunds.iter_mut().find(|refund| refund.refund_id == refund_id) {
        refund.status = status;
    }
}
