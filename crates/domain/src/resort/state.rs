//! What the past of a resort comes to.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{ResortEvent, ResortPolicy, ResortRegistered};
use crate::{CustomerId, Money, ReservationId, ResortId, Stay, TimeZone};

/// What is known of a resort that exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ResortDetails {
    /// Which resort.
    pub resort_id: ResortId,
    /// Who looks after it.
    pub manager_id: CustomerId,
    /// The name customers see.
    pub name: String,
    /// What kind of place it is.
    pub kind: String,
    /// Price of one night.
    pub nightly_price: Money,
    /// Where its days begin.
    pub time_zone: TimeZone,
    /// The first night on offer.
    pub open_from: NaiveDate,
    /// The day after the last night on offer.
    pub open_until: NaiveDate,
    /// How it takes reservations.
    pub policy: ResortPolicy,
    /// Nights that are held, by reservation; past ones leave when the next are held.
    pub held: BTreeMap<ReservationId, Stay>,
}

/// A resort.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Resort {
    /// No such resort.
    #[default]
    Absent,
    /// Takes reservations.
    Open(ResortDetails),
    /// Takes no more.
    Retired(ResortDetails),
}

impl Resort {
    /// The details, of a resort that exists.
    #[must_use]
    pub fn details(&self) -> Option<&ResortDetails> {
        match self {
            Self::Absent => None,
            Self::Open(details) | Self::Retired(details) => Some(details),
        }
    }
}

pub(super) fn evolve(resort: &mut Resort, event: &ResortEvent) {
    match event {
        ResortEvent::ResortRegistered(event) => *resort = Resort::Open(registered(event)),
        ResortEvent::ResortRevised(event) => {
            if let Some(details) = details_mut(resort) {
                details.name.clone_from(&event.name);
                details.kind.clone_from(&event.kind);
                details.nightly_price = event.nightly_price;
                details.open_from = event.open_from;
                details.open_until = event.open_until;
                details.policy.clone_from(&event.policy);
            }
        }
        ResortEvent::ResortRetired(_) => {
            *resort = match std::mem::take(resort) {
                Resort::Open(details) => Resort::Retired(details),
                other => other,
            };
        }
        ResortEvent::NightsHeld(event) => {
            if let Some(details) = details_mut(resort) {
                details.held.retain(|_, stay| stay.check_out > event.today);
                details.held.insert(event.reservation_id, event.stay);
            }
        }
        ResortEvent::NightsReleased(event) => {
            if let Some(details) = details_mut(resort) {
                details.held.remove(&event.reservation_id);
            }
        }
        ResortEvent::NightsRefused(_) => {}
    }
}

fn registered(event: &ResortRegistered) -> ResortDetails {
    ResortDetails {
        resort_id: event.resort_id,
        manager_id: event.manager_id.clone(),
        name: event.name.clone(),
        kind: event.kind.clone(),
        nightly_price: event.nightly_price,
        time_zone: event.time_zone,
        open_from: event.open_from,
        open_until: event.open_until,
        policy: event.policy.clone(),
        held: BTreeMap::new(),
    }
}

fn details_mut(resort: &mut Resort) -> Option<&mut ResortDetails> {
    match resort {
        Resort::Absent => None,
        Resort::Open(details) | Resort::Retired(details) => Some(details),
    }
}

pub(super) fn status(resort: &Resort) -> &'static str {
    match resort {
        Resort::Absent => "absent",
        Resort::Open(_) => "open",
        Resort::Retired(_) => "retired",
    }
}
