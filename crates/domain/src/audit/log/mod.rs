//! Invariants of the log itself: of any event, whatever it says.

mod command_ids;
mod correlation;
mod diagrams;
mod event_ids;
mod positions;
mod versions;

pub use self::diagrams::next_status;
pub(super) use self::{
    command_ids::CommandIds, correlation::Correlation, diagrams::Diagrams, event_ids::EventIds,
    positions::Positions, versions::Versions,
};

use crate::{
    Envelope, Event, notification::NotificationEvent, order::OrderEvent, refund::RefundEvent,
    reservation::ReservationEvent,
};

/// Whether the event is the last of its stream: the aggregate takes nothing more.
fn is_last(event: &Envelope) -> bool {
    match &event.event {
        Event::Order(e) => matches!(
            e,
            OrderEvent::OrderRejected(_) | OrderEvent::OrderCancelled(_) | OrderEvent::OrderCompleted(_)
        ),
        Event::Notification(e) => {
            matches!(e, NotificationEvent::NotificationSent(_) | NotificationEvent::NotificationFailed(_))
        }
        Event::Refund(e) => matches!(
            e,
            RefundEvent::RefundRefused(_) | RefundEvent::RefundCompleted(_) | RefundEvent::RefundCancelled(_)
        ),
        Event::Reservation(e) => matches!(
            e,
            ReservationEvent::ReservationRefused(_)
                | ReservationEvent::ReservationCancelled(_)
                | ReservationEvent::ReservationExpired(_)
                | ReservationEvent::ReservationCompleted(_)
        ),
        Event::Shop(_)
        | Event::Product(_)
        | Event::Payment(_)
        | Event::Delivery(_)
        | Event::Coupon(_)
        | Event::Resort(_)
        | Event::Voucher(_) => false,
    }
}

/// Whether the event may come to a payment or a delivery whose order is over, and so is forgotten.
fn comes_late(event: &Envelope) -> bool {
    use crate::{delivery::DeliveryEvent, payment::PaymentEvent};
    matches!(
        event.event,
        Event::Payment(PaymentEvent::LateCaptureFound(_))
            | Event::Delivery(
                DeliveryEvent::ReturnRefused(_) | DeliveryEvent::DeliveryCancellationRefused(_)
            )
    )
}
