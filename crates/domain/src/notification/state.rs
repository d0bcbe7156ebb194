//! What the past of a notification comes to.

use serde::{Deserialize, Serialize};

use super::NotificationEvent;
use crate::{CustomerId, NotifiedChange, Subject, VoucherId};

/// What is known of a notification that was queued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotificationDetails {
    /// About what.
    pub subject: Subject,
    /// Whom.
    pub customer_id: CustomerId,
    /// Of what.
    pub change: NotifiedChange,
    /// The voucher that the message brings, if it brings one.
    pub voucher_id: Option<VoucherId>,
}

/// A notification.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Notification {
    /// No such notification.
    #[default]
    Absent,
    /// To be sent.
    Queued(NotificationDetails),
    /// Sent.
    Sent(NotificationDetails),
    /// Not sent, and never will be.
    Failed(NotificationDetails),
}

pub(super) fn evolve(state: &mut Notification, event: &NotificationEvent) {
    use Notification::{Absent, Failed, Queued, Sent};
    *state = match (std::mem::take(state), event) {
        (_, NotificationEvent::NotificationQueued(e)) => Queued(NotificationDetails {
            subject: e.subject,
            customer_id: e.customer_id.clone(),
            change: e.change,
            voucher_id: e.voucher_id,
        }),
        (Queued(details) | Sent(details) | Failed(details), NotificationEvent::NotificationSent(_)) => {
            Sent(details)
        }
        (Queued(details) | Sent(details) | Failed(details), NotificationEvent::NotificationFailed(_)) => {
            Failed(details)
        }
        (Absent, _) => Absent,
    };
}

pub(super) fn status(notification: &Notification) -> &'static str {
    match notification {
        Notification::Absent => "absent",
        Notification::Queued(_) => "queued",
        Notification::Sent(_) => "sent",
        Notification::Failed(_) => "failed",
    }
}
