//! The table of notifications, row by row and as a grid.

use std::collections::BTreeSet;

use domain::{
    AnyCommand, NotificationId, NotifiedChange, VoucherId,
    notification::{
        NotificationCommand, NotificationEvent, NotificationFailed, NotificationQueued, NotificationSent,
    },
    order::{OrderCancelled, OrderEvent},
    reservation::ReservationEvent,
    voucher::VoucherEvent,
};

use super::{Notifications, NotificationsState, change_of};
use crate::{
    Process,
    process::EffectCall,
    testing::{
        Given, Then, customer_id, event_id, given, grid, notification_id, order_id, placed_with, policy,
        reservation_id, reservation_paid, reservation_requested, samples, send_requested, shop_id,
        voucher_id,
    },
};

const CANCELLED: &[NotifiedChange] = &[NotifiedChange::OrderCancelled];
const PLACED: &[NotifiedChange] = &[NotifiedChange::OrderPlaced, NotifiedChange::OrderCancelled];

fn telling(notify: &[NotifiedChange], open: u32) -> NotificationsState {
    NotificationsState::Telling {
        subject: order_id().into(),
        customer_id: customer_id(),
        shop_id: Some(shop_id()),
        notify: notify.to_vec(),
        open,
    }
}
fn when(state: NotificationsState) -> Given<Notifications> {
    given(state)
}
fn placed(notify: &[NotifiedChange]) -> OrderEvent {
    placed_with(policy(notify)).into()
}
fn cancelled() -> OrderEvent {
    OrderCancelled { order_id: order_id() }.into()
}
#[track_caller]
fn queues(then: Then<Notifications>, change: NotifiedChange) {
    let id = NotificationId::derived(order_id().uuid(), "notification", &event_id().to_string());
    let command = NotificationCommand::QueueNotification {
        notification_id: id,
        subject: order_id().into(),
        customer_id: customer_id(),
        shop_id: Some(shop_id()),
        change,
        voucher_id: None,
    };
    then.sends(&format!("queue/{}", change.name()), AnyCommand::Notification { id, command }, &[])
        .and_no_more();
}

#[test]
fn an_order_remembers_whom_to_tell_what() {
    let then = when(NotificationsState::Idle).when(placed(CANCELLED));
    then.then(telling(CANCELLED, 0)).and_no_more();
}

#[test]
fn an_order_of_a_shop_that_tells_of_nothing_is_passed_over() {
    when(NotificationsState::Idle).when(placed(&[])).then_nothing();
    when(NotificationsState::Idle).when(cancelled()).then_nothing();
}

#[test]
fn the_placing_itself_can_be_told_of() {
    let then = when(NotificationsState::Idle).when(placed(PLACED)).then(telling(PLACED, 1));
    queues(then, NotifiedChange::OrderPlaced);
}

#[test]
fn a_change_that_the_policy_names_is_queued_under_an_id_made_of_the_event() {
    let then = when(telling(CANCELLED, 0)).when(cancelled()).then(telling(CANCELLED, 1));
    queues(then, NotifiedChange::OrderCancelled);
}

#[test]
fn a_change_that_the_policy_does_not_name_is_passed_over() {
    when(telling(&[NotifiedChange::OrderPlaced], 1)).when(cancelled()).then_nothing();
}

#[test]
fn a_queued_notification_is_handed_to_the_channel() {
    let queued = NotificationQueued {
        notification_id: notification_id(),
        subject: order_id().into(),
        customer_id: customer_id(),
        shop_id: Some(shop_id()),
        change: NotifiedChange::OrderCancelled,
        voucher_id: None,
    };
    let deliver = EffectCall::Deliver {
        notification_id: notification_id(),
        subject: order_id().into(),
        customer_id: customer_id(),
        shop_id: Some(shop_id()),
        change: NotifiedChange::OrderCancelled,
        voucher_id: None,
    };
    let then = when(telling(CANCELLED, 1)).when(NotificationEvent::from(queued)).then(telling(CANCELLED, 1));
    then.calls(&format!("deliver/{}", notification_id()), deliver).and_no_more();
}

fn hosting(notify: &[NotifiedChange], open: u32) -> NotificationsState {
    NotificationsState::Telling {
        subject: reservation_id().into(),
        customer_id: customer_id(),
        shop_id: None,
        notify: notify.to_vec(),
        open,
    }
}
#[track_caller]
fn queues_for_guest(then: Then<Notifications>, change: NotifiedChange, voucher_id: Option<VoucherId>) {
    let id = NotificationId::derived(reservation_id().uuid(), "notification", &event_id().to_string());
    let command = NotificationCommand::QueueNotification {
        notification_id: id,
        subject: reservation_id().into(),
        customer_id: customer_id(),
        shop_id: None,
        change,
        voucher_id,
    };
    then.sends(&format!("queue/{}", change.name()), AnyCommand::Notification { id, command }, &[])
        .and_no_more();
}

#[test]
fn a_reservation_is_remembered_whatever_its_policy_names() {
    let silent = ReservationEvent::from(reservation_requested(&[]));
    when(NotificationsState::Idle).when(silent).then(hosting(&[], 0)).and_no_more();
    let notify = [NotifiedChange::ReservationRequested];
    let then = when(NotificationsState::Idle).when(ReservationEvent::from(reservation_requested(&notify)));
    queues_for_guest(then.then(hosting(&notify, 1)), NotifiedChange::ReservationRequested, None);
}

#[test]
fn a_voucher_is_sent_whatever_the_policy_says() {
    let then = when(hosting(&[], 0)).when(VoucherEvent::from(send_requested(1))).then(hosting(&[], 1));
    queues_for_guest(then, NotifiedChange::VoucherSendRequested, Some(voucher_id()));
}

#[test]
fn other_changes_of_a_reservation_are_told_of_where_the_policy_names_them() {
    let named = [NotifiedChange::ReservationPaid];
    let paid = || ReservationEvent::from(reservation_paid());
    let then = when(hosting(&named, 0)).when(paid()).then(hosting(&named, 1));
    queues_for_guest(then, NotifiedChange::ReservationPaid, None);
    when(hosting(&[], 0)).when(paid()).then_nothing();
}

#[test]
fn a_message_that_brings_a_voucher_names_it_and_holds_no_code() {
    let queued = NotificationQueued {
        notification_id: notification_id(),
        subject: reservation_id().into(),
        customer_id: customer_id(),
        shop_id: None,
        change: NotifiedChange::VoucherSendRequested,
        voucher_id: Some(voucher_id()),
    };
    let deliver = EffectCall::Deliver {
        notification_id: notification_id(),
        subject: reservation_id().into(),
        customer_id: customer_id(),
        shop_id: None,
        change: NotifiedChange::VoucherSendRequested,
        voucher_id: Some(voucher_id()),
    };
    let stored = serde_json::to_string(&deliver).unwrap();
    assert_eq!(serde_json::from_str::<EffectCall>(&stored).unwrap(), deliver);
    let then = when(hosting(&[], 1)).when(NotificationEvent::from(queued)).then(hosting(&[], 1));
    then.calls(&format!("deliver/{}", notification_id()), deliver).and_no_more();
}

#[test]
fn what_an_older_release_has_stored_about_an_order_is_read() {
    let stored = serde_json::json!({
        "stage": "telling",
        "memory": {
            "order_id": order_id(), "customer_id": "alice", "shop_id": "phone", "notify": ["order_cancelled"], "open": 2,
        },
    });
    assert_eq!(serde_json::from_value::<NotificationsState>(stored).unwrap(), telling(CANCELLED, 2));
}

#[test]
fn a_notification_that_is_sent_or_failed_is_no_longer_waited_for() {
    let sent = NotificationSent { channel: "log".to_owned() };
    let failed = NotificationFailed { channel: "log".to_owned(), failure_code: "gone".to_owned() };
    for event in [NotificationEvent::from(sent), failed.into()] {
        when(telling(CANCELLED, 2)).when(event).then(telling(CANCELLED, 1)).and_no_more();
    }
}

#[test]
fn an_open_instance_says_how_many_the_channel_has_not_taken() {
    let says = |state: NotificationsState| Notifications::awaits(&state).map(|a| a.what);
    assert_eq!(says(telling(CANCELLED, 2)).unwrap(), "the channel to take 2 notification(s)");
    assert_eq!(says(telling(CANCELLED, 0)), None);
    assert_eq!(says(NotificationsState::Idle), None);
}

#[test]
fn every_change_of_the_closed_list_is_made_by_an_event_and_none_by_a_notification() {
    let made: BTreeSet<_> = samples().iter().filter_map(|(_, event)| change_of(event)).collect();
    assert_eq!(made, NotifiedChange::ALL.into_iter().collect());
    for (label, event) in samples() {
        assert!(change_of(&event).is_none() || !label.starts_with("notification."), "{label}");
    }
}

#[test]
fn every_event_in_every_stage() {
    let states = [
        ("idle", NotificationsState::Idle),
        ("telling of everything", telling(&NotifiedChange::ALL, 1)),
        ("telling of the cancellation", telling(CANCELLED, 0)),
        ("telling of a reservation's cancellation", hosting(&[NotifiedChange::ReservationCancelled], 0)),
    ];
    insta::assert_snapshot!("grid", grid::<Notifications>(&states, &["due"]));
}
