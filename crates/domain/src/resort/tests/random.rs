//! Random commands to a resort, checked against a guest book that is kept apart from it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use proptest::prelude::*;

use super::{date, hold_at, noon, register, release};
use crate::{
    Aggregate, Outcome, ReservationId, Stay,
    resort::{NightsRefusal, Resort, ResortCommand, ResortEvent},
    testing::reservation_id,
};

const GUESTS: u64 = 8;

/// A command, given on a day of July.
#[derive(Clone, Debug)]
enum Step {
    Hold {
        reservation: u64,
        first: u64,
        nights: u64,
    },
    Release(u64),
    Retire,
    /// The next commands are given so many days later.
    Wait(u64),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..GUESTS, 0_u64..28, 1_u64..6)
            .prop_map(|(reservation, first, nights)| Step::Hold { reservation, first, nights }),
        4 => (0..GUESTS).prop_map(Step::Release),
        1 => (1_u64..4).prop_map(Step::Wait),
    ]
}

fn july(day: u64) -> NaiveDate {
    date("2026-07-01") + Days::new(day)
}

/// What stands in the guest book: which reservation has which night. Nights are never struck out for being over.
#[derive(Default)]
struct GuestBook {
    nights: BTreeMap<NaiveDate, ReservationId>,
    stays: BTreeMap<ReservationId, Stay>,
    retired: bool,
}

impl GuestBook {
    fn write(
        &mut self,
        event: &ResortEvent,
        asked: Option<Stay>,
        today: NaiveDate,
    ) -> Result<(), TestCaseError> {
        match event {
            ResortEvent::NightsHeld(e) => {
                prop_assert!(!self.retired, "a retired resort took a reservation");
                prop_assert!(e.stay.check_in >= today, "a night that is over was held");
                prop_assert_eq!((e.today, Some(e.stay)), (today, asked));
                for night in e.stay.each_night() {
                    let before = self.nights.insert(night, e.reservation_id);
                    prop_assert_eq!(before, None, "{} belongs to two reservations", night);
                }
                self.stays.insert(e.reservation_id, e.stay);
            }
            ResortEvent::NightsReleased(e) => {
                prop_assert_eq!(self.stays.remove(&e.reservation_id), Some(e.stay));
                for night in e.stay.each_night() {
                    prop_assert_eq!(self.nights.remove(&night), Some(e.reservation_id));
                }
            }
            ResortEvent::NightsRefused(e) => match e.reason {
                NightsRefusal::Taken { night } => {
                    let asked: BTreeSet<_> = asked.into_iter().flat_map(Stay::each_night).collect();
                    let first = asked.into_iter().find(|night| self.nights.contains_key(night));
                    prop_assert_eq!(first, Some(night), "a night was refused that is not the first taken");
                }
                NightsRefusal::Past => prop_assert!(asked.is_some_and(|stay| stay.check_in < today)),
                NightsRefusal::Retired => prop_assert!(self.retired),
                NightsRefusal::NotOpen { night } => prop_assert!(false, "{} is on offer", night),
            },
            ResortEvent::ResortRetired(_) => self.retired = true,
            ResortEvent::ResortRegistered(_) | ResortEvent::ResortRevised(_) => {}
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn no_night_ever_belongs_to_two_reservations(
        mut steps in prop::collection::vec(any_step(), 0..80),
        retire_after in prop::option::of(0_usize..80),
    ) {
        if let Some(place) = retire_after {
            steps.insert(place.min(steps.len()), Step::Retire);
        }
        let mut resort = Resort::default();
        let Ok(Outcome::Executed(events)) = resort.decide(&register()) else { panic!("not registered") };
        events.iter().for_each(|event| resort.evolve(event));
        let (mut book, mut today) = (GuestBook::default(), july(0));
        for step in steps {
            let (command, asked) = match step {
                Step::Wait(days) => {
                    today = today + Days::new(days);
                    continue;
                }
                Step::Retire => (ResortCommand::RetireResort, None),
                Step::Release(reservation) => (release(reservation), None),
                Step::Hold { reservation, first, nights } => {
                    let stay = Stay::new(july(first), july(first + nights)).unwrap();
                    (hold_at(reservation, stay, noon(&today.to_string())), Some(stay))
                }
            };
            match resort.decide(&command) {
                Ok(Outcome::Executed(events)) => {
                    for event in events {
                        resort.evolve(&event);
                        book.write(&event, asked, today)?;
                    }
                }
                Ok(Outcome::AlreadyApplied) => {}
                Err(error) => prop_assert!(false, "{command:?} was refused: {error}"),
            }
            let held = &resort.details().unwrap().held;
            for reservation in (0..GUESTS).map(reservation_id) {
                let is_to_come = book.stays.get(&reservation).is_some_and(|stay| stay.check_out > today);
                if let Some(stay) = held.get(&reservation) {
                    prop_assert_eq!(book.stays.get(&reservation), Some(stay));
                } else {
                    prop_assert!(!is_to_come, "the resort forgot a stay that is to come");
                    // What is over left the state, so the same reservation may ask again: the book keeps up.
                    if let Some(stay) = book.stays.remove(&reservation) {
                        prop_assert!(stay.check_out <= today);
                    }
                }
            }
        }
    }
}
