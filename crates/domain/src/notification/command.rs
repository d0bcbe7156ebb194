//! What can be asked of a notification.

use serde::{Deserialize, Serialize};

use crate::{CustomerId, NotificationId, NotifiedChange, OrderId, ShopId};

/// A command to a notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationCommand {
    /// A customer is to be told.
    QueueNotification {
        /// The new notification's id.
        notification_id: NotificationId,
        /// About which order.
        order_id: OrderId,
        /// Whom.
        customer_id: CustomerId,
        /// Of which shop.
        shop_id: ShopId,
        /// Of what.
        change: NotifiedChange,
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
