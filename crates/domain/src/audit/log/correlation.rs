//! `correlated_with_subject`: everything that belongs to an order or a reservation carries its id as correlation id.
//! Process managers find their instance by it, and so does the page that shows all that happened.

use uuid::Uuid;

use crate::{
    Envelope, Event,
    audit::check::{Check, Findings},
    coupon::CouponEvent,
    delivery::DeliveryEvent,
    notification::NotificationEvent,
    payment::PaymentEvent,
    product::ProductEvent,
    refund::RefundEvent,
    resort::ResortEvent,
    voucher::VoucherEvent,
};

#[derive(Default)]
pub(in crate::audit) struct Correlation;

impl Check for Correlation {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        let Some(subject) = subject_of(event) else { return };
        let correlation = event.metadata.correlation_id;
        found.ensure(event, correlation == subject, || {
            format!("{} belongs to {subject} and is correlated with {correlation}", event.event.name())
        });
    }
}

/// The order or the reservation that an event names.
fn subject_of(event: &Envelope) -> Option<Uuid> {
    match &event.event {
        Event::Order(_) | Event::Reservation(_) => Some(event.stream.id),
        Event::Payment(e) => of_payment(e),
        Event::Delivery(e) => Some(of_delivery(e)),
        Event::Refund(e) => Some(of_refund(e)),
        Event::Coupon(e) => Some(of_coupon(e)),
        Event::Voucher(e) => Some(of_voucher(e)),
        Event::Notification(NotificationEvent::NotificationQueued(e)) => Some(e.subject.uuid()),
        Event::Product(e) => match e {
            ProductEvent::StockReserved(e) => Some(e.order_id.uuid()),
            ProductEvent::StockReservationRefused(e) => Some(e.order_id.uuid()),
            ProductEvent::StockReleased(e) => Some(e.order_id.uuid()),
            ProductEvent::StockCommitted(e) => Some(e.order_id.uuid()),
            _ => None,
        },
        Event::Resort(e) => match e {
            ResortEvent::NightsHeld(e) => Some(e.reservation_id.uuid()),
            ResortEvent::NightsRefused(e) => Some(e.reservation_id.uuid()),
            ResortEvent::NightsReleased(e) => Some(e.reservation_id.uuid()),
            _ => None,
        },
        Event::Shop(_) | Event::Notification(_) => None,
    }
}

fn of_payment(event: &PaymentEvent) -> Option<Uuid> {
    match event {
        PaymentEvent::PaymentRequested(e) => Some(e.subject.uuid()),
        PaymentEvent::PaymentCaptured(e) => Some(e.subject.uuid()),
        PaymentEvent::PaymentDeclined(e) => Some(e.subject.uuid()),
        PaymentEvent::PaymentVoidRequested(e) => Some(e.subject.uuid()),
        PaymentEvent::PaymentVoided(e) => Some(e.subject.uuid()),
        PaymentEvent::PaymentExpired(e) => Some(e.subject.uuid()),
        PaymentEvent::LateCaptureFound(e) => Some(e.subject.uuid()),
        PaymentEvent::PaymentRefunded(e) => Some(e.subject.uuid()),
        PaymentEvent::CaptureStarted(_)
        | PaymentEvent::CaptureDeclined(_)
        | PaymentEvent::RefundStarted(_)
        | PaymentEvent::RefundFailed(_) => None,
    }
}

fn of_delivery(event: &DeliveryEvent) -> Uuid {
    match event {
        DeliveryEvent::DeliveryRequested(e) => e.order_id.uuid(),
        DeliveryEvent::DeliveryAccepted(e) => e.order_id.uuid(),
        DeliveryEvent::PreparationStarted(e) => e.order_id.uuid(),
        DeliveryEvent::DeliveryShipped(e) => e.order_id.uuid(),
        DeliveryEvent::DeliveryCompleted(e) => e.order_id.uuid(),
        DeliveryEvent::DeliveryFailed(e) => e.order_id.uuid(),
        DeliveryEvent::DeliveryCancelled(e) => e.order_id.uuid(),
        DeliveryEvent::DeliveryCancellationRefused(e) => e.order_id.uuid(),
        DeliveryEvent::ReturnStarted(e) => e.order_id.uuid(),
        DeliveryEvent::ReturnRefused(e) => e.order_id.uuid(),
        DeliveryEvent::ReturnReceived(e) => e.order_id.uuid(),
        DeliveryEvent::ReturnCancelled(e) => e.order_id.uuid(),
        DeliveryEvent::ReturnWindowClosed(e) => e.order_id.uuid(),
    }
}

fn of_refund(event: &RefundEvent) -> Uuid {
    match event {
        RefundEvent::RefundRequested(e) => e.order_id.uuid(),
        RefundEvent::RefundAccepted(e) => e.order_id.uuid(),
        RefundEvent::RefundRefused(e) => e.order_id.uuid(),
        RefundEvent::RefundCompleted(e) => e.order_id.uuid(),
        RefundEvent::RefundCancelled(e) => e.order_id.uuid(),
    }
}

/// A coupon's use belongs to the order that uses it, the rest to the order that earned it; both stand as `order_id`.
fn of_coupon(event: &CouponEvent) -> Uuid {
    match event {
        CouponEvent::CouponIssued(e) => e.order_id.uuid(),
        CouponEvent::CouponWithheld(e) => e.order_id.uuid(),
        CouponEvent::CouponRedeemed(e) => e.order_id.uuid(),
        CouponEvent::CouponRedemptionRefused(e) => e.order_id.uuid(),
        CouponEvent::CouponReleased(e) => e.order_id.uuid(),
        CouponEvent::CouponRevoked(e) => e.order_id.uuid(),
        CouponEvent::CouponReinstated(e) => e.order_id.uuid(),
        CouponEvent::CouponClawedBack(e) => e.order_id.uuid(),
        CouponEvent::CouponClawbackUndone(e) => e.order_id.uuid(),
    }
}

fn of_voucher(event: &VoucherEvent) -> Uuid {
    match event {
        VoucherEvent::VoucherIssued(e) => e.reservation_id.uuid(),
        VoucherEvent::VoucherSendRequested(e) => e.reservation_id.uuid(),
        VoucherEvent::VoucherSent(e) => e.reservation_id.uuid(),
        VoucherEvent::VoucherDeactivated(e) => e.reservation_id.uuid(),
    }
}
