//! What can have happened to a notification.

use crate::{CustomerId, NotificationId, NotifiedChange, OrderId, ShopId};

events! {
    /// Facts about one notification.
    pub enum NotificationEvent {
        /// A customer is to be told.
        "notification.queued" @ 1 => NotificationQueued {
            /// Which notification.
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
        "notification.sent" @ 1 => NotificationSent {
            /// Which channel.
            channel: String,
        },
        /// The channel will not take it.
        "notification.failed" @ 1 => NotificationFailed {
            /// Which channel.
            channel: String,
            /// The channel's word for it.
            failure_code: String,
        },
    }
}
