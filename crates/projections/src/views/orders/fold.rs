//! From events to rows of `orders`.

use domain::{
    CouponId, Envelope, Event, Money, OrderId, RefundId,
    coupon::CouponEvent,
    order::{OrderEvent, OrderPlaced, OrderRejection},
    product::RefusalReason,
    refund::{RefundEvent, RefundRequested},
};
use uuid::Uuid;

use super::{
    OrderCancellation, OrderCoupon, OrderCouponUsed, OrderInternal, OrderPayment, OrderRefund,
    OrderRefundStatus, OrderRejected, OrderRow, OrderRowLine, OrderStatus, Orders, RejectionCode, parts,
};
use crate::{Key, Rows, views::PaymentStatus};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    if let Some(order) = row_of(event) {
        let first = matches!(&event.event, Event::Order(OrderEvent::OrderPlaced(_)));
        keys.push(if first { Key::fresh(order) } else { Key::of(order) });
    }
}

/// The order whose row the event changes. What belongs to a reservation has a correlation id too, under which no order
/// is found.
fn row_of(event: &Envelope) -> Option<Uuid> {
    match &event.event {
        Event::Order(_) => Some(event.stream.id),
        Event::Payment(_) | Event::Delivery(_) | Event::Refund(_) => Some(event.metadata.correlation_id),
        Event::Coupon(change) => earned_by(change).map(OrderId::uuid),
        Event::Shop(_)
        | Event::Product(_)
        | Event::Notification(_)
        | Event::Resort(_)
        | Event::Reservation(_)
        | Event::Voucher(_) => None,
    }
}

/// The order that earned the coupon. None where the coupon stays what it is.
fn earned_by(change: &CouponEvent) -> Option<OrderId> {
    Some(match change {
        CouponEvent::CouponIssued(e) => e.order_id,
        CouponEvent::CouponWithheld(e) => e.order_id,
        CouponEvent::CouponRevoked(e) => e.order_id,
        CouponEvent::CouponReinstated(e) => e.order_id,
        CouponEvent::CouponClawedBack(e) => e.order_id,
        CouponEvent::CouponClawbackUndone(e) => e.order_id,
        CouponEvent::CouponRedeemed(e) => e.earned_by,
        CouponEvent::CouponReleased(e) => e.earned_by,
        CouponEvent::CouponRedemptionRefused(_) => return None,
    })
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Orders>) {
    let Some(order) = row_of(event) else { return };
    if let Event::Order(OrderEvent::OrderPlaced(placed)) = &event.event {
        return rows.insert(order, new_row(event, placed));
    }
    let Some(row) = rows.get(order) else { return };
    match &event.event {
        Event::Order(change) => {
            order_changed(row, change, event);
            row.version = event.version;
        }
        Event::Payment(change) => parts::payment_changed(row, change),
        Event::Delivery(change) => parts::delivery_changed(row, change, event),
        Event::Refund(change) => refund_changed(row, change, event),
        Event::Coupon(change) => coupon_changed(row, change, event),
        _ => {}
    }
    row.updated_at = event.metadata.recorded_at;
    row.position = event.position;
}

fn new_row(event: &Envelope, placed: &OrderPlaced) -> OrderRow {
    let nothing = Money::zero(placed.total.currency);
    let lines = placed.lines.iter().map(|line| OrderRowLine {
        product_id: line.product_id,
        name: line.name.clone(),
        option: line.option.clone(),
        quantity: line.quantity.get(),
        returned: 0,
        unit_price: line.unit_price,
    });
    OrderRow {
        order_id: placed.order_id,
        shop_id: placed.shop_id.clone(),
        customer_id: placed.customer_id.clone(),
        status: OrderStatus::AwaitingPayment,
        lines: lines.collect(),
        total: placed.total,
        discount: placed.coupon.map_or(nothing, |coupon| coupon.discount),
        coupon_used: placed
            .coupon
            .map(|coupon| OrderCouponUsed { coupon_id: coupon.coupon_id, discount: coupon.discount }),
        payment: OrderPayment {
            payment_id: placed.payment_id,
            status: PaymentStatus::Requested,
            captured: nothing,
            refunded: nothing,
        },
        delivery: None,
        refunds: Vec::new(),
        coupon_issued: None,
        rejection: None,
        cancellation: None,
        placed_at: event.metadata.recorded_at,
        updated_at: event.metadata.recorded_at,
        version: event.version,
        position: event.position,
        internal: OrderInternal {
            contact_id: placed.contact_id,
            cancellation_reason_id: None,
            open_refunds: Vec::new(),
            returning: Vec::new(),
            coupon: None,
        },
    }
}

fn order_changed(row: &mut OrderRow, change: &OrderEvent, event: &Envelope) {
    row.status = match change {
        OrderEvent::OrderPlaced(_) => OrderStatus::AwaitingPayment,
        OrderEvent::OrderConfirmed(_) => OrderStatus::Confirmed,
        OrderEvent::OrderRejected(rejected) => {
            row.rejection = Some(rejection(&rejected.reason));
            OrderStatus::Rejected
        }
        OrderEvent::OrderCancellationRequested(asked) => {
            row.cancellation = Some(OrderCancellation {
                by: asked.by.clone(),
                cause: asked.cause,
                requested_at: event.metadata.recorded_at,
                reason: None,
            });
            row.internal.cancellation_reason_id = asked.reason_id;
            OrderStatus::Cancelling
        }
        OrderEvent::OrderCancellationRefused(_) => {
            // The order goes on as if nobody had asked; the timeline keeps that somebody did.
            row.cancellation = None;
            row.internal.cancellation_reason_id = None;
            OrderStatus::Confirmed
        }
        OrderEvent::OrderCancelled(_) => OrderStatus::Cancelled,
        OrderEvent::OrderCompleted(_) => OrderStatus::Completed,
    };
}

fn rejection(reason: &OrderRejection) -> OrderRejected {
    let code = |code| OrderRejected {
        code,
        product_id: None,
        available: None,
        coupon_id: None,
        coupon_refusal: None,
        decline_code: None,
    };
    match reason {
        OrderRejection::StockRefused { product_id, refusal: RefusalReason::OutOfStock { available } } => {
            OrderRejected {
                product_id: Some(*product_id),
                available: Some(*available),
                ..code(RejectionCode::OutOfStock)
            }
        }
        OrderRejection::StockRefused { product_id, refusal: RefusalReason::Withdrawn } => {
            OrderRejected { product_id: Some(*product_id), ..code(RejectionCode::Withdrawn) }
        }
        OrderRejection::CouponRefused { coupon_id, refusal } => OrderRejected {
            coupon_id: Some(*coupon_id),
            coupon_refusal: Some(*refusal),
            ..code(RejectionCode::CouponRefused)
        },
        OrderRejection::PaymentDeclined { decline_code } => {
            OrderRejected { decline_code: Some(decline_code.clone()), ..code(RejectionCode::PaymentDeclined) }
        }
        OrderRejection::PaymentExpired => code(RejectionCode::PaymentExpired),
    }
}

fn refund_changed(row: &mut OrderRow, change: &RefundEvent, event: &Envelope) {
    if let RefundEvent::RefundRequested(requested) = change {
        let refund = new_refund(requested, Money::zero(row.total.currency));
        row.refunds.retain(|known| known.refund_id != refund.refund_id);
        return row.refunds.push(refund);
    }
    let refund_id = RefundId::from_uuid(event.stream.id);
    let Some(refund) = row.refunds.iter_mut().find(|refund| refund.refund_id == refund_id) else { return };
    refund.status = match change {
        RefundEvent::RefundRequested(_) => OrderRefundStatus::Requested,
        RefundEvent::RefundAccepted(accepted) => {
            refund.amount = accepted.amount;
            OrderRefundStatus::Returning
        }
        RefundEvent::RefundRefused(refused) => {
            refund.refusal = Some(refused.reason);
            OrderRefundStatus::Refused
        }
        RefundEvent::RefundCompleted(completed) => {
            refund.amount = completed.amount;
            refund.deducted = completed.deducted;
            OrderRefundStatus::Completed
        }
        RefundEvent::RefundCancelled(_) => OrderRefundStatus::Cancelled,
    };
}

fn new_refund(requested: &RefundRequested, nothing: Money) -> OrderRefund {
    OrderRefund {
        refund_id: requested.refund_id,
        status: OrderRefundStatus::Requested,
        reason: None,
        reason_id: requested.reason_id,
        amount: nothing,
        deducted: nothing,
        refusal: None,
    }
}

fn coupon_changed(row: &mut OrderRow, change: &CouponEvent, event: &Envelope) {
    let standing = row.internal.coupon.get_or_insert_default();
    standing.after(change);
    let coupon_id = CouponId::from_uuid(event.stream.id);
    row.coupon_issued = Some(OrderCoupon { coupon_id, status: standing.status() });
}
