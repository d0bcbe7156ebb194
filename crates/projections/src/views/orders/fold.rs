//! From events to rows of `orders`.

use domain::{
    Envelope, Event, Money,
    delivery::DeliveryEvent,
    order::{OrderEvent, OrderPlaced, OrderRejection},
    payment::PaymentEvent,
    product::RefusalReason,
};

use super::{
    OrderCancellation, OrderDelivery, OrderInternal, OrderPayment, OrderRejected, OrderRow, OrderRowLine,
    OrderStatus, Orders, RejectionCode,
};
use crate::{
    Key, Rows,
    views::{DeliveryStatus, PaymentStatus},
};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    match &event.event {
        Event::Order(OrderEvent::OrderPlaced(_)) => keys.push(Key::fresh(event.stream.id)),
        Event::Order(_) => keys.push(Key::of(event.stream.id)),
        Event::Payment(_) | Event::Delivery(_) => keys.push(Key::of(event.metadata.correlation_id)),
        Event::Shop(_) | Event::Product(_) | Event::Notification(_) => {}
    }
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Orders>) {
    let order = match &event.event {
        Event::Order(OrderEvent::OrderPlaced(placed)) => {
            return rows.insert(event.stream.id, new_row(event, placed));
        }
        Event::Order(_) => event.stream.id,
        _ => event.metadata.correlation_id,
    };
    let Some(row) = rows.get(order) else { return };
    match &event.event {
        Event::Order(change) => {
            order_changed(row, change, event);
            row.version = event.version;
        }
        Event::Payment(change) => payment_changed(row, change),
        Event::Delivery(change) => delivery_changed(row, change, event),
        Event::Shop(_) | Event::Product(_) | Event::Notification(_) => {}
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
        unit_price: line.unit_price,
    });
    OrderRow {
        order_id: placed.order_id,
        shop_id: placed.shop_id.clone(),
        customer_id: placed.customer_id.clone(),
        status: OrderStatus::AwaitingPayment,
        lines: lines.collect(),
        total: placed.total,
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
    let code = |code| OrderRejected { code, product_id: None, available: None, decline_code: None };
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
        OrderRejection::PaymentDeclined { decline_code } => {
            OrderRejected { decline_code: Some(decline_code.clone()), ..code(RejectionCode::PaymentDeclined) }
        }
        OrderRejection::PaymentExpired => code(RejectionCode::PaymentExpired),
    }
}

fn payment_changed(row: &mut OrderRow, change: &PaymentEvent) {
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

fn delivery_changed(row: &mut OrderRow, change: &DeliveryEvent, event: &Envelope) {
    if let Some(status) = DeliveryStatus::after(change) {
        let delivery_id = domain::DeliveryId::from_uuid(event.stream.id);
        row.delivery = Some(OrderDelivery { delivery_id, status });
    }
}
