use std::collections::BTreeMap;

use domain::{
    Aggregate, AggregateKind, Envelope, Event, OrderId,
    coupon::{Coupon, coupon_of},
    delivery::Delivery,
    order::Order,
    payment::Payment,
    refund::Refund,
};

use uuid::Uuid;

use crate::{
    testing::{
        Scenario, applied_twice_is_once, fold_rows, story, tolerates_any_order, windows_do_not_matter,
    },
    views::{Deliveries, Orders, Payments, order_as_of},
};

#[test]
fn rebuilt_is_the_same_as_incremental() {
    windows_do_not_matter::<Orders>();
}

#[test]
fn events_in_any_order_and_more_than_once_are_taken_without_a_panic() {
    tolerates_any_order::<Orders>();
}

#[tokio::test]
async fn a_window_applied_twice_counts_once() {
    applied_twice_is_once::<Orders>().await;
}

#[test]
fn the_rows_of_every_way_an_order_can_go_are_as_reviewed() {
    for scenario in Scenario::ORDERS {
        let rows = fold_rows::<Orders>(&story(scenario).envelopes());
        insta::assert_json_snapshot!(format!("{scenario:?}"), rows);
    }
}

/// What a row must say, by the aggregates of the first order that a story is about.
#[derive(Default)]
struct Truth {
    order: Order,
    payment: Payment,
    delivery: Delivery,
    coupon: Coupon,
    refunds: BTreeMap<Uuid, Refund>,
}

impl Truth {
    /// Counts the event if it is about this order; returns whether it is.
    fn count(&mut self, order: Uuid, event: &Envelope) -> bool {
        let own = event.metadata.correlation_id == order;
        let coupon = event.stream.id == coupon_of(OrderId::from_uuid(order)).uuid();
        match &event.event {
            Event::Order(event) if own => self.order.evolve(event),
            Event::Payment(event) if own => self.payment.evolve(event),
            Event::Delivery(event) if own => self.delivery.evolve(event),
            Event::Refund(change) if own => self.refunds.entry(event.stream.id).or_default().evolve(change),
            Event::Coupon(event) if coupon => self.coupon.evolve(event),
            _ => return false,
        }
        true
    }
}

#[test]
fn statuses_are_the_words_of_the_aggregates_after_every_event() {
    for scenario in Scenario::ORDERS {
        let events = story(scenario).envelopes();
        let first = events.iter().find(|event| event.event.kind() == AggregateKind::Order).unwrap().stream.id;
        let mut truth = Truth::default();
        let mut own = Vec::new();
        for event in &events {
            if !truth.count(first, event) {
                continue;
            }
            own.push(event.clone());
            let Some(row) = order_as_of(&own) else { continue };
            let context = format!("{scenario:?} after {}", event.event.name());
            assert_eq!(row.status.name(), truth.order.status(), "{context}");
            if truth.payment.status() != "absent" {
                assert_eq!(row.payment.status.name(), truth.payment.status(), "{context}");
                let payments = fold_rows::<Payments>(&own);
                assert_eq!(payments.values().next().unwrap()["status"], truth.payment.status(), "{context}");
            }
            let shown = row.delivery.map_or("absent", |delivery| delivery.status.name());
            assert_eq!(shown, truth.delivery.status(), "{context}");
            if let Some(row) = fold_rows::<Deliveries>(&own).values().next() {
                assert_eq!(row["status"], truth.delivery.status(), "{context}");
            }
            let shown = row.coupon_issued.map_or("absent", |coupon| coupon.status.name());
            assert_eq!(shown, truth.coupon.status(), "{context}");
            let shown: BTreeMap<_, _> =
                row.refunds.iter().map(|refund| (refund.refund_id.uuid(), refund.status.name())).collect();
            let refunds = truth.refunds.iter().map(|(id, refund)| (*id, refund.status()));
            assert_eq!(shown, refunds.collect(), "{context}");
        }
        // The row is the same whether other orders' events are there or not.
        let all = fold_rows::<Orders>(&events).remove(&first.to_string());
        assert_eq!(all, Some(serde_json::to_value(order_as_of(&own)).unwrap()), "{scenario:?}");
    }
}

#[test]
fn an_order_that_was_not_placed_is_not_there() {
    assert_eq!(order_as_of(&[]), None);
    let events = story(Scenario::Delivered).envelopes();
    let without: Vec<_> = events.into_iter().filter(|event| event.event.name() != "order.placed").collect();
    assert_eq!(order_as_of(&without), None);
}

#[test]
fn a_coupon_that_a_later_order_uses_shows_at_the_order_that_earned_it() {
    let status = |scenario| {
        let rows = fold_rows::<Orders>(&story(scenario).envelopes());
        let earner = rows.values().find(|row| row["coupon_used"].is_null()).unwrap().clone();
        (earner["coupon_issued"]["status"].clone(), rows.len())
    };
    assert_eq!(status(Scenario::Delivered), ("issued".into(), 1));
    assert_eq!(status(Scenario::CouponSpent), ("redeemed".into(), 2));
    assert_eq!(status(Scenario::CouponGivenBack), ("issued".into(), 2));
    assert_eq!(status(Scenario::CouponUsedTwice), ("redeemed".into(), 3));
    assert_eq!(status(Scenario::Returned), ("revoked".into(), 1));
    assert_eq!(status(Scenario::Withheld), ("withheld".into(), 1));
    assert_eq!(status(Scenario::ReturnCalledOff), ("issued".into(), 1));
}
