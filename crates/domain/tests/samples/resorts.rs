//! Resorts, reservations and vouchers, and the payments and messages about a reservation.

use chrono::NaiveDate;
use orderstream_domain::{
    Actor, CustomerId, Event, NotificationId, NotifiedChange, PaymentId, ReservationId, ResortId, Stay,
    TimeZone,
    notification::{NotificationEvent, NotificationQueued},
    payment::{self, PaymentEvent, PaymentTiming},
    reservation::{self, ReservationEvent},
    resort::{self, NightsRefusal, ResortEvent, ResortPolicy},
    voucher::{self, VoucherCode, VoucherEvent},
};

use super::{Sample, at, customer_id, sample, shop_id, won};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}
fn manager_id() -> CustomerId {
    "max".parse().unwrap()
}
fn resort_id() -> ResortId {
    ResortId::new(at(0), 3, shop_id().partition())
}
fn reservation_id() -> ReservationId {
    ReservationId::new(at(0), 4, resort_id().partition())
}
fn payment_id() -> PaymentId {
    reservation::payment_of(reservation_id())
}
fn stay() -> Stay {
    Stay::new(date("2026-07-10"), date("2026-07-12")).unwrap()
}
fn policy() -> ResortPolicy {
    ResortPolicy {
        pay_within_secs: 3600,
        cancel_days_before: 3,
        notify: vec![NotifiedChange::ReservationConfirmed, NotifiedChange::ReservationCancelled],
    }
}

/// All of them.
pub(super) fn all() -> Vec<Sample> {
    [resorts(), reservations(), vouchers(), payments(), notifications()].concat()
}

fn resorts() -> Vec<Sample> {
    use resort::{NightsHeld, NightsRefused, NightsReleased, ResortRegistered, ResortRetired, ResortRevised};
    let (resort_id, reservation_id, stay) = (resort_id(), reservation_id(), stay());
    let (name, kind) = ("Sea View".to_owned(), "pension".to_owned());
    let (open_from, open_until) = (date("2026-01-01"), date("2026-12-31"));
    let registered = ResortRegistered {
        resort_id,
        manager_id: manager_id(),
        name: name.clone(),
        kind: kind.clone(),
        nightly_price: won(100_000),
        time_zone: TimeZone::SEOUL,
        open_from,
        open_until,
        policy: policy(),
    };
    let quiet = ResortPolicy { notify: vec![], ..policy() };
    let revised =
        ResortRevised { name, kind, nightly_price: won(90_000), open_from, open_until, policy: quiet };
    let (price, today) = (won(200_000), date("2026-07-01"));
    let refused = |reason| -> ResortEvent { NightsRefused { resort_id, reservation_id, reason }.into() };
    let night = date("2026-07-11");
    let resort = |event: ResortEvent| sample("", event);
    vec![
        resort(registered.into()),
        resort(revised.into()),
        resort(ResortRetired { resort_id }.into()),
        resort(NightsHeld { resort_id, reservation_id, stay, price, today }.into()),
        resort(refused(NightsRefusal::Taken { night })),
        sample("retired", refused(NightsRefusal::Retired)),
        sample("not_open", refused(NightsRefusal::NotOpen { night })),
        sample("past", refused(NightsRefusal::Past)),
        resort(NightsReleased { resort_id, reservation_id, stay }.into()),
    ]
}

fn reservations() -> Vec<Sample> {
    use reservation::{
        ReservationCancellationRequested, ReservationCancelled, ReservationCompleted, ReservationConfirmed,
        ReservationExpired, ReservationPaid, ReservationRefused, ReservationRequested,
    };
    let (reservation_id, resort_id, payment_id) = (reservation_id(), resort_id(), payment_id());
    let (contact_id, voucher_id) =
        (reservation::contact_of(reservation_id), reservation::voucher_of(reservation_id));
    let requested = ReservationRequested {
        reservation_id,
        resort_id,
        resort_name: "Sea View".to_owned(),
        manager_id: manager_id(),
        customer_id: customer_id(),
        stay: stay(),
        total: won(200_000),
        policy: policy(),
        contact_id,
        payment_id,
        payment_due_at: at(3600),
        voucher_id,
        cancellable_until: TimeZone::SEOUL.start_of(date("2026-07-07")),
        ends_at: TimeZone::SEOUL.start_of(date("2026-07-12")),
    };
    let paid = ReservationPaid {
        reservation_id,
        resort_id,
        manager_id: manager_id(),
        customer_id: customer_id(),
        voucher_id,
    };
    let cancellation = |by, reason_id, was_paid| -> ReservationEvent {
        ReservationCancellationRequested {
            reservation_id,
            by,
            reason_id,
            was_paid,
            customer_id: customer_id(),
            manager_id: manager_id(),
            resort_id,
            payment_id,
            voucher_id,
        }
        .into()
    };
    let customer = Actor::Customer(customer_id());
    let reason = NightsRefusal::Taken { night: date("2026-07-11") };
    let reservation = |event: ReservationEvent| sample("", event);
    vec![
        reservation(requested.into()),
        reservation(ReservationConfirmed { reservation_id }.into()),
        reservation(ReservationRefused { reservation_id, reason }.into()),
        reservation(paid.into()),
        reservation(cancellation(customer, Some(contact_id), true)),
        sample("by_manager", cancellation(Actor::Manager(manager_id()), None, false)),
        reservation(ReservationCancelled { reservation_id }.into()),
        reservation(ReservationExpired { reservation_id }.into()),
        reservation(ReservationCompleted { reservation_id }.into()),
    ]
}

fn vouchers() -> Vec<Sample> {
    use voucher::{VoucherDeactivated, VoucherIssued, VoucherSendRequested, VoucherSent};
    let reservation_id = reservation_id();
    let voucher_id = reservation::voucher_of(reservation_id);
    let issued = VoucherIssued {
        voucher_id,
        reservation_id,
        resort_id: resort_id(),
        customer_id: customer_id(),
        manager_id: manager_id(),
        code: VoucherCode::from_random(0x1234_5678_9ABC_DEF0_1234),
    };
    let send = |sending, by| -> VoucherEvent {
        let customer_id = customer_id();
        VoucherSendRequested { voucher_id, reservation_id, customer_id, sending, by }.into()
    };
    let deactivated = VoucherDeactivated {
        voucher_id,
        reservation_id,
        customer_id: customer_id(),
        manager_id: manager_id(),
    };
    let voucher = |event: VoucherEvent| sample("", event);
    vec![
        voucher(issued.into()),
        voucher(send(1, Actor::Process("vouchers".to_owned()))),
        sample("by_manager", send(2, Actor::Manager(manager_id()))),
        voucher(VoucherSent { reservation_id, sending: 1 }.into()),
        voucher(deactivated.into()),
    ]
}

/// The events of a payment that name what is paid for: here a reservation, and no shop.
fn payments() -> Vec<Sample> {
    use payment::{
        LateCaptureFound, PaymentCaptured, PaymentDeclined, PaymentExpired, PaymentRefunded,
        PaymentRequested, PaymentVoidRequested, PaymentVoided,
    };
    let (subject, payment_id) = (reservation_id().into(), payment_id());
    let (amount, attempt) = (won(200_000), 1);
    let (charge, back) = ("ch_1".to_owned(), "re_1".to_owned());
    let requested = PaymentRequested {
        payment_id,
        subject,
        customer_id: customer_id(),
        shop_id: None,
        amount,
        timing: PaymentTiming::Deferred,
        method: None,
        due_at: at(3600),
    };
    let captured = PaymentCaptured { payment_id, subject, amount, attempt, provider_ref: charge.clone() };
    let late = LateCaptureFound { payment_id, subject, amount, attempt, provider_ref: charge };
    let refund_id = payment::full_refund_of(payment_id);
    let payment = |event: PaymentEvent| -> Sample { ("of_reservation", Event::from(event)) };
    vec![
        payment(requested.into()),
        payment(captured.into()),
        payment(PaymentDeclined { subject, decline_code: "no_funds".to_owned() }.into()),
        payment(PaymentVoidRequested { subject }.into()),
        payment(PaymentVoided { subject }.into()),
        payment(PaymentExpired { subject }.into()),
        payment(late.into()),
        payment(PaymentRefunded { subject, refund_id, amount, provider_ref: back }.into()),
    ]
}

fn notifications() -> Vec<Sample> {
    let reservation_id = reservation_id();
    let queued = |change: NotifiedChange, voucher_id| -> NotificationEvent {
        NotificationQueued {
            notification_id: NotificationId::derived(reservation_id.uuid(), "notification", change.name()),
            subject: reservation_id.into(),
            customer_id: customer_id(),
            shop_id: None,
            change,
            voucher_id,
        }
        .into()
    };
    let voucher = Some(reservation::voucher_of(reservation_id));
    vec![
        sample("of_reservation", queued(NotifiedChange::ReservationConfirmed, None)),
        sample("with_voucher", queued(NotifiedChange::VoucherSendRequested, voucher)),
    ]
}
