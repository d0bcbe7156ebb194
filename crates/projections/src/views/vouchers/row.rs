//! A row of `vouchers`.

use chrono::{DateTime, Utc};
use domain::{CustomerId, Position, ReservationId, ResortId, Version, VoucherId, voucher::VoucherCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

words! {
    /// How far a voucher is.
    pub enum VoucherStatus {
        /// The reservation has it.
        Issued = "issued",
        /// The customer has it.
        Sent = "sent",
        /// No longer good.
        Deactivated = "deactivated",
    }
}

/// A voucher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct VoucherRow {
    /// Which voucher.
    #[schema(value_type = Uuid)]
    pub voucher_id: VoucherId,
    /// Of which reservation.
    #[schema(value_type = Uuid)]
    pub reservation_id: ReservationId,
    /// At which resort; nothing if it was deactivated before it was issued.
    #[schema(value_type = Option<Uuid>)]
    pub resort_id: Option<ResortId>,
    /// Whose.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// Who looks after the resort.
    #[schema(value_type = String)]
    pub manager_id: CustomerId,
    /// How far it is.
    pub status: VoucherStatus,
    /// What the guest shows; nothing if it was deactivated before it was issued.
    #[schema(value_type = Option<String>)]
    pub code: Option<VoucherCode>,
    /// How often it was asked to be sent.
    pub sendings: u32,
    /// When the channel took it last.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was issued; nothing if it was deactivated before.
    pub issued_at: Option<DateTime<Utc>>,
    /// When it changed last.
    pub updated_at: DateTime<Utc>,
    /// Version of the voucher's stream.
    pub version: Version,
    /// The last event that touched the row.
    pub position: Position,
}
