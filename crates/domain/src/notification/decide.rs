//! What a notification answers to each command in each state.

use super::{
    Notification, NotificationCommand, NotificationError, NotificationEvent, NotificationFailed,
    NotificationQueued, NotificationSent, state::status,
};
use crate::{Decision, already_applied, executed};

pub(super) fn decide(
    notification: &Notification,
    command: &NotificationCommand,
) -> Decision<NotificationEvent, NotificationError> {
    use Notification::{Absent, Failed, Queued, Sent};
    use NotificationCommand::{QueueNotification, RecordFailed, RecordSent};
    match (notification, command) {
        (
            Absent,
            QueueNotification { notification_id, subject, customer_id, shop_id, change, voucher_id },
        ) => executed(NotificationQueued {
            notification_id: *notification_id,
            subject: *subject,
            customer_id: customer_id.clone(),
            shop_id: shop_id.clone(),
            change: *change,
            voucher_id: *voucher_id,
        }),
        (Queued(_) | Sent(_) | Failed(_), QueueNotification { .. }) => already_applied(),
        (Queued(_), RecordSent { channel }) => executed(NotificationSent { channel: channel.clone() }),
        (Sent(_), RecordSent { .. }) => already_applied(),
        (Queued(_), RecordFailed { channel, failure_code }) => {
            executed(NotificationFailed { channel: channel.clone(), failure_code: failure_code.clone() })
        }
        (Failed(_), RecordFailed { .. }) => already_applied(),
        (Absent, _) => Err(NotificationError::NotFound),
        (state, command) => {
            Err(NotificationError::IllegalTransition { state: status(state), command: verb(command) })
        }
    }
}

fn verb(command: &NotificationCommand) -> &'static str {
    match command {
        NotificationCommand::QueueNotification { .. } => "be queued",
        NotificationCommand::RecordSent { .. } => "be sent",
        NotificationCommand::RecordFailed { .. } => "fail",
    }
}
