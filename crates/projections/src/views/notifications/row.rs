//! A row of `notifications`.

use chrono::{DateTime, Utc};
use domain::{CustomerId, NotificationId, NotifiedChange, OrderId, Position, ShopId, Version};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

words! {
    /// How far a notification is.
    pub enum NotificationStatus {
        /// To be sent.
        Queued = "queued",
        /// Sent.
        Sent = "sent",
        /// Not sent, and never will be.
        Failed = "failed",
    }
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NotificationRow {
    /// Which notification.
    #[schema(value_type = Uuid)]
    pub notification_id: NotificationId,
    /// About which order.
    #[schema(value_type = Uuid)]
    pub about: OrderId,
    /// Of which shop.
    #[schema(value_type = String)]
    pub shop_id: ShopId,
    /// Whom.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// Of what, such as `order_confirmed`.
    #[schema(value_type = String)]
    pub event: NotifiedChange,
    /// How far it is.
    pub status: NotificationStatus,
    /// The channel that took it, or would not.
    pub channel: Option<String>,
    /// When it was queued, sent or given up.
    pub at: DateTime<Utc>,
    /// Version of the notification's stream.
    pub version: Version,
    /// The last event that touched the row.
    pub position: Position,
}
