//! What a resort answers to each command in each state.

use chrono::NaiveDate;

use super::{
    MAX_CANCEL_DAYS, MAX_NAME_CHARS, NightsHeld, NightsRefusal, NightsRefused, NightsReleased, Resort,
    ResortCommand, ResortDetails, ResortError, ResortEvent, ResortPolicy, ResortRegistered, ResortRetired,
    ResortRevised, state::status,
};
use crate::{
    Decision, Money, ReservationId, Stay, Timestamp, already_applied, executed,
    policy::{MAX_POLICY_SECS, is_label},
};

type Answer = Decision<ResortEvent, ResortError>;

pub(super) fn decide(resort: &Resort, command: &ResortCommand) -> Answer {
    use Resort::{Absent, Open, Retired};
    use ResortCommand::{HoldNights, RegisterResort, ReleaseNights, RetireResort, ReviseResort};
    match (resort, command) {
        (Absent, RegisterResort { .. }) => register(command),
        (Open(_) | Retired(_), RegisterResort { .. }) => already_applied(),

        (Open(r), ReviseResort { .. }) => revise(r, command),

        (Open(r), RetireResort) => executed(ResortRetired { resort_id: r.resort_id }),
        (Retired(_), RetireResort) => already_applied(),

        (Open(r) | Retired(r), HoldNights { reservation_id, .. }) if r.held.contains_key(reservation_id) => {
            already_applied()
        }
        (Open(r), HoldNights { reservation_id, stay, price, at }) => {
            hold(r, *reservation_id, *stay, *price, *at)
        }
        (Retired(r), HoldNights { reservation_id, .. }) => refuse(r, *reservation_id, NightsRefusal::Retired),

        (Open(r) | Retired(r), ReleaseNights { reservation_id }) => match r.held.get(reservation_id) {
            Some(&stay) => {
                executed(NightsReleased { resort_id: r.resort_id, reservation_id: *reservation_id, stay })
            }
            None => already_applied(),
        },

        (Absent, _) => Err(ResortError::NotFound),
        (Retired(_), ReviseResort { .. }) => {
            Err(ResortError::IllegalTransition { state: status(resort), command: "be revised" })
        }
    }
}

fn register(command: &ResortCommand) -> Answer {
    let ResortCommand::RegisterResort {
        resort_id,
        manager_id,
        name,
        kind,
        nightly_price,
        time_zone,
        open_from,
        open_until,
        policy,
    } = command
    else {
        return Err(ResortError::NotFound);
    };
    check(name, kind, *nightly_price, *open_from, *open_until, policy)?;
    executed(ResortRegistered {
        resort_id: *resort_id,
        manager_id: manager_id.clone(),
        name: name.clone(),
        kind: kind.clone(),
        nightly_price: *nightly_price,
        time_zone: *time_zone,
        open_from: *open_from,
        open_until: *open_until,
        policy: policy.clone(),
    })
}

fn revise(resort: &ResortDetails, command: &ResortCommand) -> Answer {
    let ResortCommand::ReviseResort {
        name,
        kind,
        nightly_price,
        open_from,
        open_until,
        pay_within_secs,
        cancel_days_before,
        notify,
    } = command
    else {
        return Err(ResortError::NotFound);
    };
    let before = ResortRevised {
        name: resort.name.clone(),
        kind: resort.kind.clone(),
        nightly_price: resort.nightly_price,
        open_from: resort.open_from,
        open_until: resort.open_until,
        policy: resort.policy.clone(),
    };
    let after = ResortRevised {
        name: name.clone().unwrap_or_else(|| before.name.clone()),
        kind: kind.clone().unwrap_or_else(|| before.kind.clone()),
        nightly_price: nightly_price.unwrap_or(before.nightly_price),
        open_from: open_from.unwrap_or(before.open_from),
        open_until: open_until.unwrap_or(before.open_until),
        policy: ResortPolicy {
            pay_within_secs: pay_within_secs.unwrap_or(before.policy.pay_within_secs),
            cancel_days_before: cancel_days_before.unwrap_or(before.policy.cancel_days_before),
            notify: notify.clone().unwrap_or_else(|| before.policy.notify.clone()),
        },
    };
    if after.nightly_price.currency != before.nightly_price.currency {
        return Err(ResortError::OtherCurrency(before.nightly_price.currency));
    }
    check(&after.name, &after.kind, after.nightly_price, after.open_from, after.open_until, &after.policy)?;
    if after == before { already_applied() } else { executed(after) }
}

fn hold(
    resort: &ResortDetails,
    reservation_id: ReservationId,
    stay: Stay,
    price: Money,
    at: Timestamp,
) -> Answer {
    match free(resort, stay, at) {
        Ok(today) => executed(NightsHeld { resort_id: resort.resort_id, reservation_id, stay, price, today }),
        Err(reason) => refuse(resort, reservation_id, reason),
    }
}

/// Whether all nights of a stay are to be had; the date that it is there.
fn free(resort: &ResortDetails, stay: Stay, at: Timestamp) -> Result<NaiveDate, NightsRefusal> {
    let today = resort.time_zone.date_at(at);
    // Whoever comes today may still book the night that begins today.
    if stay.check_in < today {
        return Err(NightsRefusal::Past);
    }
    let open = resort.open_from..resort.open_until;
    if let Some(night) = stay.each_night().find(|night| !open.contains(night)) {
        return Err(NightsRefusal::NotOpen { night });
    }
    first_taken(resort, stay).map_or(Ok(today), |night| Err(NightsRefusal::Taken { night }))
}

impl Resort {
    /// Whether a stay could be had at `at`. A promise to nobody: holding the nights decides, by the same rule.
    ///
    /// # Errors
    /// Why not.
    pub fn check_stay(&self, stay: Stay, at: Timestamp) -> Result<(), NightsRefusal> {
        match self {
            Self::Absent | Self::Retired(_) => Err(NightsRefusal::Retired),
            Self::Open(resort) => free(resort, stay, at).map(drop),
        }
    }
}

fn first_taken(resort: &ResortDetails, stay: Stay) -> Option<NaiveDate> {
    let overlapping = resort.held.values().filter(|held| held.overlaps(stay));
    overlapping.map(|held| held.check_in.max(stay.check_in)).min()
}

fn refuse(resort: &ResortDetails, reservation_id: ReservationId, reason: NightsRefusal) -> Answer {
    executed(NightsRefused { resort_id: resort.resort_id, reservation_id, reason })
}

fn check(
    name: &str,
    kind: &str,
    nightly_price: Money,
    open_from: NaiveDate,
    open_until: NaiveDate,
    policy: &ResortPolicy,
) -> Result<(), ResortError> {
    if let Some((field, _)) =
        [("name", name), ("kind", kind)].into_iter().find(|(_, text)| !is_label(text, MAX_NAME_CHARS))
    {
        return Err(ResortError::Label { field });
    }
    if nightly_price.amount_minor <= 0 {
        return Err(ResortError::Price);
    }
    if open_from >= open_until {
        return Err(ResortError::NeverOpen { open_from, open_until });
    }
    let ResortPolicy { pay_within_secs: secs, cancel_days_before: days, notify } = policy;
    if !(1..=MAX_POLICY_SECS).contains(secs) {
        return Err(ResortError::PayWithin { secs: *secs });
    }
    if *days > MAX_CANCEL_DAYS {
        return Err(ResortError::CancelDays { days: *days });
    }
    if let Some(change) = notify.iter().find(|change| !change.is_of_reservations()) {
        return Err(ResortError::NotifiedElsewhere(*change));
    }
    match notify.iter().enumerate().find(|(i, change)| notify[..*i].contains(change)) {
        Some((_, twice)) => Err(ResortError::NotifiedTwice(*twice)),
        None => Ok(()),
    }
}
