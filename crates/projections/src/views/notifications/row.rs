//! A row of `notifications`.

use chrono::{DateTime, Utc};
use domain::{
    CustomerId, NotificationId, NotifiedChange, OrderId, Position, ReservationId, ShopId, Version, VoucherId,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

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
    /// About which order or reservation.
    pub about: Uuid,
    /// The order, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub order_id: Option<OrderId>,
    /// The reservation, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub reservation_id: Option<ReservationId>,
    /// The voucher that it brings, if it brings one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub voucher_id: Option<VoucherId>,
    /// Of which shop; nothing for a reservation.
    #[schema(value_type = Option<String>)]
    pub shop_id: Option<ShopId>,
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
    /// Why it failed, in the channel's words, such as `webhook_404` or `no_address`; nothing unless it failed.
    pub failure_code: Option<String>,
    /// When it was queued, sent or given up.
    pub at: DateTime<Utc>,
    /// Version of the notification's stream.
    pub version: Version,
    /// The last event that touched the row.
    pub position: Position,
}
