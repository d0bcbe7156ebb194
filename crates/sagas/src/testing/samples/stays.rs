//! Nights at a resort, reservations, their payments and their vouchers.

use chrono::NaiveDate;
use domain::{
    Actor, NotifiedChange,
    payment::{self, PaymentTiming, full_refund_of},
    reservation::{self, voucher_of},
    resort::{self, NightsRefusal, ResortPolicy},
    voucher::{self, VoucherCode},
};

use super::super::{
    at, booked_payment_id, customer_id, manager_id, reservation_id, resort_id, stay, voucher_id, won,
};

pub(crate) fn resort_policy(notify: &[NotifiedChange]) -> ResortPolicy {
    ResortPolicy { pay_within_secs: 300, cancel_days_before: 1, notify: notify.to_vec() }
}

pub(crate) fn reservation_requested(notify: &[NotifiedChange]) -> reservation::ReservationRequested {
    reservation::ReservationRequested {
        reservation_id: reservation_id(),
        resort_id: resort_id(),
        resort_name: "Sea View".to_owned(),
        manager_id: manager_id(),
        customer_id: customer_id(),
        stay: stay(),
        total: won(200),
        policy: resort_policy(notify),
        contact_id: reservation::contact_of(reservation_id()),
        payment_id: booked_payment_id(),
        payment_due_at: at(300),
        voucher_id: voucher_id(),
        cancellable_until: at(400),
        ends_at: at(900),
    }
}

pub(crate) fn reservation_paid() -> reservation::ReservationPaid {
    reservation::ReservationPaid {
        reservation_id: reservation_id(),
        resort_id: resort_id(),
        manager_id: manager_id(),
        customer_id: customer_id(),
        voucher_id: voucher_id(),
    }
}

pub(crate) fn called_back(was_paid: bool) -> reservation::ReservationCancellationRequested {
    reservation::ReservationCancellationRequested {
        reservation_id: reservation_id(),
        by: Actor::Customer(customer_id()),
        reason_id: None,
        was_paid,
        customer_id: customer_id(),
        manager_id: manager_id(),
        resort_id: resort_id(),
        payment_id: booked_payment_id(),
        voucher_id: voucher_id(),
    }
}

pub(crate) fn nights_held() -> resort::NightsHeld {
    resort::NightsHeld {
        resort_id: resort_id(),
        reservation_id: reservation_id(),
        stay: stay(),
        price: won(200),
        today: at(0).date_naive(),
    }
}

pub(crate) fn nights_refused() -> resort::NightsRefused {
    let reason = NightsRefusal::Taken { night: stay().check_in };
    resort::NightsRefused { resort_id: resort_id(), reservation_id: reservation_id(), reason }
}

pub(crate) fn send_requested(sending: u32) -> voucher::VoucherSendRequested {
    voucher::VoucherSendRequested {
        voucher_id: voucher_id(),
        reservation_id: reservation_id(),
        customer_id: customer_id(),
        sending,
        by: Actor::Process("vouchers".to_owned()),
    }
}

pub(crate) fn voucher_issued() -> voucher::VoucherIssued {
    voucher::VoucherIssued {
        voucher_id: voucher_of(reservation_id()),
        reservation_id: reservation_id(),
        resort_id: resort_id(),
        customer_id: customer_id(),
        manager_id: manager_id(),
        code: VoucherCode::from_random(7),
    }
}

pub(crate) fn voucher_deactivated() -> voucher::VoucherDeactivated {
    voucher::VoucherDeactivated {
        voucher_id: voucher_id(),
        reservation_id: reservation_id(),
        customer_id: customer_id(),
        manager_id: manager_id(),
    }
}

pub(super) fn resorts() -> Vec<(&'static str, resort::ResortEvent)> {
    let (resort_id, policy) = (resort_id(), resort_policy(&[]));
    let (open_from, open_until) = (stay().check_in, NaiveDate::MAX);
    let (name, kind) = (|| "Sea View".to_owned(), || "pension".to_owned());
    let registered = resort::ResortRegistered {
        resort_id,
        manager_id: manager_id(),
        name: name(),
        kind: kind(),
        nightly_price: won(100),
        time_zone: domain::TimeZone::SEOUL,
        open_from,
        open_until,
        policy: policy.clone(),
    };
    let revised = resort::ResortRevised {
        name: name(),
        kind: kind(),
        nightly_price: won(120),
        open_from,
        open_until,
        policy,
    };
    let (reservation_id, stay) = (reservation_id(), stay());
    vec![
        ("resort.registered", registered.into()),
        ("resort.revised", revised.into()),
        ("resort.retired", resort::ResortRetired { resort_id }.into()),
        ("resort.nights_held", nights_held().into()),
        ("resort.nights_refused", nights_refused().into()),
        ("resort.nights_released", resort::NightsReleased { resort_id, reservation_id, stay }.into()),
    ]
}

pub(super) fn reservations() -> Vec<(&'static str, reservation::ReservationEvent)> {
    let (reservation_id, reason) = (reservation_id(), NightsRefusal::Past);
    vec![
        ("reservation.requested", reservation_requested(&[NotifiedChange::ReservationCancelled]).into()),
        ("reservation.confirmed", reservation::ReservationConfirmed { reservation_id }.into()),
        ("reservation.refused", reservation::ReservationRefused { reservation_id, reason }.into()),
        ("reservation.paid", reservation_paid().into()),
        ("reservation.cancellation_requested, not paid", called_back(false).into()),
        ("reservation.cancellation_requested, paid", called_back(true).into()),
        ("reservation.cancelled", reservation::ReservationCancelled { reservation_id }.into()),
        ("reservation.expired", reservation::ReservationExpired { reservation_id }.into()),
        ("reservation.completed", reservation::ReservationCompleted { reservation_id }.into()),
    ]
}

/// Those that say how a reservation's payment ends; the others are those of an order.
pub(super) fn payments() -> Vec<(&'static str, payment::PaymentEvent)> {
    let (payment_id, subject, amount) = (booked_payment_id(), reservation_id().into(), won(200));
    let requested = payment::PaymentRequested {
        payment_id,
        subject,
        customer_id: customer_id(),
        shop_id: None,
        amount,
        timing: PaymentTiming::Deferred,
        method: None,
        due_at: at(300),
    };
    let captured =
        payment::PaymentCaptured { payment_id, subject, amount, attempt: 1, provider_ref: "ch_2".to_owned() };
    let refunded =
        |refund_id| payment::PaymentRefunded { subject, refund_id, amount, provider_ref: "re_2".to_owned() };
    let other = domain::RefundId::derived(payment_id.uuid(), "refund", "other");
    let decline_code = "no_funds".to_owned();
    vec![
        ("payment.requested, for a reservation", requested.into()),
        ("payment.captured, for a reservation", captured.into()),
        ("payment.declined, for a reservation", payment::PaymentDeclined { subject, decline_code }.into()),
        ("payment.voided, for a reservation", payment::PaymentVoided { subject }.into()),
        ("payment.expired, for a reservation", payment::PaymentExpired { subject }.into()),
        (
            "payment.refunded, for a reservation, in full",
            refunded(full_refund_of(booked_payment_id())).into(),
        ),
        ("payment.refunded, for a reservation, another", refunded(other).into()),
    ]
}

pub(super) fn vouchers() -> Vec<(&'static str, voucher::VoucherEvent)> {
    let (reservation_id, sending) = (reservation_id(), 1);
    vec![
        ("voucher.issued", voucher_issued().into()),
        ("voucher.send_requested", send_requested(1).into()),
        ("voucher.sent", voucher::VoucherSent { reservation_id, sending }.into()),
        ("voucher.deactivated", voucher_deactivated().into()),
    ]
}
