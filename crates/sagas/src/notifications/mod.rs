//! Notifications: tells customers what the shop's or resort's policy says they are told. Instance: the order or the
//! reservation, so that its messages leave in the order in which things happened.
//!
//! | input | does |
//! |---|---|
//! | OrderPlaced, ReservationRequested | remembers whom to tell what |
//! | a change that the policy names | queue a notification |
//! | VoucherSendRequested | queue a notification that brings the voucher, whatever the policy says |
//! | NotificationQueued | deliver through the channel, record sent or failed |
//!
//! Never about notifications, never stuck: a channel that does not take a message after some tries makes it failed. The
//! voucher's code is read when it is handed over and kept nowhere; a voucher that was deactivated meanwhile is not sent.

mod changes;
#[cfg(test)]
mod tests;

pub use changes::change_of;

use domain::{
    AnyCommand, CustomerId, Envelope, Event, NotificationId, NotifiedChange, ShopId, Subject, VoucherId,
    notification::{NotificationCommand, NotificationEvent},
    order::OrderEvent,
    reservation::ReservationEvent,
    voucher::VoucherEvent,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::process::{Awaiting, EffectCall, Input, Process, Reaction, go, ignore};

/// The process; see the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct Notifications;

/// Whom to tell what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "stage", content = "memory", rename_all = "snake_case")]
pub enum NotificationsState {
    /// Nobody, nothing.
    #[default]
    Idle,
    /// Somebody.
    Telling {
        /// About what.
        #[serde(flatten)]
        subject: Subject,
        /// Whom.
        customer_id: CustomerId,
        /// Of which shop; none for a reservation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shop_id: Option<ShopId>,
        /// Of what.
        notify: Vec<NotifiedChange>,
        /// Notifications that are queued and neither sent nor failed.
        open: u32,
    },
}

impl Process for Notifications {
    type State = NotificationsState;
    const NAME: &'static str = "notifications";
    const VERSION: u32 = 1;

    fn instance(event: &Envelope) -> Option<Uuid> {
        let known = change_of(&event.event).is_some() || matches!(event.event, Event::Notification(_));
        known.then_some(event.metadata.correlation_id)
    }

    fn begins(event: &Envelope) -> bool {
        matches!(
            event.event,
            Event::Order(OrderEvent::OrderPlaced(_))
                | Event::Reservation(ReservationEvent::ReservationRequested(_))
        )
    }

    fn react(state: &NotificationsState, input: Input<'_>) -> Reaction<NotificationsState> {
        use NotificationsState::{Idle, Telling};
        let Input::Event(event) = input else { return ignore() };
        match (state, &event.event) {
            (Idle, Event::Order(OrderEvent::OrderPlaced(e))) if !e.policy.notify.is_empty() => {
                let told = Telling {
                    subject: e.order_id.into(),
                    customer_id: e.customer_id.clone(),
                    shop_id: Some(e.shop_id.clone()),
                    notify: e.policy.notify.clone(),
                    open: 0,
                };
                tell(&told, event).unwrap_or_else(|| go(told))
            }
            // Remembered in any case, since its voucher is sent in any case.
            (Idle, Event::Reservation(ReservationEvent::ReservationRequested(e))) => {
                let told = Telling {
                    subject: e.reservation_id.into(),
                    customer_id: e.customer_id.clone(),
                    shop_id: None,
                    notify: e.policy.notify.clone(),
                    open: 0,
                };
                tell(&told, event).unwrap_or_else(|| go(told))
            }
            (Telling { .. }, Event::Notification(NotificationEvent::NotificationQueued(e))) => {
                let message = EffectCall::Deliver {
                    notification_id: e.notification_id,
                    subject: e.subject,
                    customer_id: e.customer_id.clone(),
                    shop_id: e.shop_id.clone(),
                    change: e.change,
                    voucher_id: e.voucher_id,
                };
                go(state.clone()).call(format!("deliver/{}", e.notification_id), message)
            }
            (
                Telling { .. },
                Event::Notification(
                    NotificationEvent::NotificationSent(_) | NotificationEvent::NotificationFailed(_),
                ),
            ) => go(counted(state, -1)),
            (Telling { .. }, _) => tell(state, event).unwrap_or_else(ignore),
            _ => ignore(),
        }
    }

    fn awaits(state: &NotificationsState) -> Option<Awaiting> {
        match state {
            NotificationsState::Telling { open, .. } if *open > 0 => {
                Awaiting::for_event(format!("the channel to take {open} notification(s)"))
            }
            _ => None,
        }
    }
}

/// The notification that an event about an order or a reservation leads to.
#[must_use]
pub fn notification_of(subject: Subject, event_id: Uuid) -> NotificationId {
    NotificationId::derived(subject.uuid(), "notification", &event_id.to_string())
}

/// Queues a notification if the policy names the change, or if it brings a voucher.
fn tell(state: &NotificationsState, event: &Envelope) -> Option<Reaction<NotificationsState>> {
    let NotificationsState::Telling { subject, customer_id, shop_id, notify, .. } = state else {
        return None;
    };
    let voucher_id = voucher_of(&event.event);
    let wanted = |change: &NotifiedChange| voucher_id.is_some() || notify.contains(change);
    let change = change_of(&event.event).filter(wanted)?;
    let notification_id = notification_of(*subject, event.metadata.event_id);
    let command = NotificationCommand::QueueNotification {
        notification_id,
        subject: *subject,
        customer_id: customer_id.clone(),
        shop_id: shop_id.clone(),
        change,
        voucher_id,
    };
    let queue = AnyCommand::Notification { id: notification_id, command };
    Some(go(counted(state, 1)).send(format!("queue/{}", change.name()), queue))
}

/// The voucher that an event wants to be sent.
fn voucher_of(event: &Event) -> Option<VoucherId> {
    match event {
        Event::Voucher(VoucherEvent::VoucherSendRequested(e)) => Some(e.voucher_id),
        _ => None,
    }
}

fn counted(state: &NotificationsState, by: i32) -> NotificationsState {
    let mut next = state.clone();
    if let NotificationsState::Telling { open, .. } = &mut next {
        *open = open.saturating_add_signed(by);
    }
    next
}
