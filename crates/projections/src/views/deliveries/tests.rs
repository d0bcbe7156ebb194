use crate::{
    testing::{
        Scenario, applied_twice_is_once, fold_rows, story, tolerates_any_order, windows_do_not_matter,
    },
    views::Deliveries,
};

#[test]
fn rebuilt_is_the_same_as_incremental() {
    windows_do_not_matter::<Deliveries>();
}

#[test]
fn events_in_any_order_and_more_than_once_are_taken_without_a_panic() {
    tolerates_any_order::<Deliveries>();
}

#[tokio::test]
async fn a_window_applied_twice_counts_once() {
    applied_twice_is_once::<Deliveries>().await;
}

#[test]
fn the_rows_of_every_way_an_order_can_go_are_as_reviewed() {
    for scenario in Scenario::ORDERS {
        let rows = fold_rows::<Deliveries>(&story(scenario).envelopes());
        insta::assert_json_snapshot!(format!("{scenario:?}"), rows);
    }
}
