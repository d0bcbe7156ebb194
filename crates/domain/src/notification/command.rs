//! What can be asked of a notification.

use serde::{Deserialize, Serialize};

use crate::{CustomerId, NotificationId, NotifiedChange, ShopId, Subject, VoucherId};

/// A command to a notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationCommand {
    /// A customer is to be told.
    QueueNotification {
        /// The new notification's id.
        notification_id: NotificationId,
        /// About what.
        #[serde(flatten)]
        subject: Subject,
        /// Whom.
        customer_id: CustomerId,
        /// Of which shop; none for a reservation.
        shop_id: Option<ShopId>,
        /// Of what.
        change: NotifiedChange,
        /// The voucher that the message brings, if it brings one.
        voucher_id: Option<VoucherId>,
    },
    /// The channel took it.
    RecordSent {
        /// Which channel.
        channel: String,
    },
    /// The channel will not take it.
    RecordFailed {
        /// Which channel.
        channel: String,
        /// The channel's word for it.
        failure_code: String,
    },
}
