//! From events to rows of `daily_figures`.

use chrono::NaiveDate;
use domain::{
    Envelope, Event, Money, coupon::CouponEvent, order::OrderEvent, payment::PaymentEvent,
    reservation::ReservationEvent,
};
use uuid::Uuid;

use super::{DailyFigures, FiguresRow, row::Owner};
use crate::{Key, Known, RowKey, Rows};

pub(super) fn introduces(event: &Envelope) -> Option<(RowKey, FiguresRow)> {
    let owner = match &event.event {
        Event::Order(OrderEvent::OrderPlaced(placed)) => Owner::Shop(placed.shop_id.clone()),
        Event::Reservation(ReservationEvent::ReservationRequested(e)) => Owner::Resort(e.resort_id),
        _ => return None,
    };
    Some((event.stream.id.into(), FiguresRow::owner_row(owner)))
}

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    keys.extend(subject_of(event).map(Key::of));
}

pub(super) fn related(event: &Envelope, known: &Known<'_, DailyFigures>, keys: &mut Vec<Key>) {
    let owner = subject_of(event).and_then(|subject| known.peek(subject)?.owner());
    keys.extend(owner.map(|owner| Key::of(owner.key(day_of(event)))));
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, DailyFigures>) {
    // Of an order or a reservation that the log does not know: nobody's day.
    let Some(owner) = subject_of(event).and_then(|subject| rows.peek(subject)?.owner()) else { return };
    let key = owner.key(day_of(event));
    if rows.peek(key.clone()).is_none() {
        rows.insert(key.clone(), FiguresRow::empty(owner, day_of(event)));
    }
    let Some(row) = rows.get(key) else { return };
    count(row, event);
    row.position = event.position;
}

fn day_of(event: &Envelope) -> NaiveDate {
    event.metadata.recorded_at.date_naive()
}

/// The order or reservation that an event which counts is about.
fn subject_of(event: &Envelope) -> Option<Uuid> {
    match &event.event {
        Event::Order(change) => match change {
            OrderEvent::OrderPlaced(_)
            | OrderEvent::OrderConfirmed(_)
            | OrderEvent::OrderRejected(_)
            | OrderEvent::OrderCancelled(_)
            | OrderEvent::OrderCompleted(_) => Some(event.stream.id),
            OrderEvent::OrderCancellationRequested(_) | OrderEvent::OrderCancellationRefused(_) => None,
        },
        Event::Reservation(change) => match change {
            ReservationEvent::ReservationCancellationRequested(_) => None,
            _ => Some(event.stream.id),
        },
        Event::Payment(change) => match change {
            PaymentEvent::PaymentCaptured(e) => Some(e.subject.uuid()),
            PaymentEvent::LateCaptureFound(e) => Some(e.subject.uuid()),
            PaymentEvent::PaymentRefunded(e) => Some(e.subject.uuid()),
            _ => None,
        },
        // A coupon is used in the shop that issued it, so both its orders lead to the same shop.
        Event::Coupon(change) => match change {
            CouponEvent::CouponIssued(e) => Some(e.order_id.uuid()),
            CouponEvent::CouponRedeemed(e) => Some(e.order_id.uuid()),
            CouponEvent::CouponReleased(e) => Some(e.order_id.uuid()),
            CouponEvent::CouponRevoked(e) => Some(e.order_id.uuid()),
            _ => None,
        },
        _ => None,
    }
}

fn count(row: &mut FiguresRow, event: &Envelope) {
    match &event.event {
        Event::Order(change) => {
            let orders = row.orders.get_or_insert_default();
            match change {
                OrderEvent::OrderPlaced(_) => orders.placed += 1,
                OrderEvent::OrderConfirmed(_) => orders.confirmed += 1,
                OrderEvent::OrderRejected(_) => orders.rejected += 1,
                OrderEvent::OrderCancelled(_) => orders.cancelled += 1,
                OrderEvent::OrderCompleted(_) => orders.completed += 1,
                OrderEvent::OrderCancellationRequested(_) | OrderEvent::OrderCancellationRefused(_) => {}
            }
        }
        Event::Reservation(change) => {
            let reservations = row.reservations.get_or_insert_default();
            match change {
                ReservationEvent::ReservationRequested(_) => reservations.requested += 1,
                ReservationEvent::ReservationConfirmed(_) => reservations.confirmed += 1,
                ReservationEvent::ReservationRefused(_) => reservations.refused += 1,
                ReservationEvent::ReservationPaid(_) => reservations.paid += 1,
                ReservationEvent::ReservationExpired(_) => reservations.expired += 1,
                ReservationEvent::ReservationCancelled(_) => reservations.cancelled += 1,
                ReservationEvent::ReservationCompleted(_) => reservations.completed += 1,
                ReservationEvent::ReservationCancellationRequested(_) => {}
            }
        }
        Event::Payment(change) => match change {
            PaymentEvent::PaymentCaptured(captured) => add(&mut row.revenue, captured.amount),
            PaymentEvent::LateCaptureFound(found) => add(&mut row.revenue, found.amount),
            PaymentEvent::PaymentRefunded(refunded) => {
                add(&mut row.refunded, refunded.amount);
                row.refunds += u64::from(!refunded.amount.is_zero());
            }
            _ => {}
        },
        Event::Coupon(change) => {
            let coupons = row.coupons.get_or_insert_default();
            match change {
                CouponEvent::CouponIssued(_) => coupons.issued += 1,
                CouponEvent::CouponRedeemed(_) => coupons.redeemed += 1,
                CouponEvent::CouponReleased(_) => coupons.released += 1,
                CouponEvent::CouponRevoked(_) => coupons.revoked += 1,
                _ => {}
            }
        }
        _ => {}
    }
}

/// Adds to the amount in the same currency; a sum beyond the range of money stays where it was.
fn add(sums: &mut Vec<Money>, amount: Money) {
    if amount.is_zero() {
        return;
    }
    match sums.iter_mut().find(|sum| sum.currency == amount.currency) {
        Some(sum) => *sum = sum.plus(amount).unwrap_or(*sum),
        None => {
            let place = sums.partition_point(|sum| sum.currency.code() < amount.currency.code());
            sums.insert(place, amount);
        }
    }
}
