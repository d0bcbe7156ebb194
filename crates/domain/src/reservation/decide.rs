//! What a reservation answers to each command in each state.

use chrono::{Days, Duration, NaiveDate};

use super::{
    Reservation, ReservationCancellationRequested, ReservationCancelled, ReservationCommand,
    ReservationCompleted, ReservationConfirmed, ReservationDetails, ReservationError, ReservationEvent,
    ReservationExpired, ReservationPaid, ReservationRefused, ReservationRequested, payment_of, state::status,
    voucher_of,
};
use crate::{
    Actor, ContactId, Decision, Quantity, Stay, TimeZone, Timestamp, already_applied, executed,
    resort::ResortPolicy,
};

type Answer = Decision<ReservationEvent, ReservationError>;

pub(super) fn decide(reservation: &Reservation, command: &ReservationCommand) -> Answer {
    use Reservation::{
        Absent, AwaitingPayment, Cancelled, Cancelling, Completed, Expired, Paid, Refused, Requested,
    };
    use ReservationCommand::{
        CompleteReservation, ConfirmReservation, ExpireReservation, FinishCancellation, RecordPaid,
        RefuseReservation, RequestCancellation, RequestReservation,
    };
    match (reservation, command) {
        (Absent, RequestReservation { .. }) => request(command),
        (
            Requested(_)
            | AwaitingPayment(_)
            | Paid(_)
            | Cancelling { .. }
            | Cancelled(_)
            | Expired(_)
            | Refused { .. }
            | Completed(_),
            RequestReservation { .. },
        ) => already_applied(),

        (Requested(r), ConfirmReservation) => {
            executed(ReservationConfirmed { reservation_id: r.reservation_id })
        }
        (AwaitingPayment(_) | Paid(_) | Completed(_), ConfirmReservation) => already_applied(),

        (Requested(r), RefuseReservation { reason }) => {
            executed(ReservationRefused { reservation_id: r.reservation_id, reason: *reason })
        }
        (Refused { .. }, RefuseReservation { .. }) => already_applied(),

        (AwaitingPayment(r), RecordPaid) => executed(paid(r)),
        (Paid(_) | Completed(_), RecordPaid) => already_applied(),

        (Requested(r) | AwaitingPayment(r), RequestCancellation { by, reason_id, .. }) => {
            executed(cancellation(r, by, *reason_id, false))
        }
        (Paid(r), RequestCancellation { at, .. }) if *at >= r.cancellable_until => {
            Err(ReservationError::TooLateToCancel { until: r.cancellable_until })
        }
        (Paid(r), RequestCancellation { by, reason_id, .. }) => {
            executed(cancellation(r, by, *reason_id, true))
        }
        (Cancelling { .. } | Cancelled(_), RequestCancellation { .. }) => already_applied(),

        (Cancelling { reservation, .. }, FinishCancellation) => {
            executed(ReservationCancelled { reservation_id: reservation.reservation_id })
        }
        (Cancelled(_), FinishCancellation) => already_applied(),

        (AwaitingPayment(r), ExpireReservation) => {
            executed(ReservationExpired { reservation_id: r.reservation_id })
        }
        (Expired(_), ExpireReservation) => already_applied(),

        (Paid(r), CompleteReservation { at }) if *at < r.ends_at => {
            Err(ReservationError::NotOver { ends_at: r.ends_at })
        }
        (Paid(r), CompleteReservation { .. }) => {
            executed(ReservationCompleted { reservation_id: r.reservation_id })
        }
        (Completed(_), CompleteReservation { .. }) => already_applied(),

        (Absent, _) => Err(ReservationError::NotFound),
        (state, command) => {
            Err(ReservationError::IllegalTransition { state: status(state), command: verb(command) })
        }
    }
}

fn request(command: &ReservationCommand) -> Answer {
    let ReservationCommand::RequestReservation {
        reservation_id,
        resort_id,
        resort_name,
        manager_id,
        customer_id,
        stay,
        nightly_price,
        expected_total,
        time_zone,
        policy,
        contact_id,
        at,
    } = command
    else {
        return Err(ReservationError::NotFound);
    };
    let total = nightly_price.times(Quantity::try_from(i64::from(stay.nights()))?)?;
    if let Some(expected) = expected_total.filter(|expected| *expected != total) {
        return Err(ReservationError::PriceChanged { expected, total });
    }
    executed(ReservationRequested {
        reservation_id: *reservation_id,
        resort_id: *resort_id,
        resort_name: resort_name.clone(),
        manager_id: manager_id.clone(),
        customer_id: customer_id.clone(),
        stay: *stay,
        total,
        policy: policy.clone(),
        contact_id: *contact_id,
        payment_id: payment_of(*reservation_id),
        payment_due_at: payment_due_at(policy, *time_zone, *stay, *at),
        voucher_id: voucher_of(*reservation_id),
        cancellable_until: time_zone
            .start_of(days_before(stay.check_in, u64::from(policy.cancel_days_before))),
        ends_at: time_zone.start_of(stay.check_out),
    })
}

/// The policy's time from now, but no later than the beginning of the first day: nobody sleeps on an unpaid night. A
/// reservation that is made on that day itself could never be paid so: it has until the stay is over at most.
fn payment_due_at(policy: &ResortPolicy, time_zone: TimeZone, stay: Stay, at: Timestamp) -> Timestamp {
    let by_policy = at + Duration::seconds(i64::from(policy.pay_within_secs));
    let first_day = time_zone.start_of(stay.check_in);
    by_policy.min(if first_day > at { first_day } else { time_zone.start_of(stay.check_out) })
}

fn days_before(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_sub_days(Days::new(days)).unwrap_or(NaiveDate::MIN)
}

fn paid(reservation: &ReservationDetails) -> ReservationPaid {
    ReservationPaid {
        reservation_id: reservation.reservation_id,
        resort_id: reservation.resort_id,
        manager_id: reservation.manager_id.clone(),
        customer_id: reservation.customer_id.clone(),
        voucher_id: reservation.voucher_id,
    }
}

fn cancellation(
    reservation: &ReservationDetails,
    by: &Actor,
    reason_id: Option<ContactId>,
    was_paid: bool,
) -> ReservationCancellationRequested {
    ReservationCancellationRequested {
        reservation_id: reservation.reservation_id,
        by: by.clone(),
        reason_id,
        was_paid,
        customer_id: reservation.customer_id.clone(),
        manager_id: reservation.manager_id.clone(),
        resort_id: reservation.resort_id,
        payment_id: reservation.payment_id,
        voucher_id: reservation.voucher_id,
    }
}

fn verb(command: &ReservationCommand) -> &'static str {
    match command {
        ReservationCommand::RequestReservation { .. } => "be requested",
        ReservationCommand::ConfirmReservation => "be confirmed",
        ReservationCommand::RefuseReservation { .. } => "be refused",
        ReservationCommand::RecordPaid => "be paid",
        ReservationCommand::RequestCancellation { .. } => "be cancelled",
        ReservationCommand::FinishCancellation => "end its cancellation",
        ReservationCommand::ExpireReservation => "expire",
        ReservationCommand::CompleteReservation { .. } => "be completed",
    }
}
