//! A row of `resorts`.

use chrono::{DateTime, NaiveDate, Utc};
use domain::{CustomerId, Money, Position, ReservationId, ResortId, TimeZone, Version, resort::ResortPolicy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::views::MoneySchema;

words! {
    /// Whether a resort takes reservations.
    pub enum ResortStatus {
        /// Takes reservations.
        Open = "open",
        /// Takes no more.
        Retired = "retired",
    }
}

words! {
    /// Whether a night is to be had.
    pub enum NightStatus {
        /// Over: it began before today.
        Past = "past",
        /// To be had.
        Free = "free",
        /// Somebody has it.
        Taken = "taken",
        /// Not on offer.
        NotOpen = "not_open",
    }
}

/// A resort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResortRow {
    /// Which resort.
    #[schema(value_type = Uuid)]
    pub resort_id: ResortId,
    /// Who looks after it.
    #[schema(value_type = String)]
    pub manager_id: CustomerId,
    /// The name customers see.
    pub name: String,
    /// What kind of place it is.
    pub kind: String,
    /// Whether it takes reservations.
    pub status: ResortStatus,
    /// Price of one night.
    #[schema(value_type = MoneySchema)]
    pub nightly_price: Money,
    /// Where its days begin: an IANA name.
    #[schema(value_type = String, example = "Asia/Seoul")]
    pub time_zone: TimeZone,
    /// The first night on offer.
    pub open_from: NaiveDate,
    /// The day after the last night on offer.
    pub open_until: NaiveDate,
    /// How it takes reservations.
    #[schema(value_type = Object)]
    pub policy: ResortPolicy,
    /// When it was registered.
    pub registered_at: DateTime<Utc>,
    /// When it, or what is held of it, changed last.
    pub updated_at: DateTime<Utc>,
    /// Version of the resort's stream.
    pub version: Version,
    /// The last event that touched the row.
    pub position: Position,
    /// Not shown: who holds which nights is nobody's business.
    #[serde(default)]
    pub internal: ResortInternal,
}

/// What a row of `resorts` knows and does not show.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ResortInternal {
    /// Nights that are held, the earliest first. Those that were over when nights were held last are not among them.
    pub held: Vec<HeldNights>,
}

/// Nights that a reservation holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeldNights {
    /// Which reservation.
    #[schema(value_type = Uuid)]
    pub reservation_id: ReservationId,
    /// First night.
    pub check_in: NaiveDate,
    /// Day of departure: its night is not held.
    pub check_out: NaiveDate,
}

impl ResortRow {
    /// Each night from `from` on until the day before `until`, in order, and whether it is to be had.
    ///
    /// The row knows no clock: `today` is the date that it is at the resort. Nights before it are over, whoever had them:
    /// the row does not keep them.
    #[must_use]
    pub fn nights(
        &self,
        from: NaiveDate,
        until: NaiveDate,
        today: NaiveDate,
    ) -> Vec<(NaiveDate, NightStatus)> {
        let status = |night| if night < today { NightStatus::Past } else { self.night(night) };
        from.iter_days().take_while(|night| *night < until).map(|night| (night, status(night))).collect()
    }

    fn night(&self, night: NaiveDate) -> NightStatus {
        let on_offer =
            self.status == ResortStatus::Open && self.open_from <= night && night < self.open_until;
        if self.internal.held.iter().any(|held| held.check_in <= night && night < held.check_out) {
            NightStatus::Taken
        } else if on_offer {
            NightStatus::Free
        } else {
            NightStatus::NotOpen
        }
    }
}
