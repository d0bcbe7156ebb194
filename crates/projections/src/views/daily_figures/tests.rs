use std::{collections::BTreeMap, sync::Arc};

use chrono::Duration;
use domain::{Envelope, Event, order::OrderEvent, payment::PaymentEvent};

use super::FiguresRow;
use crate::{
    testing::{
        Scenario, applied_twice_is_once, crowd, fold_rows, story, tolerates_any_order, windows_do_not_matter,
    },
    views::DailyFigures,
};

#[test]
fn rebuilt_is_the_same_as_incremental() {
    windows_do_not_matter::<DailyFigures>();
}

#[test]
fn events_in_any_order_and_more_than_once_are_taken_without_a_panic() {
    tolerates_any_order::<DailyFigures>();
}

#[tokio::test]
async fn a_window_applied_twice_counts_once() {
    applied_twice_is_once::<DailyFigures>().await;
}

#[test]
fn the_rows_of_every_way_an_order_or_a_reservation_can_go_are_as_reviewed() {
    for scenario in Scenario::all() {
        let rows = fold_rows::<DailyFigures>(&story(scenario).envelopes());
        insta::assert_json_snapshot!(format!("{scenario:?}"), rows);
    }
}

/// The rows that lists show.
fn figures(events: &[Arc<Envelope>]) -> BTreeMap<String, FiguresRow> {
    let rows = fold_rows::<DailyFigures>(events).into_iter();
    let rows = rows.map(|(key, row)| (key, serde_json::from_value::<FiguresRow>(row).unwrap()));
    rows.filter(|(_, row)| row.day.is_some()).collect()
}

#[test]
fn every_amount_that_was_taken_or_given_back_is_booked_once() {
    let events = crowd(11, 150).envelopes();
    let (mut taken, mut back, mut times) = (0, 0, 0);
    for event in &events {
        match &event.event {
            Event::Payment(PaymentEvent::PaymentCaptured(e)) => taken += e.amount.amount_minor,
            Event::Payment(PaymentEvent::PaymentRefunded(e)) => {
                back += e.amount.amount_minor;
                times += u64::from(e.amount.amount_minor > 0);
            }
            _ => {}
        }
    }
    let rows = figures(&events);
    let sum = |of: fn(&FiguresRow) -> &[domain::Money]| {
        rows.values().flat_map(of).map(|amount| amount.amount_minor).sum::<i64>()
    };
    assert!(back > 0 && taken > back);
    assert_eq!((sum(|row| &row.revenue), sum(|row| &row.refunded)), (taken, back));
    assert_eq!(rows.values().map(|row| row.refunds).sum::<u64>(), times);
    assert!(rows.keys().any(|key| key.starts_with("shop/pizza/")), "{:?}", rows.keys());
    assert!(rows.keys().any(|key| key.starts_with("resort/")), "{:?}", rows.keys());
}

#[test]
fn what_happens_a_day_later_counts_for_that_day() {
    let mut events = story(Scenario::Returned).envelopes();
    let completed =
        |event: &Arc<Envelope>| matches!(event.event, Event::Order(OrderEvent::OrderCompleted(_)));
    let arrived = events.iter().position(completed).unwrap();
    for event in &mut events[arrived + 1..] {
        Arc::make_mut(event).metadata.recorded_at += Duration::days(1);
    }
    let rows = figures(&events);
    let [first, second] = rows.values().collect::<Vec<_>>()[..] else { panic!("two days, not {rows:?}") };
    let day = first.day.unwrap();
    assert_eq!(second.day, day.succ_opt());
    assert_eq!(rows.keys().next(), Some(&format!("shop/phone/{day}")));
    let (orders, later) = (first.orders.unwrap(), second.orders.unwrap());
    assert_eq!((orders.placed, orders.confirmed, orders.completed), (1, 1, 1));
    assert_eq!((later.placed, later.completed), (0, 0));
    assert_eq!((first.refunded.len(), first.refunds), (0, 0));
    assert_eq!((&second.refunded, second.refunds), (&first.revenue, 1));
    assert!(second.revenue.is_empty());
}
