use domain::{Aggregate, Event, delivery::Delivery, order::Order, payment::Payment};

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
    for scenario in Scenario::ALL {
        let rows = fold_rows::<Orders>(&story(scenario).envelopes());
        insta::assert_json_snapshot!(format!("{scenario:?}"), rows);
    }
}

#[test]
fn statuses_are_the_words_of_the_aggregates_after_every_event() {
    for scenario in Scenario::ALL {
        let events = story(scenario).envelopes();
        let (mut order, mut payment, mut delivery) =
            (Order::default(), Payment::default(), Delivery::default());
        for (place, event) in events.iter().enumerate() {
            match &event.event {
                Event::Order(event) => order.evolve(event),
                Event::Payment(event) => payment.evolve(event),
                Event::Delivery(event) => delivery.evolve(event),
                _ => {}
            }
            let so_far = &events[..=place];
            let Some(row) = order_as_of(so_far) else { continue };
            let context = format!("{scenario:?} after {}", event.event.name());
            assert_eq!(row.status.name(), order.status(), "{context}");
            if payment.status() != "absent" {
                assert_eq!(row.payment.status.name(), payment.status(), "{context}");
                let payments = fold_rows::<Payments>(so_far);
                assert_eq!(payments.values().next().unwrap()["status"], payment.status(), "{context}");
            }
            let shown = row.delivery.map_or("absent", |delivery| delivery.status.name());
            assert_eq!(shown, delivery.status(), "{context}");
            if let Some(row) = fold_rows::<Deliveries>(so_far).values().next() {
                assert_eq!(row["status"], delivery.status(), "{context}");
            }
        }
    }
}

#[test]
fn an_order_that_was_not_placed_is_not_there() {
    assert_eq!(order_as_of(&[]), None);
    let events = story(Scenario::Delivered).envelopes();
    let without: Vec<_> = events.into_iter().filter(|event| event.event.name() != "order.placed").collect();
    assert_eq!(order_as_of(&without), None);
}
