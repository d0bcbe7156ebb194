//! What a reservation answers, by example and over the whole grid.

use cqrs_es::test::TestFramework;

use super::{
    Reservation, ReservationCancellationRequested, ReservationCancelled, ReservationCommand,
    ReservationCompleted, ReservationConfirmed, ReservationError, ReservationEvent, ReservationExpired,
    ReservationPaid, ReservationRefused, ReservationRequested, contact_of, payment_of, voucher_of,
};
use crate::{
    Actor, CustomerId, Money, MoneyError, NotifiedChange, Stay, TimeZone, Timestamp,
    money::MAX_AMOUNT_MINOR,
    resort::{NightsRefusal, ResortPolicy},
    testing::{at, customer_id, date, eur, fold, given, krw, reservation_id, resort_id, stay},
};

mod deadlines;
mod grid;

fn manager_id() -> CustomerId {
    "max".parse().unwrap()
}
fn customer() -> Actor {
    Actor::Customer(customer_id())
}
fn policy() -> ResortPolicy {
    ResortPolicy {
        pay_within_secs: 3600,
        cancel_days_before: 3,
        notify: vec![NotifiedChange::ReservationConfirmed],
    }
}
fn nights() -> Stay {
    stay("2026-07-10", "2026-07-12")
}
/// The instant at which a day begins in Seoul, where the resort of these tests lies.
fn start_of(day: &str) -> Timestamp {
    TimeZone::SEOUL.start_of(date(day))
}
/// Until when it can be cancelled: three days before the first night.
fn until() -> Timestamp {
    start_of("2026-07-07")
}
fn ends_at() -> Timestamp {
    start_of("2026-07-12")
}

fn request_for(
    stay: Stay,
    nightly_price: Money,
    expected_total: Option<Money>,
    at: Timestamp,
) -> ReservationCommand {
    ReservationCommand::RequestReservation {
        reservation_id: reservation_id(1),
        resort_id: resort_id(),
        resort_name: "Sea View".to_owned(),
        manager_id: manager_id(),
        customer_id: customer_id(),
        stay,
        nightly_price,
        expected_total,
        time_zone: TimeZone::SEOUL,
        policy: policy(),
        contact_id: contact_of(reservation_id(1)),
        at,
    }
}
fn request() -> ReservationCommand {
    request_for(nights(), krw(100_000), None, at(0))
}
fn refuse() -> ReservationCommand {
    ReservationCommand::RefuseReservation { reason: NightsRefusal::Retired }
}
fn cancel_at(at: Timestamp) -> ReservationCommand {
    let reason_id = Some(contact_of(reservation_id(1)));
    ReservationCommand::RequestCancellation { by: customer(), reason_id, at }
}
fn complete_at(at: Timestamp) -> ReservationCommand {
    ReservationCommand::CompleteReservation { at }
}

fn request_event() -> ReservationRequested {
    ReservationRequested {
        reservation_id: reservation_id(1),
        resort_id: resort_id(),
        resort_name: "Sea View".to_owned(),
        manager_id: manager_id(),
        customer_id: customer_id(),
        stay: nights(),
        total: krw(200_000),
        policy: policy(),
        contact_id: contact_of(reservation_id(1)),
        payment_id: payment_of(reservation_id(1)),
        payment_due_at: at(3600),
        voucher_id: voucher_of(reservation_id(1)),
        cancellable_until: until(),
        ends_at: ends_at(),
    }
}
fn requested() -> ReservationEvent {
    request_event().into()
}
fn confirmed() -> ReservationEvent {
    ReservationConfirmed { reservation_id: reservation_id(1) }.into()
}
fn refused() -> ReservationEvent {
    ReservationRefused { reservation_id: reservation_id(1), reason: NightsRefusal::Retired }.into()
}
fn paid() -> ReservationEvent {
    ReservationPaid {
        reservation_id: reservation_id(1),
        resort_id: resort_id(),
        manager_id: manager_id(),
        customer_id: customer_id(),
        voucher_id: voucher_of(reservation_id(1)),
    }
    .into()
}
fn cancellation(was_paid: bool) -> ReservationEvent {
    ReservationCancellationRequested {
        reservation_id: reservation_id(1),
        by: customer(),
        reason_id: Some(contact_of(reservation_id(1))),
        was_paid,
        customer_id: customer_id(),
        manager_id: manager_id(),
        resort_id: resort_id(),
        payment_id: payment_of(reservation_id(1)),
        voucher_id: voucher_of(reservation_id(1)),
    }
    .into()
}
fn cancelled() -> ReservationEvent {
    ReservationCancelled { reservation_id: reservation_id(1) }.into()
}
fn expired() -> ReservationEvent {
    ReservationExpired { reservation_id: reservation_id(1) }.into()
}
fn completed() -> ReservationEvent {
    ReservationCompleted { reservation_id: reservation_id(1) }.into()
}
fn illegal(state: &'static str, command: &'static str) -> ReservationError {
    ReservationError::IllegalTransition { state, command }
}

#[test]
fn a_request_names_all_that_belongs_to_the_reservation() {
    given::<Reservation>([]).when(request()).then([requested()]);
    let ids = [
        payment_of(reservation_id(1)).uuid(),
        voucher_of(reservation_id(1)).uuid(),
        contact_of(reservation_id(1)).uuid(),
        reservation_id(1).uuid(),
    ];
    for (i, id) in ids.iter().enumerate() {
        assert!(!ids[..i].contains(id));
    }
}

#[test]
fn the_same_request_again_is_a_repeat_whatever_has_become_of_the_first() {
    for past in [
        vec![requested()],
        vec![requested(), refused()],
        vec![requested(), confirmed(), paid(), completed()],
        vec![requested(), cancellation(false), cancelled()],
    ] {
        given::<Reservation>(past).when(request()).then_already_applied();
    }
}

#[test]
fn a_price_that_changed_since_the_customer_saw_it_is_refused() {
    let ask = |expected| given::<Reservation>([]).when(request_for(nights(), krw(100_000), expected, at(0)));
    ask(Some(krw(200_000))).then([requested()]);
    for expected in [krw(199_999), krw(0), eur(200_000)] {
        ask(Some(expected)).then_error(ReservationError::PriceChanged { expected, total: krw(200_000) });
    }
}

#[test]
fn a_total_that_cannot_be_counted_is_refused() {
    given::<Reservation>([])
        .when(request_for(nights(), krw(MAX_AMOUNT_MINOR), None, at(0)))
        .then_error(ReservationError::Money(MoneyError::OutOfRange));
    let no_night = Stay { check_in: date("2026-07-12"), check_out: date("2026-07-10") };
    given::<Reservation>([])
        .when(request_for(no_night, krw(100_000), None, at(0)))
        .then_error(ReservationError::Money(MoneyError::QuantityOutOfRange(0)));
}

#[test]
fn a_reservation_goes_from_its_request_to_its_end() {
    use ReservationCommand::{ConfirmReservation, RecordPaid};
    given::<Reservation>([requested()]).when(ConfirmReservation).then([confirmed()]);
    given::<Reservation>([requested(), confirmed()]).when(RecordPaid).then([paid()]);
    given::<Reservation>([requested(), confirmed(), paid()]).when(complete_at(ends_at())).then([completed()]);
    let done = || [requested(), confirmed(), paid(), completed()];
    given::<Reservation>(done()).when(ConfirmReservation).then_already_applied();
    given::<Reservation>(done()).when(RecordPaid).then_already_applied();
    given::<Reservation>(done()).when(complete_at(ends_at())).then_already_applied();
}

#[test]
fn nights_that_are_not_to_be_had_end_it() {
    given::<Reservation>([requested()]).when(refuse()).then([refused()]);
    given::<Reservation>([requested(), refused()]).when(refuse()).then_already_applied();
    given::<Reservation>([requested(), refused()])
        .when(ReservationCommand::ConfirmReservation)
        .then_error(illegal("refused", "be confirmed"));
    given::<Reservation>([requested(), confirmed()])
        .when(refuse())
        .then_error(illegal("awaiting_payment", "be refused"));
}

#[test]
fn a_reservation_that_was_not_paid_in_time_is_not_paid_later() {
    use ReservationCommand::{ExpireReservation, RecordPaid};
    given::<Reservation>([requested(), confirmed()]).when(ExpireReservation).then([expired()]);
    let gone = || [requested(), confirmed(), expired()];
    given::<Reservation>(gone()).when(ExpireReservation).then_already_applied();
    given::<Reservation>(gone()).when(RecordPaid).then_error(illegal("expired", "be paid"));
    given::<Reservation>(gone()).when(cancel_at(at(0))).then_error(illegal("expired", "be cancelled"));
    given::<Reservation>([requested(), confirmed(), paid()])
        .when(ExpireReservation)
        .then_error(illegal("paid", "expire"));
}

#[test]
fn a_cancellation_is_done_once_and_never_taken_back() {
    use ReservationCommand::{ConfirmReservation, FinishCancellation, RecordPaid};
    let undoing = || [requested(), confirmed(), cancellation(false)];
    given::<Reservation>(undoing()).when(cancel_at(at(0))).then_already_applied();
    given::<Reservation>(undoing()).when(RecordPaid).then_error(illegal("cancelling", "be paid"));
    given::<Reservation>([requested(), cancellation(false)])
        .when(ConfirmReservation)
        .then_error(illegal("cancelling", "be confirmed"));
    given::<Reservation>(undoing()).when(FinishCancellation).then([cancelled()]);
    let undone = || undoing().into_iter().chain([cancelled()]);
    given::<Reservation>(undone()).when(FinishCancellation).then_already_applied();
    given::<Reservation>(undone()).when(cancel_at(at(0))).then_already_applied();
    given::<Reservation>(undone())
        .when(ReservationCommand::ExpireReservation)
        .then_error(illegal("cancelled", "expire"));
    given::<Reservation>([requested(), confirmed()])
        .when(FinishCancellation)
        .then_error(illegal("awaiting_payment", "end its cancellation"));
}

#[test]
fn the_state_knows_whether_what_is_undone_was_paid() {
    for was_paid in [false, true] {
        let state = fold::<Reservation>(&[requested(), confirmed(), cancellation(was_paid)]);
        assert!(matches!(state, Reservation::Cancelling { was_paid: known, .. } if known == was_paid));
    }
}

#[test]
fn nothing_can_be_done_with_a_reservation_that_does_not_exist() {
    use ReservationCommand::{ConfirmReservation, ExpireReservation, FinishCancellation, RecordPaid};
    for command in [
        ConfirmReservation,
        refuse(),
        RecordPaid,
        cancel_at(at(0)),
        FinishCancellation,
        ExpireReservation,
        complete_at(ends_at()),
    ] {
        given::<Reservation>([]).when(command).then_error(ReservationError::NotFound);
    }
}

#[tokio::test]
async fn the_cqrs_es_framework_runs_a_reservation() {
    let framework = || TestFramework::<Reservation>::with(());
    framework()
        .given(vec![requested()])
        .when_async(ReservationCommand::ConfirmReservation)
        .await
        .then_expect_events(vec![confirmed()]);
    framework()
        .given(vec![requested(), refused()])
        .when_async(ReservationCommand::RecordPaid)
        .await
        .then_expect_error_message("a reservation that is refused cannot be paid");
}
