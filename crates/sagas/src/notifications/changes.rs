//! The closed list of changes that customers may be told of.

use domain::{Event, NotifiedChange, delivery::DeliveryEvent, order::OrderEvent, payment::PaymentEvent};

/// The change that an event is, if it is one that customers may be told of.
#[must_use]
pub fn change_of(event: &Event) -> Option<NotifiedChange> {
    Some(match event {
        Event::Order(event) => match event {
            OrderEvent::OrderPlaced(_) => NotifiedChange::OrderPlaced,
            OrderEvent::OrderConfirmed(_) => NotifiedChange::OrderConfirmed,
            OrderEvent::OrderRejected(_) => NotifiedChange::OrderRejected,
            OrderEvent::OrderCancellationRequested(_) => NotifiedChange::OrderCancellationRequested,
            OrderEvent::OrderCancellationRefused(_) => NotifiedChange::OrderCancellationRefused,
            OrderEvent::OrderCancelled(_) => NotifiedChange::OrderCancelled,
            OrderEvent::OrderCompleted(_) => NotifiedChange::OrderCompleted,
        },
        Event::Payment(event) => match event {
            PaymentEvent::PaymentCaptured(_) => NotifiedChange::PaymentCaptured,
            PaymentEvent::PaymentDeclined(_) => NotifiedChange::PaymentDeclined,
            PaymentEvent::PaymentExpired(_) => NotifiedChange::PaymentExpired,
            PaymentEvent::PaymentVoided(_) => NotifiedChange::PaymentVoided,
            PaymentEvent::PaymentRefunded(_) => NotifiedChange::PaymentRefunded,
            PaymentEvent::PaymentRequested(_)
            | PaymentEvent::CaptureStarted(_)
            | PaymentEvent::CaptureDeclined(_)
            | PaymentEvent::PaymentVoidRequested(_)
            | PaymentEvent::LateCaptureFound(_)
            | PaymentEvent::RefundStarted(_)
            | PaymentEvent::RefundFailed(_) => return None,
        },
        Event::Delivery(event) => match event {
            DeliveryEvent::DeliveryRequested(_) => NotifiedChange::DeliveryRequested,
            DeliveryEvent::DeliveryAccepted(_) => NotifiedChange::DeliveryAccepted,
            DeliveryEvent::PreparationStarted(_) => NotifiedChange::PreparationStarted,
            DeliveryEvent::DeliveryShipped(_) => NotifiedChange::DeliveryShipped,
            DeliveryEvent::DeliveryCompleted(_) => NotifiedChange::DeliveryCompleted,
            DeliveryEvent::DeliveryFailed(_) => NotifiedChange::DeliveryFailed,
            DeliveryEvent::DeliveryCancelled(_) => NotifiedChange::DeliveryCancelled,
            DeliveryEvent::DeliveryCancellationRefused(_) => return None,
        },
        Event::Shop(_) | Event::Product(_) | Event::Notification(_) => return None,
    })
}
