//! What else is worth knowing of a step.

use std::borrow::Cow;

use domain::{
    CouponId, Envelope, Event, ProductId, RefundId, VoucherId,
    coupon::CouponEvent,
    delivery::DeliveryEvent,
    notification::NotificationEvent,
    order::{OrderEvent, OrderRejection},
    payment::PaymentEvent,
    product::{ProductEvent, RefusalReason},
    refund::RefundEvent,
};

use super::{StepDetails, stay};

pub(super) fn details(event: &Envelope) -> StepDetails {
    let none = StepDetails::default();
    match &event.event {
        Event::Order(change) => of_order(change),
        Event::Payment(change) => of_payment(change),
        Event::Notification(NotificationEvent::NotificationQueued(queued)) => {
            StepDetails { change: Some(queued.change), voucher_id: queued.voucher_id, ..none }
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
        Event::Delivery(change) => of_delivery(change),
        Event::Refund(change) => {
            StepDetails { refund_id: Some(RefundId::from_uuid(event.stream.id)), ..of_refund(change) }
        }
        Event::Coupon(change) => {
            StepDetails { coupon_id: Some(CouponId::from_uuid(event.stream.id)), ..of_coupon(change) }
        }
        Event::Reservation(change) => stay::of_reservation(change),
        Event::Resort(change) => stay::of_nights(change),
        Event::Voucher(change) => StepDetails {
            voucher_id: Some(VoucherId::from_uuid(event.stream.id)),
            ..stay::of_voucher(change)
        },
        Event::Shop(_) => none,
    }
}

fn of_order(change: &OrderEvent) -> StepDetails {
    let none = StepDetails::default();
    match change {
        OrderEvent::OrderPlaced(placed) => StepDetails {
            amount: Some(placed.total),
            coupon_id: placed.coupon.map(|coupon| coupon.coupon_id),
            ..none
        },
        OrderEvent::OrderRejected(rejected) => match &rejected.reason {
            OrderRejection::StockRefused { product_id, refusal } => {
                StepDetails { product_id: Some(*product_id), ..of_refusal(refusal) }
            }
            OrderRejection::CouponRefused { coupon_id, refusal } => {
                StepDetails { coupon_id: Some(*coupon_id), ..refused(refusal.name()) }
            }
            OrderRejection::PaymentDeclined { decline_code } => {
                StepDetails { decline_code: Some(decline_code.clone()), ..refused("payment_declined") }
            }
            OrderRejection::PaymentExpired => refused("payment_expired"),
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
    StepDetails { available, ..refused(word) }
}

fn of_delivery(change: &DeliveryEvent) -> StepDetails {
    let of = |refund_id| StepDetails { refund_id: Some(refund_id), ..StepDetails::default() };
    match change {
        DeliveryEvent::DeliveryCompleted(e) => {
            StepDetails { returnable_until: e.returnable_until, ..StepDetails::default() }
        }
        DeliveryEvent::ReturnStarted(e) => StepDetails {
            amount: Some(e.amount),
            quantity: Some(e.lines.iter().map(|line| u64::from(line.quantity.get())).sum()),
            ..of(e.refund_id)
        },
        DeliveryEvent::ReturnRefused(e) => {
            StepDetails { refund_id: Some(e.refund_id), ..refused(e.reason.name()) }
        }
        DeliveryEvent::ReturnReceived(e) => of(e.refund_id),
        DeliveryEvent::ReturnCancelled(e) => of(e.refund_id),
        _ => StepDetails::default(),
    }
}

fn of_refund(change: &RefundEvent) -> StepDetails {
    let none = StepDetails::default();
    match change {
        RefundEvent::RefundAccepted(e) => StepDetails { amount: Some(e.amount), ..none },
        RefundEvent::RefundRefused(e) => refused(e.reason.name()),
        RefundEvent::RefundCompleted(e) => {
            StepDetails { amount: Some(e.amount), deducted: Some(e.deducted), ..none }
        }
        RefundEvent::RefundRequested(_) | RefundEvent::RefundCancelled(_) => none,
    }
}

fn of_coupon(change: &CouponEvent) -> StepDetails {
    let none = StepDetails::default();
    let of = |refund_id| StepDetails { refund_id: Some(refund_id), ..StepDetails::default() };
    match change {
        CouponEvent::CouponRedeemed(e) => StepDetails { amount: Some(e.discount), ..none },
        CouponEvent::CouponRedemptionRefused(e) => refused(e.reason.name()),
        CouponEvent::CouponWithheld(e) => of(e.refund_id),
        CouponEvent::CouponRevoked(e) => of(e.refund_id),
        CouponEvent::CouponReinstated(e) => of(e.refund_id),
        CouponEvent::CouponClawedBack(e) => StepDetails { amount: Some(e.amount), ..of(e.refund_id) },
        CouponEvent::CouponClawbackUndone(e) => of(e.refund_id),
        CouponEvent::CouponIssued(_) | CouponEvent::CouponReleased(_) => none,
    }
}

pub(super) fn refused(word: &'static str) -> StepDetails {
    StepDetails { refusal: Some(Cow::Borrowed(word)), ..StepDetails::default() }
}
