//! Notifications: tells customers what the shop's policy says they are told. Instance: the order, so that its messages
//! leave in the order in which things happened.
//!
//! | input | does |
//! |---|---|
//! | OrderPlaced | remembers whom to tell what |
//! | a change that the policy names | queue a notification |
//! | NotificationQueued | deliver through the channel, record sent or failed |
//!
//! Never about notifications, never stuck: a channel that does not take a message after some tries makes it failed.

mod changes;
#[cfg(test)]
mod tests;

pub use changes::change_of;

use domain::{
    AnyCommand, CustomerId, Envelope, Event, NotificationId, NotifiedChange, OrderId, ShopId,
    notification::{NotificationCommand, NotificationEvent},
    order::OrderEvent,
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
        /// About which order.
        order_id: OrderId,
        /// Whom.
        customer_id: CustomerId,
        /// Of which shop.
        shop_id: ShopId,
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
        matches!(event.event, Event::Order(OrderEvent::OrderPlaced(_)))
    }

    fn react(state: &NotificationsState, input: Input<'_>) -> Reaction<NotificationsState> {
        use NotificationsState::{Idle, Telling};
        let Input::Event(event) = input else { return ignore() };
        match (state, &event.event) {
            (Idle, Event::Order(OrderEvent::OrderPlaced(e))) if !e.policy.notify.is_empty() => {
                let told = Telling {
                    order_id: e.order_id,
                    customer_id: e.customer_id.clone(),
                    shop_id: e.shop_id.clone(),
                    notify: e.policy.notify.clone(),
                    open: 0,
                };
                tell(&told, event).unwrap_or_else(|| go(told))
            }
            (Telling { .. }, Event::Notification(NotificationEvent::NotificationQueued(e))) => {
                let message = EffectCall::Deliver {
                    notification_id: e.notification_id,
                    order_id: e.order_id,
                    customer_id: e.customer_id.clone(),
                    shop_id: e.shop_id.clone(),
                    change: e.change,
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

/// Queues a notification if the policy names the change.
fn tell(state: &NotificationsState, event: &Envelope) -> Option<Reaction<NotificationsState>> {
    let NotificationsState::Telling { order_id, customer_id, shop_id, notify, .. } = state else {
        return None;
    };
    let change = change_of(&event.event).filter(|change| notify.contains(change))?;
    let notification_id =
        NotificationId::derived(order_id.uuid(), "notification", &event.metadata.event_id.to_string());
    let command = NotificationCommand::QueueNotification {
        notification_id,
        order_id: *order_id,
        customer_id: customer_id.clone(),
        shop_id: shop_id.clone(),
        change,
    };
    let queue = AnyCommand::Notification { id: notification_id, command };
    Some(go(counted(state, 1)).send(format!("queue/{}", change.name()), queue))
}

fn counted(state: &NotificationsState, by: i32) -> NotificationsState {
    let mut next = state.clone();
    if let NotificationsState::Telling { open, .. } = &mut next {
        *open = open.saturating_add_signed(by);
    }
    next
}
