//! What a notification answers, by example and over the whole grid.

use cqrs_es::test::TestFramework;

use super::{
    Notification, NotificationCommand, NotificationError, NotificationEvent, NotificationFailed,
    NotificationQueued, NotificationSent,
};
use crate::{
    NotifiedChange,
    reservation::voucher_of,
    testing::{Grid, customer_id, fold, given, notification_id, order_id, reservation_id, shop_id},
};

fn queue() -> NotificationCommand {
    NotificationCommand::QueueNotification {
        notification_id: notification_id(),
        subject: order_id(1).into(),
        customer_id: customer_id(),
        shop_id: Some(shop_id()),
        change: NotifiedChange::OrderConfirmed,
        voucher_id: None,
    }
}
/// About a reservation: of no shop, with a voucher.
fn queue_voucher() -> NotificationCommand {
    NotificationCommand::QueueNotification {
        notification_id: notification_id(),
        subject: reservation_id(1).into(),
        customer_id: customer_id(),
        shop_id: None,
        change: NotifiedChange::VoucherSendRequested,
        voucher_id: Some(voucher_of(reservation_id(1))),
    }
}
fn record_sent() -> NotificationCommand {
    NotificationCommand::RecordSent { channel: "log".to_owned() }
}
fn record_failed() -> NotificationCommand {
    NotificationCommand::RecordFailed { channel: "log".to_owned(), failure_code: "no_address".to_owned() }
}
fn queued() -> NotificationEvent {
    NotificationQueued {
        notification_id: notification_id(),
        subject: order_id(1).into(),
        customer_id: customer_id(),
        shop_id: Some(shop_id()),
        change: NotifiedChange::OrderConfirmed,
        voucher_id: None,
    }
    .into()
}
fn sent() -> NotificationEvent {
    NotificationSent { channel: "log".to_owned() }.into()
}
fn failed() -> NotificationEvent {
    NotificationFailed { channel: "log".to_owned(), failure_code: "no_address".to_owned() }.into()
}

#[test]
fn every_command_in_every_state() {
    let grid = Grid::<Notification> {
        histories: vec![
            ("absent", vec![]),
            ("queued", vec![queue()]),
            ("queued, with a voucher", vec![queue_voucher()]),
            ("sent", vec![queue(), record_sent()]),
            ("failed", vec![queue(), record_failed()]),
        ],
        commands: vec![
            ("queue", queue()),
            ("queue with a voucher", queue_voucher()),
            ("record sent", record_sent()),
            ("record failed", record_failed()),
        ],
        repeatable: &[],
    };
    insta::assert_snapshot!("grid", grid.run());
}

#[test]
fn a_queued_notification_ends_as_sent_or_failed() {
    given::<Notification>([]).when(queue()).then([queued()]);
    given::<Notification>([queued()]).when(record_sent()).then([sent()]);
    given::<Notification>([queued()]).when(record_failed()).then([failed()]);
}

#[test]
fn a_message_that_brings_a_voucher_names_the_reservation_and_the_voucher_and_no_shop() {
    let queued = NotificationQueued {
        notification_id: notification_id(),
        subject: reservation_id(1).into(),
        customer_id: customer_id(),
        shop_id: None,
        change: NotifiedChange::VoucherSendRequested,
        voucher_id: Some(voucher_of(reservation_id(1))),
    };
    given::<Notification>([]).when(queue_voucher()).then([queued.clone().into()]);
    let state = fold::<Notification>(&[queued.into()]);
    let Notification::Queued(details) = state else { panic!("{state:?}") };
    assert_eq!(details.subject, reservation_id(1).into());
    assert_eq!(details.voucher_id, Some(voucher_of(reservation_id(1))));
}

#[test]
fn queueing_twice_tells_the_customer_once() {
    given::<Notification>([queued()]).when(queue()).then_already_applied();
    given::<Notification>([queued(), sent()]).when(queue()).then_already_applied();
    given::<Notification>([queued(), failed()]).when(queue()).then_already_applied();
}

#[test]
fn a_notification_is_never_both_sent_and_failed() {
    given::<Notification>([queued(), sent()])
        .when(record_failed())
        .then_error(NotificationError::IllegalTransition { state: "sent", command: "fail" });
    given::<Notification>([queued(), failed()])
        .when(record_sent())
        .then_error(NotificationError::IllegalTransition { state: "failed", command: "be sent" });
}

#[test]
fn an_answer_of_the_channel_without_a_notification_is_refused() {
    given::<Notification>([]).when(record_sent()).then_error(NotificationError::NotFound);
    given::<Notification>([]).when(record_failed()).then_error(NotificationError::NotFound);
}

#[test]
fn every_change_has_a_word_of_its_own_that_is_the_stored_one() {
    for change in NotifiedChange::ALL {
        assert_eq!(serde_json::to_value(change).unwrap(), change.name());
    }
    let mut names: Vec<_> = NotifiedChange::ALL.map(NotifiedChange::name).to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), NotifiedChange::ALL.len());
}

#[tokio::test]
async fn the_cqrs_es_framework_runs_a_notification() {
    let framework = || TestFramework::<Notification>::with(());
    framework().given(vec![queued()]).when_async(record_sent()).await.then_expect_events(vec![sent()]);
    framework()
        .given(vec![queued(), sent()])
        .when_async(record_failed())
        .await
        .then_expect_error_message("a notification that is sent cannot fail");
}
