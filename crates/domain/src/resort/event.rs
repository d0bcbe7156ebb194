//! What can have happened to a resort.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::{CustomerId, Money, NotifiedChange, ReservationId, ResortId, Stay, TimeZone};

/// How a resort takes reservations, as data. A reservation carries the policy it was made under to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResortPolicy {
    /// Seconds until a reservation that is not paid expires.
    pub pay_within_secs: u32,
    /// How many days before the first night a reservation can still be cancelled; 0 is until that day begins.
    pub cancel_days_before: u16,
    /// What customers are told of. The voucher is sent whatever stands here.
    #[serde(default)]
    pub notify: Vec<NotifiedChange>,
}

/// Why nights were not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NightsRefusal {
    /// Somebody else has one of them.
    Taken {
        /// The first such night.
        night: NaiveDate,
    },
    /// The resort takes no more reservations.
    Retired,
    /// The resort is not open on one of them.
    NotOpen {
        /// The first such night.
        night: NaiveDate,
    },
    /// They have begun already.
    Past,
}

events! {
    /// Facts about one resort.
    pub enum ResortEvent {
        /// It takes reservations.
        "resort.registered" @ 1 => ResortRegistered {
            /// Which resort.
            resort_id: ResortId,
            /// Who looks after it.
            manager_id: CustomerId,
            /// The name customers see.
            name: String,
            /// What kind of place it is, in the manager's word: `pension`, `camping`, …
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
        /// Something about it changed; reservations that were made keep what they were made under.
        "resort.revised" @ 1 => ResortRevised {
            /// The name from here on.
            name: String,
            /// The kind from here on.
            kind: String,
            /// The price from here on.
            nightly_price: Money,
            /// The first night on offer from here on.
            open_from: NaiveDate,
            /// The day after the last night on offer from here on.
            open_until: NaiveDate,
            /// The policy from here on.
            policy: ResortPolicy,
        },
        /// It takes no more reservations; those that were made stand.
        "resort.retired" @ 1 => ResortRetired {
            /// Which resort.
            resort_id: ResortId,
        },
        /// Nights are held for a reservation: nobody else gets them.
        "resort.nights_held" @ 1 => NightsHeld {
            /// Which resort.
            resort_id: ResortId,
            /// For which reservation.
            reservation_id: ReservationId,
            /// Which nights.
            stay: Stay,
            /// What they cost together, as the reservation was made.
            price: Money,
            /// The date that it was there: what ended before leaves the state.
            today: NaiveDate,
        },
        /// A reservation asked for nights and got none.
        "resort.nights_refused" @ 1 => NightsRefused {
            /// Which resort.
            resort_id: ResortId,
            /// Which reservation.
            reservation_id: ReservationId,
            /// Why.
            reason: NightsRefusal,
        },
        /// A reservation's nights are free again.
        "resort.nights_released" @ 1 => NightsReleased {
            /// Which resort.
            resort_id: ResortId,
            /// Which reservation.
            reservation_id: ReservationId,
            /// Which nights.
            stay: Stay,
        },
    }
}
