//! What can be asked of a resort.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::ResortPolicy;
use crate::{CustomerId, Money, NotifiedChange, ReservationId, ResortId, Stay, TimeZone, Timestamp};

/// A command to a resort.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResortCommand {
    /// A manager registers it.
    RegisterResort {
        /// The new resort's id.
        resort_id: ResortId,
        /// Who looks after it.
        manager_id: CustomerId,
        /// The name customers see.
        name: String,
        /// What kind of place it is.
        kind: String,
        /// Price of one night.
        nightly_price: Money,
        /// Where its days begin.
        time_zone: TimeZone,
        /// The first night on offer.
        open_from: NaiveDate,
        /// The day after the last night on offer.
        open_until: NaiveDate,
        /// How it takes reservations.
        policy: ResortPolicy,
    },
    /// Changes what is given; reservations that were made are not touched.
    ReviseResort {
        /// The name from here on.
        name: Option<String>,
        /// The kind from here on.
        kind: Option<String>,
        /// The price from here on.
        nightly_price: Option<Money>,
        /// The first night on offer from here on.
        open_from: Option<NaiveDate>,
        /// The day after the last night on offer from here on.
        open_until: Option<NaiveDate>,
        /// The time to pay from here on.
        pay_within_secs: Option<u32>,
        /// The days before the first night from here on.
        cancel_days_before: Option<u16>,
        /// What customers are told of from here on.
        notify: Option<Vec<NotifiedChange>>,
    },
    /// It takes no more reservations.
    RetireResort,
    /// A reservation wants nights. A refusal is an event, since booking waits for it.
    HoldNights {
        /// Which reservation.
        reservation_id: ReservationId,
        /// Which nights.
        stay: Stay,
        /// What they cost together, as the reservation was made.
        price: Money,
        /// Now.
        at: Timestamp,
    },
    /// A reservation gives its nights back; nothing happens where none are held.
    ReleaseNights {
        /// Which reservation.
        reservation_id: ReservationId,
    },
}
