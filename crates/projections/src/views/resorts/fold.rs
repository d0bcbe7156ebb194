//! From events to rows of `resorts`.

use domain::{
    Envelope, Event,
    resort::{NightsHeld, ResortEvent, ResortRegistered, ResortRevised},
};

use super::{HeldNights, ResortInternal, ResortRow, ResortStatus, Resorts};
use crate::{Key, Rows};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    match &event.event {
        Event::Resort(ResortEvent::ResortRegistered(_)) => keys.push(Key::fresh(event.stream.id)),
        Event::Resort(_) => keys.push(Key::of(event.stream.id)),
        _ => {}
    }
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Resorts>) {
    let Event::Resort(change) = &event.event else { return };
    if let ResortEvent::ResortRegistered(registered) = change {
        return rows.insert(event.stream.id, new_row(event, registered));
    }
    let Some(row) = rows.get(event.stream.id) else { return };
    match change {
        ResortEvent::ResortRegistered(_) | ResortEvent::NightsRefused(_) => {}
        ResortEvent::ResortRevised(revised) => revise(row, revised),
        ResortEvent::ResortRetired(_) => row.status = ResortStatus::Retired,
        ResortEvent::NightsHeld(held) => hold(&mut row.internal.held, held),
        ResortEvent::NightsReleased(released) => {
            row.internal.held.retain(|held| held.reservation_id != released.reservation_id);
        }
    }
    row.updated_at = event.metadata.recorded_at;
    row.version = event.version;
    row.position = event.position;
}

fn new_row(event: &Envelope, registered: &ResortRegistered) -> ResortRow {
    ResortRow {
        resort_id: registered.resort_id,
        manager_id: registered.manager_id.clone(),
        name: registered.name.clone(),
        kind: registered.kind.clone(),
        status: ResortStatus::Open,
        nightly_price: registered.nightly_price,
        time_zone: registered.time_zone,
        open_from: registered.open_from,
        open_until: registered.open_until,
        policy: registered.policy.clone(),
        registered_at: event.metadata.recorded_at,
        updated_at: event.metadata.recorded_at,
        version: event.version,
        position: event.position,
        internal: ResortInternal::default(),
    }
}

fn revise(row: &mut ResortRow, revised: &ResortRevised) {
    row.name.clone_from(&revised.name);
    row.kind.clone_from(&revised.kind);
    row.nightly_price = revised.nightly_price;
    row.open_from = revised.open_from;
    row.open_until = revised.open_until;
    row.policy.clone_from(&revised.policy);
}

/// What is over leaves, so that the row does not grow for ever.
fn hold(all: &mut Vec<HeldNights>, held: &NightsHeld) {
    all.retain(|known| known.check_out > held.today && known.reservation_id != held.reservation_id);
    let place = all.partition_point(|known| known.check_in < held.stay.check_in);
    all.insert(
        place,
        HeldNights {
            reservation_id: held.reservation_id,
            check_in: held.stay.check_in,
            check_out: held.stay.check_out,
        },
    );
}
