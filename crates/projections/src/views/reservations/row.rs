//! A row of `reservations`.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{
    Actor, ContactId, CustomerId, Money, PaymentId, Position, RefundId, ReservationId, ResortId, Version,
    VoucherId, resort::NightsRefusal, voucher::VoucherCode,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::views::{MoneySchema, PaymentStatus, VoucherStatus};

words! {
    /// How far a reservation is.
    pub enum ReservationStatus {
        /// Asked for; the resort has not answered.
        Requested = "requested",
        /// The nights are held; the payment is awaited.
        AwaitingPayment = "awaiting_payment",
        /// Paid.
        Paid = "paid",
        /// Being undone.
        Cancelling = "cancelling",
        /// Undone.
        Cancelled = "cancelled",
        /// Not paid in time.
        Expired = "expired",
        /// The nights were not to be had.
        Refused = "refused",
        /// The stay is over.
        Completed = "completed",
    }
}

words! {
    /// Why nights were not to be had.
    pub enum ReservationRefusalCode {
        /// Somebody else has one of them.
        Taken = "taken",
        /// The resort takes no more reservations.
        Retired = "retired",
        /// The resort is not open on one of them.
        NotOpen = "not_open",
        /// They had begun already.
        Past = "past",
    }
}

/// A reservation with its payment, voucher and resort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReservationRow {
    /// Which reservation.
    #[schema(value_type = Uuid)]
    pub reservation_id: ReservationId,
    /// At which resort.
    #[schema(value_type = Uuid)]
    pub resort_id: ResortId,
    /// The resort's name when the reservation was made.
    pub resort_name: String,
    /// Who looks after the resort.
    #[schema(value_type = String)]
    pub manager_id: CustomerId,
    /// Who stays.
    #[schema(value_type = String)]
    pub customer_id: CustomerId,
    /// First night.
    pub check_in: NaiveDate,
    /// Day of departure: its night is not included.
    pub check_out: NaiveDate,
    /// How many nights.
    pub nights: u32,
    /// How far it is.
    pub status: ReservationStatus,
    /// What the nights cost together.
    #[schema(value_type = MoneySchema)]
    pub total: Money,
    /// Its payment.
    pub payment: ReservationPayment,
    /// Its voucher, once there is one.
    pub voucher: Option<ReservationVoucher>,
    /// Why the nights were not to be had.
    pub refusal: Option<ReservationRefusal>,
    /// Who undid it.
    pub cancellation: Option<ReservationCancellation>,
    /// Until when it can be cancelled.
    pub cancellable_until: DateTime<Utc>,
    /// When the stay is over.
    pub ends_at: DateTime<Utc>,
    /// When it was asked for.
    pub placed_at: DateTime<Utc>,
    /// When it, its payment or its voucher changed last.
    pub updated_at: DateTime<Utc>,
    /// Version of the reservation's stream.
    pub version: Version,
    /// The last event that touched the row.
    pub position: Position,
    /// Not shown.
    #[serde(default = "ReservationInternal::unknown")]
    pub internal: ReservationInternal,
}

/// The payment of a reservation. It exists once the nights are held; a reservation that ends before leaves it `voided`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReservationPayment {
    /// Which payment.
    #[schema(value_type = Uuid)]
    pub payment_id: PaymentId,
    /// How far it is.
    pub status: PaymentStatus,
    /// When it must be paid; nothing when nothing is due any more.
    pub due_at: Option<DateTime<Utc>>,
    /// What was taken.
    #[schema(value_type = MoneySchema)]
    pub captured: Money,
    /// What was given back.
    #[schema(value_type = MoneySchema)]
    pub refunded: Money,
}

/// The voucher of a reservation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReservationVoucher {
    /// Which voucher.
    #[schema(value_type = Uuid)]
    pub voucher_id: VoucherId,
    /// How far it is.
    pub status: VoucherStatus,
    /// What the guest shows; nothing if it was deactivated before it was issued.
    #[schema(value_type = Option<String>)]
    pub code: Option<VoucherCode>,
}

/// Why nights were not to be had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReservationRefusal {
    /// The reason in a word.
    pub code: ReservationRefusalCode,
    /// The first night that was not to be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub night: Option<NaiveDate>,
}

impl From<NightsRefusal> for ReservationRefusal {
    fn from(refusal: NightsRefusal) -> Self {
        let (code, night) = match refusal {
            NightsRefusal::Taken { night } => (ReservationRefusalCode::Taken, Some(night)),
            NightsRefusal::NotOpen { night } => (ReservationRefusalCode::NotOpen, Some(night)),
            NightsRefusal::Retired => (ReservationRefusalCode::Retired, None),
            NightsRefusal::Past => (ReservationRefusalCode::Past, None),
        };
        Self { code, night }
    }
}

/// How a reservation came to be undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReservationCancellation {
    /// Who asked, such as `customer:alice`.
    #[schema(value_type = String)]
    pub by: Actor,
    /// When.
    pub requested_at: DateTime<Utc>,
}

/// What a row of `reservations` knows and does not show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReservationInternal {
    /// Where the guest stands.
    #[schema(value_type = Uuid)]
    pub contact_id: ContactId,
    /// Where the reason of the cancellation stands.
    #[schema(value_type = Option<Uuid>)]
    pub cancellation_reason_id: Option<ContactId>,
    /// Refunds of the payment that are started and not done.
    #[schema(value_type = Vec<Uuid>)]
    pub open_refunds: Vec<RefundId>,
}

impl ReservationInternal {
    /// For a document that came without: nobody stands under the nil id.
    fn unknown() -> Self {
        Self {
            contact_id: ContactId::from_uuid(Uuid::nil()),
            cancellation_reason_id: None,
            open_refunds: Vec::new(),
        }
    }
}
