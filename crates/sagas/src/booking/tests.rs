//! The table of booking, row by row and as a grid.

use domain::{
    AnyCommand, RefundId,
    payment::{
        PaymentCaptured, PaymentCommand, PaymentDeclined, PaymentEvent, PaymentExpired, PaymentRefunded,
        PaymentTiming, PaymentVoided, full_refund_of,
    },
    reservation::{
        ReservationCommand, ReservationCompleted, ReservationEvent, ReservationExpired, ReservationRefused,
    },
    resort::{NightsRefusal, ResortCommand, ResortEvent},
};

use super::{Booked, Booking, BookingState};
use crate::{
    Process,
    testing::{
        Given, Then, at, booked_payment_id, called_back, customer_id, envelope, given, grid, nights_held,
        nights_refused, order_id, reservation_id, reservation_paid, reservation_requested, resort_id, stay,
        won,
    },
};

const OVERTAKEN: &[&str] = &["illegal_transition"];

fn booked() -> Booked {
    Booked::of(&reservation_requested(&[]))
}
fn holding(cancelled: bool) -> BookingState {
    BookingState::Holding { booked: booked(), cancelled }
}
fn awaiting_payment() -> BookingState {
    BookingState::AwaitingPayment(booked())
}
fn recording() -> BookingState {
    BookingState::Recording(booked())
}
fn staying() -> BookingState {
    BookingState::Staying(booked())
}
fn refusing() -> BookingState {
    BookingState::Refusing(booked())
}
fn expiring() -> BookingState {
    BookingState::Expiring(booked())
}
fn undoing() -> BookingState {
    BookingState::Undoing(booked())
}
fn when(state: BookingState) -> Given<Booking> {
    given(state)
}

fn held() -> ResortEvent {
    nights_held().into()
}
fn refused() -> ResortEvent {
    nights_refused().into()
}
fn cancelled(was_paid: bool) -> ReservationEvent {
    called_back(was_paid).into()
}
fn captured() -> PaymentEvent {
    let (payment_id, subject, provider_ref) =
        (booked_payment_id(), reservation_id().into(), "ch_2".to_owned());
    PaymentCaptured { payment_id, subject, amount: won(200), attempt: 1, provider_ref }.into()
}
fn declined() -> PaymentEvent {
    PaymentDeclined { subject: reservation_id().into(), decline_code: "no_funds".to_owned() }.into()
}
fn expired() -> PaymentEvent {
    PaymentExpired { subject: reservation_id().into() }.into()
}
fn voided() -> PaymentEvent {
    PaymentVoided { subject: reservation_id().into() }.into()
}
fn refunded(refund_id: RefundId) -> PaymentEvent {
    let (subject, provider_ref) = (reservation_id().into(), "re_2".to_owned());
    PaymentRefunded { subject, refund_id, amount: won(200), provider_ref }.into()
}

fn reservation(command: ReservationCommand) -> AnyCommand {
    AnyCommand::Reservation { id: reservation_id(), command }
}
fn payment(command: PaymentCommand) -> AnyCommand {
    AnyCommand::Payment { id: booked_payment_id(), command }
}
fn resort(command: ResortCommand) -> AnyCommand {
    AnyCommand::Resort { id: resort_id(), command }
}
fn release() -> AnyCommand {
    resort(ResortCommand::ReleaseNights { reservation_id: reservation_id() })
}
fn finish() -> AnyCommand {
    reservation(ReservationCommand::FinishCancellation)
}
/// The nights are free again, then the cancellation is over.
#[track_caller]
fn undone(then: Then<Booking>) {
    then.then(BookingState::Done).sends("finish_cancellation", finish(), &[]).and_no_more();
}

#[test]
fn a_reservation_asks_the_resort_for_its_nights() {
    let then = when(BookingState::Idle).when(ReservationEvent::from(reservation_requested(&[])));
    let hold = ResortCommand::HoldNights {
        reservation_id: reservation_id(),
        stay: stay(),
        price: won(200),
        at: at(10),
    };
    then.then(holding(false)).sends("hold_nights", resort(hold), &[]).and_no_more();
}

#[test]
fn nights_that_are_held_confirm_the_reservation_and_ask_the_customer_to_pay_later() {
    let request = PaymentCommand::RequestPayment {
        payment_id: booked_payment_id(),
        subject: reservation_id().into(),
        customer_id: customer_id(),
        shop_id: None,
        amount: won(200),
        timing: PaymentTiming::Deferred,
        method: None,
        due_at: at(300),
    };
    when(holding(false))
        .when(held())
        .then(awaiting_payment())
        .sends("confirm_reservation", reservation(ReservationCommand::ConfirmReservation), OVERTAKEN)
        .sends("request_payment", payment(request), &[])
        .and_no_more();
}

#[test]
fn nights_that_are_not_to_be_had_refuse_the_reservation_for_the_resorts_reason() {
    let reason = NightsRefusal::Taken { night: stay().check_in };
    let refuse = reservation(ReservationCommand::RefuseReservation { reason });
    let then = when(holding(false)).when(refused()).then(refusing());
    then.sends("refuse_reservation", refuse, OVERTAKEN).and_no_more();
}

#[test]
fn a_cancellation_while_holding_waits_for_the_resorts_answer() {
    when(holding(false)).when(cancelled(false)).then(holding(true)).and_no_more();
}

#[test]
fn the_resorts_answer_after_a_cancellation_ends_it_without_a_payment() {
    let then = when(holding(true)).when(held()).then(BookingState::Done);
    then.sends("release_nights", release(), &[]).sends("finish_cancellation", finish(), &[]).and_no_more();
    let then = when(holding(true)).when(refused()).then(BookingState::Done);
    then.sends("finish_cancellation", finish(), &[]).and_no_more();
}

#[test]
fn captured_money_is_recorded_unless_a_cancellation_was_faster() {
    let then = when(awaiting_payment()).when(captured()).then(recording());
    then.sends("record_paid", reservation(ReservationCommand::RecordPaid), OVERTAKEN).and_no_more();
}

#[test]
fn a_reservation_that_is_not_paid_frees_its_nights_and_expires() {
    for end in [declined(), expired()] {
        when(awaiting_payment())
            .when(end)
            .then(expiring())
            .sends("release_nights", release(), &[])
            .sends("expire_reservation", reservation(ReservationCommand::ExpireReservation), OVERTAKEN)
            .and_no_more();
    }
}

#[test]
fn a_paid_reservation_wakes_when_the_stay_is_over_and_is_completed() {
    let paid = ReservationEvent::from(reservation_paid());
    when(recording()).when(paid).then(staying()).and_timers(&[("stay_over", Some(at(900)))]);
    let complete = reservation(ReservationCommand::CompleteReservation { at: at(900) });
    let then = when(staying()).when_woken("stay_over", at(900)).then(staying());
    then.sends("complete_reservation", complete, OVERTAKEN).and_no_more();
    let completed = ReservationCompleted { reservation_id: reservation_id() };
    when(staying()).when(ReservationEvent::from(completed)).then(BookingState::Done).and_no_more();
}

#[test]
fn a_cancellation_gives_the_money_back_and_frees_the_nights_at_once() {
    let void = || payment(PaymentCommand::VoidPayment);
    for state in [awaiting_payment(), recording()] {
        let then = when(state).when(cancelled(false)).then(undoing());
        then.sends("void_payment", void(), &[]).sends("release_nights", release(), &[]).and_no_more();
    }
    let then = when(staying()).when(cancelled(true)).then(undoing());
    then.sends("void_payment", void(), &[])
        .sends("release_nights", release(), &[])
        .and_timers(&[("stay_over", None)]);
}

#[test]
fn however_the_payment_ends_the_undoing_ends() {
    let back = refunded(full_refund_of(booked_payment_id()));
    for end in [voided(), declined(), expired(), back] {
        undone(when(undoing()).when(end));
    }
}

#[test]
fn money_that_is_captured_or_given_back_in_part_while_undoing_is_waited_for() {
    let part = refunded(RefundId::derived(booked_payment_id().uuid(), "refund", "other"));
    when(undoing()).when(captured()).then_nothing();
    when(undoing()).when(part).then_nothing();
}

#[test]
fn a_reservation_that_is_refused_or_expired_is_over() {
    let reservation_id = reservation_id();
    let refused = ReservationRefused { reservation_id, reason: NightsRefusal::Past };
    when(refusing()).when(ReservationEvent::from(refused)).then(BookingState::Done).and_no_more();
    let expired = ReservationExpired { reservation_id };
    when(expiring()).when(ReservationEvent::from(expired)).then(BookingState::Done).and_no_more();
}

#[test]
fn a_cancellation_that_is_faster_than_the_refusal_or_the_expiry_is_finished() {
    for state in [refusing(), expiring()] {
        let then = when(state).when(cancelled(false)).then(BookingState::Done);
        then.sends("finish_cancellation", finish(), &[]).and_no_more();
    }
}

#[test]
fn payments_of_orders_are_none_of_its_business() {
    let voided = PaymentEvent::from(PaymentVoided { subject: order_id().into() });
    assert_eq!(Booking::instance(&envelope(voided)), None);
    assert_eq!(Booking::instance(&envelope(self::voided())), Some(reservation_id().uuid()));
}

#[test]
fn an_open_booking_says_what_it_waits_for_and_until_when() {
    let says = |state: BookingState| Booking::awaits(&state).map(|a| (a.what, a.deadline));
    assert_eq!(says(awaiting_payment()), Some(("the payment's outcome".to_owned(), Some(at(300)))));
    assert_eq!(says(staying()), Some(("the end of the stay".to_owned(), Some(at(900)))));
    assert_eq!(says(BookingState::Done), None);
}

#[test]
fn every_event_and_timer_in_every_stage() {
    let states = [
        ("idle", BookingState::Idle),
        ("holding", holding(false)),
        ("holding, cancelled", holding(true)),
        ("awaiting the payment", awaiting_payment()),
        ("recording", recording()),
        ("staying", staying()),
        ("refusing", refusing()),
        ("expiring", expiring()),
        ("undoing", undoing()),
        ("done", BookingState::Done),
    ];
    insta::assert_snapshot!("grid", grid::<Booking>(&states, &["stay_over", "unknown"]));
}
