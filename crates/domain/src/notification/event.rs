//! What can have happened to a notification.

use crate::{CustomerId, NotificationId, NotifiedChange, ShopId, Subject, VoucherId};

events! {
    /// Facts about one notification.
    pub enum NotificationEvent {
        /// A customer is to be told.
        "notification.queued" @ 1 => NotificationQueued {
            /// Which notification.
            notification_id: NotificationId,
            /// About what.
            #[serde(flatten)]
            subject: Subject,
            /// Whom.
            customer_id: CustomerId,
            /// Of which shop; none for a reservation.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            shop_id: Option<ShopId>,
            /// Of what.
            change: NotifiedChange,
            /// The voucher that the message brings, if it brings one.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            voucher_id: Option<VoucherId>,
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
