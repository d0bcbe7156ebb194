use std::sync::Arc;

use domain::{
    Event,
    notification::{NotificationEvent, NotificationFailed},
};

use crate::{
    testing::{
        Scenario, applied_twice_is_once, fold_rows, story, tolerates_any_order, windows_do_not_matter,
    },
    views::Notifications,
};

#[test]
fn rebuilt_is_the_same_as_incremental() {
    windows_do_not_matter::<Notifications>();
}

#[test]
fn events_in_any_order_and_more_than_once_are_taken_without_a_panic() {
    tolerates_any_order::<Notifications>();
}

#[tokio::test]
async fn a_window_applied_twice_counts_once() {
    applied_twice_is_once::<Notifications>().await;
}

#[test]
fn the_rows_of_every_way_an_order_can_go_are_as_reviewed() {
    for scenario in [Scenario::Delivered, Scenario::Stayed] {
        let rows = fold_rows::<Notifications>(&story(scenario).envelopes());
        insta::assert_json_snapshot!(format!("{scenario:?}"), rows);
    }
}

#[test]
fn a_notification_that_failed_says_through_which_channel_and_why() {
    let mut history = story(Scenario::Delivered).envelopes();
    for event in &mut history {
        let event = Arc::make_mut(event);
        if matches!(event.event, Event::Notification(NotificationEvent::NotificationSent(_))) {
            let failed =
                NotificationFailed { channel: "webhook".to_owned(), failure_code: "webhook_404".to_owned() };
            event.event = NotificationEvent::from(failed).into();
        }
    }
    insta::assert_json_snapshot!("failed", fold_rows::<Notifications>(&history));
}
