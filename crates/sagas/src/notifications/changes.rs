//! The closed list of changes that customers may be told of.

use domain::{
    Event, NotifiedChange, coupon::CouponEvent, delivery::DeliveryEvent, order::OrderEvent,
    payment::PaymentEvent, refund::RefundEvent, reservation::ReservationEvent, voucher::VoucherEvent,
};

/// The change that an event is, if it is one that customers may be told of.
#[must_use]
pub fn change_of(event: &Event) -> Option<NotifiedChange> {
    match event {
        Event::Order(event) => Some(of_order(event)),
        Event::Payment(event) => of_payment(event),
        Event::Delivery(event) => of_delivery(event),
        Event::Refund(event) => Some(of_refund(event)),
        Event::Coupon(event) => of_coupon(event),
        Event::Reservation(event) => Some(of_reservation(event)),
        Event::Voucher(event) => of_voucher(event),
        Event::Shop(_) | Event::Product(_) | Event::Resort(_) | Event::Notification(_) => None,
    }
}

fn of_order(event: &OrderEvent) -> NotifiedChange {
    match event {
        OrderEvent::OrderPlaced(_) => NotifiedChange::OrderPlaced,
        OrderEvent::OrderConfirmed(_) => NotifiedChange::OrderConfirmed,
        OrderEvent::OrderRejected(_) => NotifiedChange::OrderRejected,
        OrderEvent::OrderCancellationRequested(_) => NotifiedChange::OrderCancellationRequested,
        OrderEvent::OrderCancellationRefused(_) => NotifiedChange::OrderCancellationRefused,
        OrderEvent::OrderCancelled(_) => NotifiedChange::OrderCancelled,
        OrderEvent::OrderCompleted(_) => NotifiedChange::OrderCompleted,
    }
}

fn of_payment(event: &PaymentEvent) -> Option<NotifiedChange> {
    Some(match event {
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
    })
}

fn of_delivery(event: &DeliveryEvent) -> Option<NotifiedChange> {
    Some(match event {
        DeliveryEvent::DeliveryRequested(_) => NotifiedChange::DeliveryRequested,
        DeliveryEvent::DeliveryAccepted(_) => NotifiedChange::DeliveryAccepted,
        DeliveryEvent::PreparationStarted(_) => NotifiedChange::PreparationStarted,
        DeliveryEvent::DeliveryShipped(_) => NotifiedChange::DeliveryShipped,
        DeliveryEvent::DeliveryCompleted(_) => NotifiedChange::DeliveryCompleted,
        DeliveryEvent::DeliveryFailed(_) => NotifiedChange::DeliveryFailed,
        DeliveryEvent::DeliveryCancelled(_) => NotifiedChange::DeliveryCancelled,
        DeliveryEvent::ReturnStarted(_) => NotifiedChange::ReturnStarted,
        DeliveryEvent::ReturnReceived(_) => NotifiedChange::ReturnReceived,
        DeliveryEvent::ReturnCancelled(_) => NotifiedChange::ReturnCancelled,
        // A return that is refused shows as a refund that is refused.
        DeliveryEvent::DeliveryCancellationRefused(_)
        | DeliveryEvent::ReturnRefused(_)
        | DeliveryEvent::ReturnWindowClosed(_) => return None,
    })
}

fn of_refund(event: &RefundEvent) -> NotifiedChange {
    match event {
        RefundEvent::RefundRequested(_) => NotifiedChange::RefundRequested,
        RefundEvent::RefundAccepted(_) => NotifiedChange::RefundAccepted,
        RefundEvent::RefundRefused(_) => NotifiedChange::RefundRefused,
        RefundEvent::RefundCompleted(_) => NotifiedChange::RefundCompleted,
        RefundEvent::RefundCancelled(_) => NotifiedChange::RefundCancelled,
    }
}

fn of_coupon(event: &CouponEvent) -> Option<NotifiedChange> {
    Some(match event {
        CouponEvent::CouponIssued(_) => NotifiedChange::CouponIssued,
        CouponEvent::CouponRevoked(_) => NotifiedChange::CouponRevoked,
        CouponEvent::CouponReinstated(_) => NotifiedChange::CouponReinstated,
        // A coupon that nobody ever had, and coupons that orders use: the order and the refund tell of it.
        CouponEvent::CouponWithheld(_)
        | CouponEvent::CouponRedeemed(_)
        | CouponEvent::CouponRedemptionRefused(_)
        | CouponEvent::CouponReleased(_)
        | CouponEvent::CouponClawedBack(_)
        | CouponEvent::CouponClawbackUndone(_) => return None,
    })
}

fn of_reservation(event: &ReservationEvent) -> NotifiedChange {
    match event {
        ReservationEvent::ReservationRequested(_) => NotifiedChange::ReservationRequested,
        ReservationEvent::ReservationConfirmed(_) => NotifiedChange::ReservationConfirmed,
        ReservationEvent::ReservationRefused(_) => NotifiedChange::ReservationRefused,
        ReservationEvent::ReservationPaid(_) => NotifiedChange::ReservationPaid,
        ReservationEvent::ReservationCancellationRequested(_) => {
            NotifiedChange::ReservationCancellationRequested
        }
        ReservationEvent::ReservationCancelled(_) => NotifiedChange::ReservationCancelled,
        ReservationEvent::ReservationExpired(_) => NotifiedChange::ReservationExpired,
        ReservationEvent::ReservationCompleted(_) => NotifiedChange::ReservationCompleted,
    }
}

fn of_voucher(event: &VoucherEvent) -> Option<NotifiedChange> {
    Some(match event {
        VoucherEvent::VoucherSendRequested(_) => NotifiedChange::VoucherSendRequested,
        VoucherEvent::VoucherDeactivated(_) => NotifiedChange::VoucherDeactivated,
        VoucherEvent::VoucherIssued(_) | VoucherEvent::VoucherSent(_) => return None,
    })
}
