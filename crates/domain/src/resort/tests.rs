//! What a resort answers, by example, over the whole grid, and under random commands.

use cqrs_es::test::TestFramework;

use super::{
    MAX_CANCEL_DAYS, NightsHeld, NightsRefusal, NightsRefused, NightsReleased, Resort, ResortCommand,
    ResortError, ResortEvent, ResortPolicy, ResortRegistered, ResortRetired, ResortRevised,
};
use crate::{
    CustomerId, Money, NotifiedChange, Stay, TimeZone, Timestamp,
    policy::MAX_POLICY_SECS,
    testing::{at, date, fold, given, krw, reservation_id, resort_id, stay},
};

mod grid;
mod random;

fn manager_id() -> CustomerId {
    "max".parse().unwrap()
}
fn policy() -> ResortPolicy {
    ResortPolicy {
        pay_within_secs: 3600,
        cancel_days_before: 3,
        notify: vec![NotifiedChange::ReservationConfirmed],
    }
}
/// Noon of a day in Seoul, where the resort of these tests lies.
fn noon(day: &str) -> Timestamp {
    TimeZone::SEOUL.start_of(date(day)) + chrono::TimeDelta::hours(12)
}
fn registration() -> ResortRegistered {
    ResortRegistered {
        resort_id: resort_id(),
        manager_id: manager_id(),
        name: "Sea View".to_owned(),
        kind: "pension".to_owned(),
        nightly_price: krw(100_000),
        time_zone: TimeZone::SEOUL,
        open_from: date("2026-01-01"),
        open_until: date("2026-12-31"),
        policy: policy(),
    }
}

fn register_as(registration: ResortRegistered) -> ResortCommand {
    let ResortRegistered {
        resort_id,
        manager_id,
        name,
        kind,
        nightly_price,
        time_zone,
        open_from,
        open_until,
        policy,
    } = registration;
    ResortCommand::RegisterResort {
        resort_id,
        manager_id,
        name,
        kind,
        nightly_price,
        time_zone,
        open_from,
        open_until,
        policy,
    }
}
fn register() -> ResortCommand {
    register_as(registration())
}
/// A revision that names nothing, to be changed by a test.
#[derive(Default)]
struct Revision {
    name: Option<&'static str>,
    kind: Option<&'static str>,
    nightly_price: Option<Money>,
    open: Option<(&'static str, &'static str)>,
    policy: Option<ResortPolicy>,
}
fn revise(revision: Revision) -> ResortCommand {
    ResortCommand::ReviseResort {
        name: revision.name.map(str::to_owned),
        kind: revision.kind.map(str::to_owned),
        nightly_price: revision.nightly_price,
        open_from: revision.open.map(|(from, _)| date(from)),
        open_until: revision.open.map(|(_, until)| date(until)),
        pay_within_secs: revision.policy.as_ref().map(|policy| policy.pay_within_secs),
        cancel_days_before: revision.policy.as_ref().map(|policy| policy.cancel_days_before),
        notify: revision.policy.map(|policy| policy.notify),
    }
}
fn hold_at(reservation: u64, stay: Stay, at: Timestamp) -> ResortCommand {
    ResortCommand::HoldNights { reservation_id: reservation_id(reservation), stay, price: krw(200_000), at }
}
fn hold(reservation: u64, check_in: &str, check_out: &str) -> ResortCommand {
    hold_at(reservation, stay(check_in, check_out), at(0))
}
fn release(reservation: u64) -> ResortCommand {
    ResortCommand::ReleaseNights { reservation_id: reservation_id(reservation) }
}

fn registered() -> ResortEvent {
    registration().into()
}
fn retired() -> ResortEvent {
    ResortRetired { resort_id: resort_id() }.into()
}
fn held_on(reservation: u64, check_in: &str, check_out: &str, today: &str) -> ResortEvent {
    NightsHeld {
        resort_id: resort_id(),
        reservation_id: reservation_id(reservation),
        stay: stay(check_in, check_out),
        price: krw(200_000),
        today: date(today),
    }
    .into()
}
fn held(reservation: u64, check_in: &str, check_out: &str) -> ResortEvent {
    held_on(reservation, check_in, check_out, "2026-01-01")
}
fn refused(reservation: u64, reason: NightsRefusal) -> ResortEvent {
    NightsRefused { resort_id: resort_id(), reservation_id: reservation_id(reservation), reason }.into()
}
fn released(reservation: u64, check_in: &str, check_out: &str) -> ResortEvent {
    NightsReleased {
        resort_id: resort_id(),
        reservation_id: reservation_id(reservation),
        stay: stay(check_in, check_out),
    }
    .into()
}

#[test]
fn a_night_that_somebody_has_is_refused_and_named() {
    let past = || [registered(), held(1, "2026-07-10", "2026-07-12"), held(2, "2026-07-14", "2026-07-16")];
    let taken = |night| NightsRefusal::Taken { night: date(night) };
    let ask = |from, until| given::<Resort>(past()).when(hold(3, from, until));
    ask("2026-07-10", "2026-07-12").then([refused(3, taken("2026-07-10"))]);
    ask("2026-07-11", "2026-07-13").then([refused(3, taken("2026-07-11"))]);
    ask("2026-07-09", "2026-07-11").then([refused(3, taken("2026-07-10"))]);
    ask("2026-07-12", "2026-07-20").then([refused(3, taken("2026-07-14"))]);
    ask("2026-07-01", "2026-07-20").then([refused(3, taken("2026-07-10"))]);
}

#[test]
fn one_guest_may_arrive_on_the_day_on_which_another_leaves() {
    let past = || [registered(), held(1, "2026-07-10", "2026-07-12"), held(2, "2026-07-14", "2026-07-16")];
    for (from, until) in
        [("2026-07-12", "2026-07-14"), ("2026-07-08", "2026-07-10"), ("2026-07-16", "2026-07-17")]
    {
        given::<Resort>(past()).when(hold(3, from, until)).then([held(3, from, until)]);
    }
}

#[test]
fn a_reservation_holds_one_stay_however_often_it_asks() {
    let past = || [registered(), held(1, "2026-07-10", "2026-07-12")];
    given::<Resort>(past()).when(hold(1, "2026-07-10", "2026-07-12")).then_already_applied();
    given::<Resort>(past()).when(hold(1, "2026-08-01", "2026-08-02")).then_already_applied();
    let late = hold_at(1, stay("2026-07-10", "2026-07-12"), noon("2026-07-20"));
    given::<Resort>(past()).when(late).then_already_applied();
    let retired = past().into_iter().chain([retired()]);
    given::<Resort>(retired).when(hold(1, "2026-07-10", "2026-07-12")).then_already_applied();
}

#[test]
fn tonight_can_be_booked_and_last_night_cannot() {
    let ask = |check_in, at| {
        let stay = stay(check_in, "2026-07-05");
        given::<Resort>([registered()]).when(hold_at(1, stay, at))
    };
    let today = |check_in| [held_on(1, check_in, "2026-07-05", "2026-07-02")];
    ask("2026-07-02", noon("2026-07-02")).then(today("2026-07-02"));
    ask("2026-07-01", noon("2026-07-02")).then([refused(1, NightsRefusal::Past)]);
    // In Seoul the second of July begins while it is still the first in UTC.
    let midnight = "2026-07-01T15:00:00Z".parse::<Timestamp>().unwrap();
    ask("2026-07-01", midnight).then([refused(1, NightsRefusal::Past)]);
    ask("2026-07-01", midnight - chrono::TimeDelta::seconds(1)).then([held_on(
        1,
        "2026-07-01",
        "2026-07-05",
        "2026-07-01",
    )]);
}

#[test]
fn only_nights_on_offer_are_held_and_the_first_that_is_not_is_named() {
    let ask =
        |from, until| given::<Resort>([registered()]).when(hold_at(1, stay(from, until), noon("2025-12-01")));
    let on = "2025-12-01";
    let not_open = |night| [refused(1, NightsRefusal::NotOpen { night: date(night) })];
    ask("2026-01-01", "2026-01-03").then([held_on(1, "2026-01-01", "2026-01-03", on)]);
    ask("2025-12-30", "2026-01-03").then(not_open("2025-12-30"));
    ask("2026-12-29", "2026-12-31").then([held_on(1, "2026-12-29", "2026-12-31", on)]);
    ask("2026-12-29", "2027-01-01").then(not_open("2026-12-31"));
    ask("2027-02-01", "2027-02-02").then(not_open("2027-02-01"));
}

#[test]
fn a_retired_resort_takes_no_more_reservations_and_lets_the_others_end() {
    let past = || [registered(), held(1, "2026-07-10", "2026-07-12"), retired()];
    given::<Resort>(past())
        .when(hold(2, "2026-08-01", "2026-08-02"))
        .then([refused(2, NightsRefusal::Retired)]);
    given::<Resort>(past()).when(release(1)).then([released(1, "2026-07-10", "2026-07-12")]);
    given::<Resort>(past()).when(ResortCommand::RetireResort).then_already_applied();
    given::<Resort>(past())
        .when(revise(Revision { name: Some("Hill View"), ..Revision::default() }))
        .then_error(ResortError::IllegalTransition { state: "retired", command: "be revised" });
}

#[test]
fn nights_that_are_released_can_be_had_again() {
    let past = || [registered(), held(1, "2026-07-10", "2026-07-12")];
    given::<Resort>(past()).when(release(1)).then([released(1, "2026-07-10", "2026-07-12")]);
    given::<Resort>(past()).when(release(2)).then_already_applied();
    let free = || past().into_iter().chain([released(1, "2026-07-10", "2026-07-12")]);
    given::<Resort>(free()).when(release(1)).then_already_applied();
    given::<Resort>(free()).when(hold(2, "2026-07-11", "2026-07-13")).then([held(
        2,
        "2026-07-11",
        "2026-07-13",
    )]);
}

#[test]
fn stays_that_are_over_leave_the_state_when_the_next_nights_are_held() {
    let state = fold::<Resort>(&[
        registered(),
        held(1, "2026-07-01", "2026-07-03"),
        held(2, "2026-07-03", "2026-07-05"),
        held_on(3, "2026-08-01", "2026-08-02", "2026-07-03"),
    ]);
    let left: Vec<_> = state.details().unwrap().held.keys().copied().collect();
    assert_eq!(left, [reservation_id(2), reservation_id(3)]);
}

#[test]
fn a_revision_keeps_what_it_does_not_name() {
    let unchanged = || ResortRevised {
        name: "Sea View".to_owned(),
        kind: "pension".to_owned(),
        nightly_price: krw(100_000),
        open_from: date("2026-01-01"),
        open_until: date("2026-12-31"),
        policy: policy(),
    };
    let ask = |revision| given::<Resort>([registered()]).when(revise(revision));
    ask(Revision { nightly_price: Some(krw(1)), ..Revision::default() }).then([ResortRevised {
        nightly_price: krw(1),
        ..unchanged()
    }
    .into()]);
    ask(Revision { kind: Some("camping"), name: Some("Sea View"), ..Revision::default() })
        .then([ResortRevised { kind: "camping".to_owned(), ..unchanged() }.into()]);
    ask(Revision::default()).then_already_applied();
    let same =
        Revision { open: Some(("2026-01-01", "2026-12-31")), policy: Some(policy()), ..Revision::default() };
    ask(same).then_already_applied();
}

#[test]
fn a_revision_touches_no_reservation_that_was_made() {
    let narrower = ResortRevised {
        name: "Sea View".to_owned(),
        kind: "pension".to_owned(),
        nightly_price: krw(1),
        open_from: date("2026-08-01"),
        open_until: date("2026-08-02"),
        policy: policy(),
    };
    let past = || [registered(), held(1, "2026-07-10", "2026-07-12"), narrower.clone().into()];
    assert_eq!(fold::<Resort>(&past()).details().unwrap().held.len(), 1);
    given::<Resort>(past()).when(release(1)).then([released(1, "2026-07-10", "2026-07-12")]);
}

#[test]
fn what_cannot_be_shown_or_counted_is_not_registered() {
    let long = "x".repeat(101);
    let with = |change: &dyn Fn(&mut ResortRegistered)| {
        let mut registration = registration();
        change(&mut registration);
        given::<Resort>([]).when(register_as(registration))
    };
    for text in ["", " ", "bell\u{7}", long.as_str()] {
        with(&|r| text.clone_into(&mut r.name)).then_error(ResortError::Label { field: "name" });
        with(&|r| text.clone_into(&mut r.kind)).then_error(ResortError::Label { field: "kind" });
    }
    with(&|r| r.nightly_price = krw(0)).then_error(ResortError::Price);
    for open_until in [date("2026-01-01"), date("2025-12-31")] {
        let open_from = date("2026-01-01");
        with(&|r| r.open_until = open_until).then_error(ResortError::NeverOpen { open_from, open_until });
    }
    for secs in [0, MAX_POLICY_SECS + 1] {
        with(&|r| r.policy.pay_within_secs = secs).then_error(ResortError::PayWithin { secs });
    }
    let days = MAX_CANCEL_DAYS + 1;
    with(&|r| r.policy.cancel_days_before = days).then_error(ResortError::CancelDays { days });
    let twice = NotifiedChange::ReservationPaid;
    with(&|r| r.policy.notify = vec![twice, twice]).then_error(ResortError::NotifiedTwice(twice));
}

#[test]
fn a_revision_is_checked_as_a_registration_is() {
    let ask = |revision| given::<Resort>([registered()]).when(revise(revision));
    ask(Revision { name: Some(" "), ..Revision::default() }).then_error(ResortError::Label { field: "name" });
    ask(Revision { nightly_price: Some(krw(0)), ..Revision::default() }).then_error(ResortError::Price);
    let (open_from, open_until) = (date("2026-05-02"), date("2026-05-01"));
    ask(Revision { open: Some(("2026-05-02", "2026-05-01")), ..Revision::default() })
        .then_error(ResortError::NeverOpen { open_from, open_until });
    ask(Revision { policy: Some(ResortPolicy { pay_within_secs: 0, ..policy() }), ..Revision::default() })
        .then_error(ResortError::PayWithin { secs: 0 });
}

#[test]
fn nothing_can_be_done_with_a_resort_that_does_not_exist() {
    use ResortCommand::RetireResort;
    for command in
        [revise(Revision::default()), RetireResort, hold(1, "2026-07-10", "2026-07-12"), release(1)]
    {
        given::<Resort>([]).when(command).then_error(ResortError::NotFound);
    }
}

#[tokio::test]
async fn the_cqrs_es_framework_runs_a_resort() {
    let framework = || TestFramework::<Resort>::with(());
    framework()
        .given(vec![registered()])
        .when_async(hold(1, "2026-07-10", "2026-07-12"))
        .await
        .then_expect_events(vec![held(1, "2026-07-10", "2026-07-12")]);
    framework()
        .given(vec![registered(), retired()])
        .when_async(revise(Revision::default()))
        .await
        .then_expect_error_message("a resort that is retired cannot be revised");
}
