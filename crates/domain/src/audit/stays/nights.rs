//! `night_given_once`: no night of a resort is held for two reservations, nights are released once and as they were
//! held, and a reservation that is refused, expired or cancelled holds none.

use std::collections::{BTreeMap, HashMap};

use crate::{
    Envelope, Event, ReservationId, ResortId, Stay,
    audit::check::{Check, Findings},
    reservation::ReservationEvent,
    resort::{NightsHeld, NightsReleased, ResortEvent},
};

#[derive(Default)]
pub(in crate::audit) struct Nights {
    resorts: HashMap<ResortId, BTreeMap<ReservationId, Stay>>,
    holding: HashMap<ReservationId, ResortId>,
}

impl Nights {
    fn held(&mut self, event: &Envelope, held: &NightsHeld, found: &mut Findings) {
        let stays = self.resorts.entry(held.resort_id).or_default();
        let past: Vec<ReservationId> =
            stays.iter().filter(|(_, stay)| stay.check_out <= held.today).map(|(id, _)| *id).collect();
        for id in past {
            stays.remove(&id);
            self.holding.remove(&id);
        }
        // Written out, so that a mistake in how a resort compares stays is found.
        let (begins, ends) = (held.stay.check_in, held.stay.check_out);
        let taken = stays.iter().find(|(_, stay)| stay.check_in < ends && begins < stay.check_out);
        found.ensure(event, taken.is_none(), || {
            format!("nights {} are held for {} and for {taken:?}", held.stay, held.reservation_id)
        });
        stays.insert(held.reservation_id, held.stay);
        self.holding.insert(held.reservation_id, held.resort_id);
    }

    fn released(&mut self, event: &Envelope, released: &NightsReleased, found: &mut Findings) {
        self.holding.remove(&released.reservation_id);
        let stays = self.resorts.entry(released.resort_id).or_default();
        let held = stays.remove(&released.reservation_id);
        found.ensure(event, held == Some(released.stay), || {
            format!("{} released for {}, who held {held:?}", released.stay, released.reservation_id)
        });
    }
}

impl Check for Nights {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        match &event.event {
            Event::Resort(ResortEvent::NightsHeld(e)) => self.held(event, e, found),
            Event::Resort(ResortEvent::NightsReleased(e)) => self.released(event, e, found),
            Event::Reservation(
                ReservationEvent::ReservationRefused(_)
                | ReservationEvent::ReservationExpired(_)
                | ReservationEvent::ReservationCancelled(_),
            ) => {
                let id = ReservationId::from_uuid(event.stream.id);
                let holding = self.holding.remove(&id);
                found.ensure(event, holding.is_none(), || {
                    format!("{} and still holds nights at {holding:?}", event.event.name())
                });
            }
            _ => {}
        }
    }
}
