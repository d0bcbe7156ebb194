//! From events to rows of `timeline`.

use std::borrow::Cow;

use domain::{
    CustomerId, Envelope, Event, ShopId, Subject, delivery::DeliveryEvent, notification::NotificationEvent,
    order::OrderEvent, payment::PaymentEvent, product::ProductEvent, refund::RefundEvent,
    reservation::ReservationEvent, resort::ResortEvent, voucher::VoucherEvent,
};
use uuid::Uuid;

use super::{Timeline, TimelineStep, details::details};
use crate::{Key, RowKey, Rows};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    if let Some(header) = header_of(event) {
        let first = matches!(
            &event.event,
            Event::Order(OrderEvent::OrderPlaced(_))
                | Event::Reservation(ReservationEvent::ReservationRequested(_))
        );
        keys.push(if first { Key::fresh(header) } else { Key::of(header) });
    }
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Timeline>) {
    let Some(id) = header_of(event) else { return };
    let mut step = match (rows.peek(id), parties(&event.event)) {
        (Some(header), _) => header.clone(),
        (None, Some((subject, customer_id, shop_id))) => {
            let at = event.metadata.recorded_at;
            let header = TimelineStep::header(subject, customer_id.clone(), shop_id.cloned(), at);
            rows.insert_unlisted(id, header.clone());
            header
        }
        // Nobody would find it.
        (None, None) => return,
    };
    step.position = event.position;
    step.at = event.metadata.recorded_at;
    step.what = Cow::Borrowed(event.event.name());
    step.actor = event.metadata.actor.to_string();
    step.about = event.stream.to_string();
    step.details = details(event);
    rows.append(RowKey::Part(id, event.position), &step);
}

/// The order or reservation that the event is a step of: the key of its header.
fn header_of(event: &Envelope) -> Option<Uuid> {
    match &event.event {
        Event::Order(_) | Event::Reservation(_) => Some(event.stream.id),
        Event::Payment(_)
        | Event::Delivery(_)
        | Event::Notification(_)
        | Event::Refund(_)
        | Event::Coupon(_)
        | Event::Voucher(_) => Some(event.metadata.correlation_id),
        Event::Product(ProductEvent::StockReserved(event)) => Some(event.order_id.uuid()),
        Event::Product(ProductEvent::StockReservationRefused(event)) => Some(event.order_id.uuid()),
        Event::Product(ProductEvent::StockReleased(event)) => Some(event.order_id.uuid()),
        Event::Product(ProductEvent::StockCommitted(event)) => Some(event.order_id.uuid()),
        Event::Resort(ResortEvent::NightsHeld(event)) => Some(event.reservation_id.uuid()),
        Event::Resort(ResortEvent::NightsRefused(event)) => Some(event.reservation_id.uuid()),
        Event::Resort(ResortEvent::NightsReleased(event)) => Some(event.reservation_id.uuid()),
        Event::Product(_) | Event::Shop(_) | Event::Resort(_) => None,
    }
}

/// What it is about, customer and shop, of an event that names them.
fn parties(event: &Event) -> Option<(Subject, &CustomerId, Option<&ShopId>)> {
    Some(match event {
        Event::Order(OrderEvent::OrderPlaced(e)) => (e.order_id.into(), &e.customer_id, Some(&e.shop_id)),
        Event::Order(OrderEvent::OrderConfirmed(e)) => (e.order_id.into(), &e.customer_id, Some(&e.shop_id)),
        Event::Order(OrderEvent::OrderCancellationRequested(e)) => {
            (e.order_id.into(), &e.customer_id, Some(&e.shop_id))
        }
        Event::Order(OrderEvent::OrderCompleted(e)) => (e.order_id.into(), &e.customer_id, Some(&e.shop_id)),
        Event::Payment(PaymentEvent::PaymentRequested(e)) => (e.subject, &e.customer_id, e.shop_id.as_ref()),
        Event::Delivery(DeliveryEvent::DeliveryRequested(e)) => {
            (e.order_id.into(), &e.customer_id, Some(&e.shop_id))
        }
        Event::Delivery(DeliveryEvent::DeliveryCancelled(e)) => {
            (e.order_id.into(), &e.customer_id, Some(&e.shop_id))
        }
        Event::Notification(NotificationEvent::NotificationQueued(e)) => {
            (e.subject, &e.customer_id, e.shop_id.as_ref())
        }
        Event::Refund(RefundEvent::RefundRequested(e)) => {
            (e.order_id.into(), &e.customer_id, Some(&e.shop_id))
        }
        Event::Reservation(ReservationEvent::ReservationRequested(e)) => {
            (e.reservation_id.into(), &e.customer_id, None)
        }
        Event::Reservation(ReservationEvent::ReservationPaid(e)) => {
            (e.reservation_id.into(), &e.customer_id, None)
        }
        Event::Reservation(ReservationEvent::ReservationCancellationRequested(e)) => {
            (e.reservation_id.into(), &e.customer_id, None)
        }
        Event::Voucher(VoucherEvent::VoucherIssued(e)) => (e.reservation_id.into(), &e.customer_id, None),
        Event::Voucher(VoucherEvent::VoucherSendRequested(e)) => {
            (e.reservation_id.into(), &e.customer_id, None)
        }
        Event::Voucher(VoucherEvent::VoucherDeactivated(e)) => {
            (e.reservation_id.into(), &e.customer_id, None)
        }
        _ => return None,
    })
}
