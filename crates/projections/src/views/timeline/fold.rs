//! From events to rows of `timeline`.

use std::borrow::Cow;

use domain::{
    CustomerId, Envelope, Event, OrderId, ProductId, ShopId,
    delivery::DeliveryEvent,
    notification::NotificationEvent,
    order::{OrderEvent, OrderRejection},
    payment::PaymentEvent,
    product::{ProductEvent, RefusalReason},
};

use super::{StepDetails, Timeline, TimelineStep};
use crate::{Key, RowKey, Rows};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    if let Some(order) = order_of(event) {
        let first = matches!(&event.event, Event::Order(OrderEvent::OrderPlaced(_)));
        let header = order.uuid();
        keys.push(if first { Key::fresh(header) } else { Key::of(header) });
    }
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Timeline>) {
    let Some(order_id) = order_of(event) else { return };
    let (customer_id, shop_id) = match (rows.peek(order_id.uuid()), parties(&event.event)) {
        (Some(header), _) => (header.customer_id.clone(), header.shop_id.clone()),
        (None, Some((customer_id, shop_id))) => {
            let (customer_id, shop_id) = (customer_id.clone(), shop_id.clone());
            let at = event.metadata.recorded_at;
            let header = TimelineStep::header(order_id, customer_id.clone(), shop_id.clone(), at);
            rows.insert_unlisted(order_id.uuid(), header);
            (customer_id, shop_id)
        }
        // Nobody would find it.
        (None, None) => return,
    };
    let step = TimelineStep {
        position: event.position,
        at: event.metadata.recorded_at,
        what: Cow::Borrowed(event.event.name()),
        actor: event.metadata.actor.to_string(),
        about: event.stream.to_string(),
        order_id,
        customer_id,
        shop_id,
        details: details(event),
    };
    rows.append(RowKey::Part(order_id.uuid(), event.position), &step);
}

/// The order that the event is a step of.
fn order_of(event: &Envelope) -> Option<OrderId> {
    match &event.event {
        Event::Order(_) => Some(OrderId::from_uuid(event.stream.id)),
        Event::Payment(_) | Event::Delivery(_) | Event::Notification(_) => {
            Some(OrderId::from_uuid(event.metadata.correlation_id))
        }
        Event::Product(ProductEvent::StockReserved(event)) => Some(event.order_id),
        Event::Product(ProductEvent::StockReservationRefused(event)) => Some(event.order_id),
        Event::Product(ProductEvent::StockReleased(event)) => Some(event.order_id),
        Event::Product(ProductEvent::StockCommitted(event)) => Some(event.order_id),
        Event::Product(_) | Event::Shop(_) => None,
    }
}

/// Customer and shop, of an event that names them.
fn parties(event: &Event) -> Option<(&CustomerId, &ShopId)> {
    match event {
        Event::Order(OrderEvent::OrderPlaced(e)) => Some((&e.customer_id, &e.shop_id)),
        Event::Order(OrderEvent::OrderConfirmed(e)) => Some((&e.customer_id, &e.shop_id)),
        Event::Order(OrderEvent::OrderCancellationRequested(e)) => Some((&e.customer_id, &e.shop_id)),
        Event::Order(OrderEvent::OrderCompleted(e)) => Some((&e.customer_id, &e.shop_id)),
        Event::Payment(PaymentEvent::PaymentRequested(e)) => Some((&e.customer_id, &e.shop_id)),
        Event::Delivery(DeliveryEvent::DeliveryRequested(e)) => Some((&e.customer_id, &e.shop_id)),
        Event::Delivery(DeliveryEvent::DeliveryCancelled(e)) => Some((&e.customer_id, &e.shop_id)),
        Event::Notification(NotificationEvent::NotificationQueued(e)) => Some((&e.customer_id, &e.shop_id)),
        _ => None,
    }
}

fn details(event: &Envelope) -> StepDetails {
    let none = StepDetails::default();
    match &event.event {
        Event::Order(change) => of_order(change),
        Event::Payment(change) => of_payment(change),
        Event::Notification(NotificationEvent::NotificationQueued(queued)) => {
            StepDetails { change: Some(queued.change), ..none }
        }
        Event::Notification(NotificationEvent::NotificationSent(sent)) => {
            StepDetails { channel: Some(sent.channel.clone()), ..none }
        }
        Event::Notification(NotificationEvent::NotificationFailed(failed)) => StepDetails {
            channel: Some(failed.channel.clone()),
            failure_code: Some(failed.failure_code.clone()),
            ..none
        },
        Event::Product(change) => {
            StepDetails { product_id: Some(ProductId::from_uuid(event.stream.id)), ..of_stock(change) }
        }
        Event::Delivery(_) | Event::Shop(_) => none,
    }
}

fn of_order(change: &OrderEvent) -> StepDetails {
    let none = StepDetails::default();
    match change {
        OrderEvent::OrderPlaced(placed) => StepDetails { amount: Some(placed.total), ..none },
        OrderEvent::OrderRejected(rejected) => match &rejected.reason {
            OrderRejection::StockRefused { product_id, refusal } => {
                StepDetails { product_id: Some(*product_id), ..of_refusal(refusal) }
            }
            OrderRejection::PaymentDeclined { decline_code } => StepDetails {
                refusal: Some(Cow::Borrowed("payment_declined")),
                decline_code: Some(decline_code.clone()),
                ..none
            },
            OrderRejection::PaymentExpired => {
                StepDetails { refusal: Some(Cow::Borrowed("payment_expired")), ..none }
            }
        },
        OrderEvent::OrderCancellationRequested(asked) => {
            StepDetails { cause: Some(asked.cause), amount: Some(asked.amount), ..none }
        }
        OrderEvent::OrderConfirmed(_)
        | OrderEvent::OrderCancellationRefused(_)
        | OrderEvent::OrderCancelled(_)
        | OrderEvent::OrderCompleted(_) => none,
    }
}

fn of_payment(change: &PaymentEvent) -> StepDetails {
    let none = StepDetails::default();
    match change {
        PaymentEvent::PaymentRequested(e) => {
            StepDetails { amount: Some(e.amount), due_at: Some(e.due_at), ..none }
        }
        PaymentEvent::CaptureStarted(e) => {
            StepDetails { amount: Some(e.amount), attempt: Some(e.attempt), ..none }
        }
        PaymentEvent::PaymentCaptured(e) => {
            StepDetails { amount: Some(e.amount), attempt: Some(e.attempt), ..none }
        }
        PaymentEvent::LateCaptureFound(e) => {
            StepDetails { amount: Some(e.amount), attempt: Some(e.attempt), ..none }
        }
        PaymentEvent::CaptureDeclined(e) => {
            StepDetails { attempt: Some(e.attempt), decline_code: Some(e.decline_code.clone()), ..none }
        }
        PaymentEvent::PaymentDeclined(e) => {
            StepDetails { decline_code: Some(e.decline_code.clone()), ..none }
        }
        PaymentEvent::RefundStarted(e) => StepDetails {
            refund_id: Some(e.refund_id),
            amount: Some(e.amount),
            attempt: Some(e.attempt),
            ..none
        },
        PaymentEvent::PaymentRefunded(e) => {
            StepDetails { refund_id: Some(e.refund_id), amount: Some(e.amount), ..none }
        }
        PaymentEvent::RefundFailed(e) => StepDetails {
            refund_id: Some(e.refund_id),
            attempt: Some(e.attempt),
            failure_code: Some(e.failure_code.clone()),
            ..none
        },
        PaymentEvent::PaymentVoidRequested(_)
        | PaymentEvent::PaymentVoided(_)
        | PaymentEvent::PaymentExpired(_) => none,
    }
}

fn of_stock(change: &ProductEvent) -> StepDetails {
    let pieces = |quantity| StepDetails { quantity: Some(quantity), ..StepDetails::default() };
    match change {
        ProductEvent::StockReserved(e) => pieces(e.quantity),
        ProductEvent::StockReleased(e) => pieces(e.quantity),
        ProductEvent::StockCommitted(e) => pieces(e.quantity),
        ProductEvent::StockReservationRefused(e) => of_refusal(&e.reason),
        _ => StepDetails::default(),
    }
}

fn of_refusal(refusal: &RefusalReason) -> StepDetails {
    let (word, available) = match refusal {
        RefusalReason::OutOfStock { available } => ("out_of_stock", Some(*available)),
        RefusalReason::Withdrawn => ("withdrawn", None),
    };
    StepDetails { refusal: Some(Cow::Borrowed(word)), available, ..StepDetails::default() }
}
