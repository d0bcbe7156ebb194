//! From events to rows of `refunds`.

use std::borrow::Cow;

use domain::{
    Envelope, Event,
    coupon::CouponEvent,
    refund::{RefundEvent, RefundRequested},
};

use super::{RefundInternal, RefundRow, Refunds};
use crate::{
    Key, Rows,
    views::{OrderRefundStatus, returns::return_lines},
};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    match &event.event {
        Event::Refund(RefundEvent::RefundRequested(_)) => keys.push(Key::fresh(event.stream.id)),
        Event::Refund(_) => keys.push(Key::of(event.stream.id)),
        Event::Coupon(CouponEvent::CouponClawedBack(e)) => keys.push(Key::of(e.refund_id.uuid())),
        _ => {}
    }
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Refunds>) {
    if let Event::Coupon(CouponEvent::CouponClawedBack(e)) = &event.event {
        let Some(row) = rows.get(e.refund_id.uuid()) else { return };
        row.deducted = Some(e.amount);
        (row.updated_at, row.position) = (event.metadata.recorded_at, event.position);
        return;
    }
    let Event::Refund(change) = &event.event else { return };
    if let RefundEvent::RefundRequested(requested) = change {
        return rows.insert(event.stream.id, new_row(event, requested));
    }
    let Some(row) = rows.get(event.stream.id) else { return };
    row.status = match change {
        RefundEvent::RefundRequested(_) => OrderRefundStatus::Requested,
        RefundEvent::RefundAccepted(accepted) => {
            row.amount = Some(accepted.amount);
            OrderRefundStatus::Returning
        }
        RefundEvent::RefundRefused(refused) => {
            row.refusal = Some(Cow::Borrowed(refused.reason.name()));
            OrderRefundStatus::Refused
        }
        RefundEvent::RefundCompleted(completed) => {
            row.amount = Some(completed.amount);
            row.deducted = Some(completed.deducted);
            OrderRefundStatus::Completed
        }
        RefundEvent::RefundCancelled(_) => OrderRefundStatus::Cancelled,
    };
    row.updated_at = event.metadata.recorded_at;
    row.version = event.version;
    row.position = event.position;
}

fn new_row(event: &Envelope, requested: &RefundRequested) -> RefundRow {
    RefundRow {
        refund_id: requested.refund_id,
        order_id: requested.order_id,
        shop_id: requested.shop_id.clone(),
        customer_id: requested.customer_id.clone(),
        payment_id: requested.payment_id,
        delivery_id: requested.delivery_id,
        status: OrderRefundStatus::Requested,
        reason: None,
        lines: return_lines(&requested.lines),
        amount: None,
        deducted: None,
        refusal: None,
        requested_at: event.metadata.recorded_at,
        updated_at: event.metadata.recorded_at,
        version: event.version,
        position: event.position,
        internal: RefundInternal { reason_id: requested.reason_id },
    }
}
