//! `statuses_follow_diagrams`: every event is one that its aggregate's diagram allows where the aggregate stands.
//!
//! Written out here a second time, from the diagrams at the head of the aggregates and not from their `decide`, so that
//! a wrong decision is found.

use std::collections::HashMap;

use super::{comes_late, is_last};
use crate::{
    AggregateKind, Envelope, Event, StreamId,
    audit::{
        Over,
        check::{Check, Findings},
    },
    coupon::CouponEvent,
    delivery::DeliveryEvent,
    notification::NotificationEvent,
    order::{CancellationCause, OrderEvent},
    payment::PaymentEvent,
    product::ProductEvent,
    refund::RefundEvent,
    reservation::ReservationEvent,
    resort::ResortEvent,
    shop::ShopEvent,
    voucher::VoucherEvent,
};

const ABSENT: &str = "absent";

#[derive(Default)]
pub(in crate::audit) struct Diagrams {
    statuses: HashMap<StreamId, &'static str>,
}

impl Check for Diagrams {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        let known = self.statuses.get(&event.stream).copied();
        // The order is over, and what became of its payment or delivery is forgotten.
        let forgotten = known.is_none() && event.version > 1 && comes_late(event);
        let before = match &event.event {
            Event::Payment(_) if forgotten => "voided",
            Event::Delivery(_) if forgotten => "delivered",
            _ => known.unwrap_or(ABSENT),
        };
        let after = next_status(before, &event.event);
        found.ensure(event, after.is_some(), || format!("{} where it is {before}", event.event.name()));
        if is_last(event) {
            self.statuses.remove(&event.stream);
        } else if forgotten && event.stream.kind == AggregateKind::Delivery {
            // A refusal changes nothing, also where the delivery was never requested.
        } else if let Some(after) = after.filter(|after| *after != ABSENT) {
            self.statuses.insert(event.stream, after);
        }
    }

    fn forget(&mut self, over: &Over, _: &mut Findings) {
        self.statuses.remove(&StreamId::new(AggregateKind::Payment, over.payment.uuid()));
        if let Some(delivery) = over.delivery {
            self.statuses.remove(&StreamId::new(AggregateKind::Delivery, delivery.uuid()));
        }
    }
}

/// Where an aggregate stands after `event`; none when the event cannot happen there.
#[must_use]
pub fn next_status(before: &str, event: &Event) -> Option<&'static str> {
    match event {
        Event::Shop(event) => shop(before, event),
        Event::Product(event) => product(before, event),
        Event::Order(event) => order(before, event),
        Event::Payment(event) => payment(before, event),
        Event::Delivery(event) => delivery(before, event),
        Event::Notification(event) => notification(before, event),
        Event::Refund(event) => refund(before, event),
        Event::Coupon(event) => coupon(before, event),
        Event::Resort(event) => resort(before, event),
        Event::Reservation(event) => reservation(before, event),
        Event::Voucher(event) => voucher(before, event),
    }
}

fn shop(before: &str, event: &ShopEvent) -> Option<&'static str> {
    match (before, event) {
        (ABSENT, ShopEvent::ShopOpened(_))
        | ("closed", ShopEvent::ShopReopened(_))
        | ("open", ShopEvent::ShopPolicyChanged(_)) => Some("open"),
        ("open", ShopEvent::ShopClosed(_)) | ("closed", ShopEvent::ShopPolicyChanged(_)) => Some("closed"),
        _ => None,
    }
}

fn product(before: &str, event: &ProductEvent) -> Option<&'static str> {
    use ProductEvent::{
        ProductListed, ProductRestocked, ProductRevised, ProductWithdrawn, StockCommitted, StockReleased,
        StockReservationRefused, StockReserved,
    };
    match (before, event) {
        (ABSENT, ProductListed(_))
        | (
            "listed",
            ProductRevised(_)
            | ProductRestocked(_)
            | StockReserved(_)
            | StockReservationRefused(_)
            | StockReleased(_)
            | StockCommitted(_),
        ) => Some("listed"),
        ("listed", ProductWithdrawn(_))
        | ("withdrawn", StockReservationRefused(_) | StockReleased(_) | StockCommitted(_)) => {
            Some("withdrawn")
        }
        _ => None,
    }
}

fn order(before: &str, event: &OrderEvent) -> Option<&'static str> {
    use OrderEvent::{
        OrderCancellationRefused, OrderCancellationRequested, OrderCancelled, OrderCompleted, OrderConfirmed,
        OrderPlaced, OrderRejected,
    };
    match (before, event) {
        (ABSENT, OrderPlaced(_)) => Some("awaiting_payment"),
        ("awaiting_payment", OrderConfirmed(_))
        | ("cancelling" | "cancelling_for_good", OrderCancellationRefused(_)) => Some("confirmed"),
        ("awaiting_payment", OrderRejected(_)) => Some("rejected"),
        ("awaiting_payment", OrderCancellationRequested(e)) if !e.was_confirmed => Some("cancelling_unpaid"),
        ("confirmed" | "cancelling", OrderCancellationRequested(e))
            if e.was_confirmed && e.cause != CancellationCause::Requested =>
        {
            Some("cancelling_for_good")
        }
        ("confirmed", OrderCancellationRequested(e)) if e.was_confirmed => Some("cancelling"),
        ("cancelling_unpaid" | "cancelling" | "cancelling_for_good", OrderCancelled(_)) => Some("cancelled"),
        ("confirmed", OrderCompleted(_)) => Some("completed"),
        _ => None,
    }
}

fn payment(before: &str, event: &PaymentEvent) -> Option<&'static str> {
    use PaymentEvent::{
        CaptureDeclined, CaptureStarted, LateCaptureFound, PaymentCaptured, PaymentDeclined, PaymentExpired,
        PaymentRefunded, PaymentRequested, PaymentVoidRequested, PaymentVoided, RefundFailed, RefundStarted,
    };
    match (before, event) {
        (ABSENT, PaymentRequested(_)) | ("capturing", CaptureDeclined(_)) => Some("requested"),
        ("requested", CaptureStarted(_)) => Some("capturing"),
        ("capturing", PaymentVoidRequested(_)) => Some("capturing_unwanted"),
        // From `requested`: nothing was to be paid, or an attempt taken for declined had worked.
        ("requested" | "capturing" | "capturing_unwanted", PaymentCaptured(_))
        | ("declined" | "voided" | "expired", LateCaptureFound(_))
        | ("captured", RefundStarted(_) | PaymentRefunded(_) | RefundFailed(_)) => Some("captured"),
        ("capturing_unwanted", CaptureDeclined(_)) => Some("unwanted"),
        ("requested" | "unwanted", PaymentVoided(_)) => Some("voided"),
        ("capturing", PaymentDeclined(_)) => Some("declined"),
        ("requested", PaymentExpired(_)) => Some("expired"),
        _ => None,
    }
}

fn delivery(before: &str, event: &DeliveryEvent) -> Option<&'static str> {
    use DeliveryEvent::{
        DeliveryAccepted, DeliveryCancellationRefused, DeliveryCancelled, DeliveryCompleted, DeliveryFailed,
        DeliveryRequested, DeliveryShipped, PreparationStarted, ReturnCancelled, ReturnReceived,
        ReturnRefused, ReturnStarted, ReturnWindowClosed,
    };
    const ALL: [&str; 9] = [
        ABSENT,
        "requested",
        "accepted",
        "preparing",
        "shipped",
        "delivered",
        "returning",
        "failed",
        "cancelled",
    ];
    match (before, event) {
        (ABSENT, DeliveryRequested(_)) => Some("requested"),
        ("requested", DeliveryAccepted(_)) => Some("accepted"),
        ("accepted", PreparationStarted(_)) => Some("preparing"),
        ("accepted" | "preparing", DeliveryShipped(_)) => Some("shipped"),
        ("shipped", DeliveryCompleted(_)) => Some("delivered"),
        ("shipped", DeliveryFailed(_)) => Some("failed"),
        (ABSENT | "requested" | "accepted" | "preparing", DeliveryCancelled(_)) => Some("cancelled"),
        ("delivered", ReturnStarted(_)) => Some("returning"),
        // Also when nothing is left with the customer.
        ("returning", ReturnReceived(_) | ReturnCancelled(_)) => Some("delivered"),
        (
            "accepted" | "preparing" | "shipped" | "delivered" | "returning",
            DeliveryCancellationRefused(_),
        )
        | ("delivered" | "returning", ReturnWindowClosed(_))
        | (_, ReturnRefused(_)) => ALL.into_iter().find(|status| *status == before),
        _ => None,
    }
}

fn notification(before: &str, event: &NotificationEvent) -> Option<&'static str> {
    match (before, event) {
        (ABSENT, NotificationEvent::NotificationQueued(_)) => Some("queued"),
        ("queued", NotificationEvent::NotificationSent(_)) => Some("sent"),
        ("queued", NotificationEvent::NotificationFailed(_)) => Some("failed"),
        _ => None,
    }
}

fn refund(before: &str, event: &RefundEvent) -> Option<&'static str> {
    match (before, event) {
        (ABSENT, RefundEvent::RefundRequested(_)) => Some("requested"),
        ("requested", RefundEvent::RefundAccepted(_)) => Some("returning"),
        ("requested", RefundEvent::RefundRefused(_)) => Some("refused"),
        ("returning", RefundEvent::RefundCompleted(_)) => Some("completed"),
        ("requested" | "returning", RefundEvent::RefundCancelled(_)) => Some("cancelled"),
        _ => None,
    }
}

/// A coupon is one that exists or not; what it is good for is the matter of the coupons' own invariants.
fn coupon(before: &str, event: &CouponEvent) -> Option<&'static str> {
    match (before, event) {
        (ABSENT, CouponEvent::CouponIssued(_) | CouponEvent::CouponWithheld(_)) => Some("existing"),
        (ABSENT, CouponEvent::CouponRedemptionRefused(_)) => Some(ABSENT),
        (_, CouponEvent::CouponIssued(_) | CouponEvent::CouponWithheld(_)) | (ABSENT, _) => None,
        _ => Some("existing"),
    }
}

fn resort(before: &str, event: &ResortEvent) -> Option<&'static str> {
    use ResortEvent::{
        NightsHeld, NightsRefused, NightsReleased, ResortRegistered, ResortRetired, ResortRevised,
    };
    match (before, event) {
        (ABSENT, ResortRegistered(_))
        | ("open", ResortRevised(_) | NightsHeld(_) | NightsRefused(_) | NightsReleased(_)) => Some("open"),
        ("open", ResortRetired(_)) | ("retired", NightsRefused(_) | NightsReleased(_)) => Some("retired"),
        _ => None,
    }
}

fn reservation(before: &str, event: &ReservationEvent) -> Option<&'static str> {
    use ReservationEvent::{
        ReservationCancellationRequested, ReservationCancelled, ReservationCompleted, ReservationConfirmed,
        ReservationExpired, ReservationPaid, ReservationRefused, ReservationRequested,
    };
    match (before, event) {
        (ABSENT, ReservationRequested(_)) => Some("requested"),
        ("requested", ReservationConfirmed(_)) => Some("awaiting_payment"),
        ("requested", ReservationRefused(_)) => Some("refused"),
        ("awaiting_payment", ReservationPaid(_)) => Some("paid"),
        ("awaiting_payment", ReservationExpired(_)) => Some("expired"),
        ("requested" | "awaiting_payment", ReservationCancellationRequested(e)) if !e.was_paid => {
            Some("cancelling")
        }
        ("paid", ReservationCancellationRequested(e)) if e.was_paid => Some("cancelling"),
        ("cancelling", ReservationCancelled(_)) => Some("cancelled"),
        ("paid", ReservationCompleted(_)) => Some("completed"),
        _ => None,
    }
}

fn voucher(before: &str, event: &VoucherEvent) -> Option<&'static str> {
    use VoucherEvent::{VoucherDeactivated, VoucherIssued, VoucherSendRequested, VoucherSent};
    match (before, event) {
        (ABSENT, VoucherIssued(_)) | ("issued", VoucherSendRequested(_)) => Some("issued"),
        ("issued" | "sent", VoucherSent(_)) | ("sent", VoucherSendRequested(_)) => Some("sent"),
        (ABSENT | "issued" | "sent", VoucherDeactivated(_)) => Some("deactivated"),
        _ => None,
    }
}
