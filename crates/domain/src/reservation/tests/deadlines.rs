//! The times of a reservation: when it must be paid, until when it can be cancelled, when it is over.

use chrono::TimeDelta;

use super::{
    cancel_at, cancellation, complete_at, completed, confirmed, ends_at, nights, paid, request_event,
    request_for, requested, start_of, until,
};
use crate::{
    Aggregate, Outcome, Stay, TimeZone, Timestamp,
    reservation::{
        Reservation, ReservationCommand, ReservationError, ReservationEvent, ReservationRequested,
    },
    resort::ResortPolicy,
    testing::{at, given, krw, stay},
};

fn second() -> TimeDelta {
    TimeDelta::seconds(1)
}

/// What is requested with another policy, for another zone.
fn requested_with(
    policy: ResortPolicy,
    zone: TimeZone,
    nights: Stay,
    now: Timestamp,
) -> ReservationRequested {
    let mut command = request_for(nights, krw(100), None, now);
    if let ReservationCommand::RequestReservation { policy: its_policy, time_zone, .. } = &mut command {
        *its_policy = policy;
        *time_zone = zone;
    }
    match Reservation::default().decide(&command) {
        Ok(Outcome::Executed(events)) => match &events[..] {
            [ReservationEvent::ReservationRequested(event)] => event.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}
fn with_policy(pay_within_secs: u32, cancel_days_before: u16, now: Timestamp) -> ReservationRequested {
    let policy = ResortPolicy { pay_within_secs, cancel_days_before, notify: vec![] };
    requested_with(policy, TimeZone::SEOUL, nights(), now)
}

#[test]
fn the_payment_is_due_within_the_time_that_the_policy_gives() {
    assert_eq!(with_policy(3600, 3, at(0)).payment_due_at, at(3600));
    assert_eq!(with_policy(1, 3, at(0)).payment_due_at, at(1));
}

#[test]
fn the_payment_is_due_before_the_first_day_begins_however_long_the_policy_gives() {
    let year = 365 * 24 * 3600;
    assert_eq!(with_policy(year, 3, at(0)).payment_due_at, start_of("2026-07-10"));
    let just_before = start_of("2026-07-10") - second();
    assert_eq!(with_policy(3600, 3, just_before).payment_due_at, start_of("2026-07-10"));
}

#[test]
fn a_reservation_made_on_its_first_day_gets_the_policys_time_in_full() {
    for now in [start_of("2026-07-10"), start_of("2026-07-10") + TimeDelta::hours(20)] {
        assert_eq!(with_policy(3600, 3, now).payment_due_at, now + TimeDelta::hours(1));
    }
}

#[test]
fn days_are_those_of_the_resort() {
    let event = request_event();
    assert_eq!(event.cancellable_until, "2026-07-06T15:00:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(event.ends_at, "2026-07-11T15:00:00Z".parse::<Timestamp>().unwrap());

    // In São Paulo the fourth of November 2018 began at one o'clock.
    let policy = ResortPolicy { pay_within_secs: 3600, cancel_days_before: 1, notify: vec![] };
    let sao_paulo = "America/Sao_Paulo".parse().unwrap();
    let made = "2018-10-01T00:00:00Z".parse().unwrap();
    let event = requested_with(policy, sao_paulo, stay("2018-11-05", "2018-11-06"), made);
    assert_eq!(event.cancellable_until, "2018-11-04T03:00:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(event.ends_at, "2018-11-06T02:00:00Z".parse::<Timestamp>().unwrap());
}

#[test]
fn without_days_before_it_can_be_cancelled_until_the_first_day_begins() {
    assert_eq!(with_policy(3600, 0, at(0)).cancellable_until, start_of("2026-07-10"));
}

#[test]
fn dates_at_the_ends_of_the_calendar_do_no_harm() {
    let policy = || ResortPolicy { pay_within_secs: 3600, cancel_days_before: 365, notify: vec![] };
    let (min, max) = (chrono::NaiveDate::MIN, chrono::NaiveDate::MAX);
    for name in ["Asia/Seoul", "America/Sao_Paulo"] {
        let zone = name.parse().unwrap();
        let first = Stay { check_in: min, check_out: min.succ_opt().unwrap() };
        let last = Stay { check_in: max.pred_opt().unwrap(), check_out: max };
        assert!(requested_with(policy(), zone, first, at(0)).ends_at < at(0));
        assert!(requested_with(policy(), zone, last, at(0)).ends_at > at(0));
    }
}

#[test]
fn what_is_paid_can_be_cancelled_until_the_time_and_not_from_it_on() {
    let past = || [requested(), confirmed(), paid()];
    given::<Reservation>(past()).when(cancel_at(until() - second())).then([cancellation(true)]);
    for late in [until(), until() + second(), ends_at()] {
        given::<Reservation>(past())
            .when(cancel_at(late))
            .then_error(ReservationError::TooLateToCancel { until: until() });
    }
    given::<Reservation>([requested(), confirmed(), paid(), completed()])
        .when(cancel_at(at(0)))
        .then_error(ReservationError::IllegalTransition { state: "completed", command: "be cancelled" });
}

#[test]
fn what_is_not_paid_can_be_cancelled_at_any_time() {
    for time in [at(0), until(), ends_at()] {
        given::<Reservation>([requested()]).when(cancel_at(time)).then([cancellation(false)]);
        given::<Reservation>([requested(), confirmed()]).when(cancel_at(time)).then([cancellation(false)]);
    }
}

#[test]
fn a_stay_is_completed_once_it_is_over_and_no_sooner() {
    let past = || [requested(), confirmed(), paid()];
    given::<Reservation>(past())
        .when(complete_at(ends_at() - second()))
        .then_error(ReservationError::NotOver { ends_at: ends_at() });
    given::<Reservation>(past()).when(complete_at(ends_at())).then([completed()]);
    given::<Reservation>([requested(), confirmed()]).when(complete_at(ends_at())).then_error(
        ReservationError::IllegalTransition { state: "awaiting_payment", command: "be completed" },
    );
}
