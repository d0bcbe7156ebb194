//! One of every event that an order or a reservation can lead to, and of every variant that a process tells apart.

use domain::{
    Actor, Event, NotifiedChange, ShopPolicy,
    delivery::{self, CancelledBy, DeliveryCancelled},
    notification,
    order::{self, CancellationCause, OrderPlaced, OrderRejection},
    payment::{self, PaymentTiming},
    product::{self, RefusalReason},
    shop,
};

mod goods;
mod stays;

pub(crate) use goods::{refund_requested, return_started, returned};
pub(crate) use stays::{
    called_back, nights_held, nights_refused, reservation_paid, reservation_requested, send_requested,
    voucher_deactivated, voucher_issued,
};

use super::{
    at, cancellation, charged, contact_id, customer_id, delivery_id, lines, notification_id, order_id,
    payment_id, pieces, placed, policy, product, promised, refund_id, shop_id, won,
};

pub(crate) fn placed_with(policy: ShopPolicy) -> OrderPlaced {
    OrderPlaced {
        order_id: order_id(),
        shop_id: shop_id(),
        customer_id: customer_id(),
        lines: lines(),
        total: won(2800),
        coupon: None,
        policy,
        contact_id: contact_id(),
        payment_id: payment_id(),
        payment_due_at: at(300),
    }
}

pub(crate) fn delivery_cancelled(cancelled_by: CancelledBy) -> DeliveryCancelled {
    DeliveryCancelled {
        delivery_id: delivery_id(),
        order_id: order_id(),
        shop_id: shop_id(),
        customer_id: customer_id(),
        cancelled_by,
        reason_id: (cancelled_by == CancelledBy::Shop).then(contact_id),
    }
}

/// All of them, with labels.
pub(crate) fn samples() -> Vec<(&'static str, Event)> {
    let mut all = wrap(orders());
    all.extend(wrap(products()));
    all.extend(wrap(payments()));
    all.extend(wrap(deliveries()));
    all.extend(wrap(goods::returns()));
    all.extend(wrap(goods::refunds()));
    all.extend(wrap(goods::coupons()));
    all.extend(wrap(stays::resorts()));
    all.extend(wrap(stays::reservations()));
    all.extend(wrap(stays::payments()));
    all.extend(wrap(stays::vouchers()));
    all.extend(wrap(notifications()));
    let shop = |event: shop::ShopEvent| (event.name(), Event::from(event));
    let (shop_id, name) = (shop_id(), "Phones".to_owned());
    all.extend([
        shop(shop::ShopOpened { shop_id: shop_id.clone(), name: name.clone(), policy: policy(&[]) }.into()),
        shop(shop::ShopPolicyChanged { shop_id: shop_id.clone(), name, policy: policy(&[]) }.into()),
        shop(shop::ShopClosed { shop_id: shop_id.clone() }.into()),
        shop(shop::ShopReopened { shop_id }.into()),
    ]);
    all
}

fn wrap<E: Into<Event>>(events: Vec<(&'static str, E)>) -> Vec<(&'static str, Event)> {
    events.into_iter().map(|(label, event)| (label, event.into())).collect()
}

fn orders() -> Vec<(&'static str, order::OrderEvent)> {
    let order_id = order_id();
    let confirmed = order::OrderConfirmed {
        order_id,
        shop_id: shop_id(),
        customer_id: customer_id(),
        delivery_id: delivery_id(),
        lines: charged(),
        policy: policy(&[]),
    };
    let completed =
        |coupon| order::OrderCompleted { order_id, customer_id: customer_id(), shop_id: shop_id(), coupon };
    let failed = CancellationCause::DeliveryFailed;
    vec![
        ("order.placed", placed().into()),
        ("order.confirmed", confirmed.into()),
        ("order.rejected", order::OrderRejected { order_id, reason: OrderRejection::PaymentExpired }.into()),
        (
            "order.cancellation_requested, not confirmed",
            cancellation(CancellationCause::Requested, false).into(),
        ),
        ("order.cancellation_requested, confirmed", cancellation(CancellationCause::Requested, true).into()),
        ("order.cancellation_requested, delivery failed", cancellation(failed, true).into()),
        ("order.cancellation_refused", order::OrderCancellationRefused { order_id }.into()),
        ("order.cancelled", order::OrderCancelled { order_id }.into()),
        ("order.completed", completed(None).into()),
        ("order.completed, with a coupon", completed(Some(promised())).into()),
    ]
}

fn products() -> Vec<(&'static str, product::ProductEvent)> {
    let order_id = order_id();
    let reserved =
        |number| product::StockReserved { product_id: product(number), order_id, quantity: 2 }.into();
    let refused = |number| {
        let reason = RefusalReason::OutOfStock { available: 1 };
        product::StockReservationRefused { product_id: product(number), order_id, reason }.into()
    };
    let listed = product::ProductListed {
        product_id: product(1),
        shop_id: shop_id(),
        name: "Phone".to_owned(),
        price: won(900),
        stock: Some(10),
    };
    let revised = product::ProductRevised { name: "Telephone".to_owned(), price: won(800) };
    vec![
        ("product.listed", listed.into()),
        ("product.revised", revised.into()),
        ("product.withdrawn", product::ProductWithdrawn {}.into()),
        ("product.restocked", product::ProductRestocked { quantity: 5 }.into()),
        ("product.stock_reserved, first", reserved(1)),
        ("product.stock_reserved, second", reserved(2)),
        ("product.stock_reservation_refused, first", refused(1)),
        ("product.stock_reservation_refused, second", refused(2)),
        ("product.stock_released", product::StockReleased { order_id, quantity: 2 }.into()),
        ("product.stock_committed", product::StockCommitted { order_id, quantity: 2 }.into()),
    ]
}

fn payments() -> Vec<(&'static str, payment::PaymentEvent)> {
    let (subject, payment_id, amount, method) = (order_id().into(), payment_id(), won(2800), contact_id());
    let requested = |method: Option<domain::ContactId>| payment::PaymentRequested {
        payment_id,
        subject,
        customer_id: customer_id(),
        shop_id: Some(shop_id()),
        amount,
        timing: if method.is_none() { PaymentTiming::Deferred } else { PaymentTiming::AtOrder },
        method,
        due_at: at(300),
    };
    let (attempt, charge, back) = (1, || "ch_1".to_owned(), || "re_1".to_owned());
    let captured = payment::PaymentCaptured { payment_id, subject, amount, attempt, provider_ref: charge() };
    let late = payment::LateCaptureFound { payment_id, subject, amount, attempt, provider_ref: charge() };
    let started = |refund_id, amount| payment::RefundStarted {
        payment_id,
        refund_id,
        attempt,
        amount,
        charge_ref: charge(),
    };
    let refunded = |refund_id| payment::PaymentRefunded { subject, refund_id, amount, provider_ref: back() };
    let other = domain::RefundId::derived(payment_id.uuid(), "refund", "other");
    let code = || "no_funds".to_owned();
    vec![
        ("payment.requested", requested(Some(method)).into()),
        ("payment.requested, deferred", requested(None).into()),
        ("payment.capture_started", payment::CaptureStarted { payment_id, attempt, amount, method }.into()),
        ("payment.captured", captured.into()),
        ("payment.capture_declined", payment::CaptureDeclined { attempt, decline_code: code() }.into()),
        ("payment.declined", payment::PaymentDeclined { subject, decline_code: code() }.into()),
        ("payment.void_requested", payment::PaymentVoidRequested { subject }.into()),
        ("payment.voided", payment::PaymentVoided { subject }.into()),
        ("payment.expired", payment::PaymentExpired { subject }.into()),
        ("payment.late_capture_found", late.into()),
        ("payment.refund_started", started(refund_id(), amount).into()),
        ("payment.refund_started, nothing", started(refund_id(), won(0)).into()),
        ("payment.refunded, in full", refunded(refund_id()).into()),
        ("payment.refunded, another", refunded(other).into()),
        (
            "payment.refund_failed",
            payment::RefundFailed { refund_id: refund_id(), attempt, failure_code: code() }.into(),
        ),
    ]
}

fn deliveries() -> Vec<(&'static str, delivery::DeliveryEvent)> {
    let (order_id, by) = (order_id(), || Actor::Shop(shop_id()));
    let requested = delivery::DeliveryRequested {
        delivery_id: delivery_id(),
        order_id,
        shop_id: shop_id(),
        customer_id: customer_id(),
        lines: vec![order::ChargedLine { product_id: product(1), quantity: pieces(1), charged: won(900) }],
        needs_preparation: true,
        cancellable_until: policy(&[]).cancellable_until,
        refund_window_secs: None,
    };
    let completed = |returnable_until| delivery::DeliveryCompleted { order_id, by: by(), returnable_until };
    let failed = delivery::DeliveryFailed { order_id, by: by(), reason_id: Some(contact_id()) };
    vec![
        ("delivery.requested", requested.into()),
        ("delivery.accepted", delivery::DeliveryAccepted { order_id, by: by() }.into()),
        ("delivery.preparation_started", delivery::PreparationStarted { order_id, by: by() }.into()),
        ("delivery.shipped", delivery::DeliveryShipped { order_id, by: by() }.into()),
        ("delivery.completed, for good", completed(None).into()),
        ("delivery.completed, returnable", completed(Some(at(3610))).into()),
        ("delivery.failed", failed.into()),
        ("delivery.cancelled, by the order", delivery_cancelled(CancelledBy::Order).into()),
        ("delivery.cancelled, by the shop", delivery_cancelled(CancelledBy::Shop).into()),
        ("delivery.cancellation_refused", delivery::DeliveryCancellationRefused { order_id }.into()),
    ]
}

fn notifications() -> Vec<(&'static str, notification::NotificationEvent)> {
    let channel = || "log".to_owned();
    let queued = notification::NotificationQueued {
        notification_id: notification_id(),
        subject: order_id().into(),
        customer_id: customer_id(),
        shop_id: Some(shop_id()),
        change: NotifiedChange::OrderPlaced,
        voucher_id: None,
    };
    let failed = notification::NotificationFailed { channel: channel(), failure_code: "gone".to_owned() };
    vec![
        ("notification.queued", queued.into()),
        ("notification.sent", notification::NotificationSent { channel: channel() }.into()),
        ("notification.failed", failed.into()),
    ]
}

#[test]
fn every_event_of_the_platform_is_among_the_samples() {
    let given: std::collections::BTreeSet<_> = samples().iter().map(|(_, event)| event.name()).collect();
    let all = Event::names().into_iter().map(|(name, _)| name).collect();
    assert_eq!(given, all);
    for (label, event) in samples() {
        assert!(label.starts_with(event.name()), "{label} is {}", event.name());
    }
}
