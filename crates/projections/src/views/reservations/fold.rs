//! From events to rows of `reservations`.

use domain::{
    Envelope, Event, Money, Subject,
    payment::PaymentEvent,
    reservation::{ReservationEvent, ReservationRequested},
    voucher::VoucherEvent,
};
use uuid::Uuid;

use super::{
    ReservationCancellation, ReservationInternal, ReservationPayment, ReservationRow, ReservationStatus,
    ReservationVoucher, Reservations,
};
use crate::{
    Key, Rows,
    views::{PaymentStatus, VoucherStatus, payment_standing::payment_after},
};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    match (&event.event, reservation_of(event)) {
        (Event::Reservation(ReservationEvent::ReservationRequested(_)), Some(id)) => {
            keys.push(Key::fresh(id))
        }
        (_, Some(id)) => keys.push(Key::of(id)),
        (_, None) => {}
    }
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Reservations>) {
    let Some(reservation) = reservation_of(event) else { return };
    if let Event::Reservation(ReservationEvent::ReservationRequested(requested)) = &event.event {
        return rows.insert(reservation, new_row(event, requested));
    }
    let Some(row) = rows.get(reservation) else { return };
    match &event.event {
        Event::Reservation(change) => {
            reservation_changed(row, change, event);
            row.version = event.version;
        }
        Event::Payment(change) => payment_changed(row, change),
        Event::Voucher(change) => voucher_changed(row, change),
        _ => {}
    }
    row.updated_at = event.metadata.recorded_at;
    row.position = event.position;
}

/// The row that the event changes. A payment event that names nothing may belong to an order: then there is no row.
fn reservation_of(event: &Envelope) -> Option<Uuid> {
    let named = |subject: &Subject| subject.reservation_id().map(|id| id.uuid());
    match &event.event {
        Event::Reservation(_) => Some(event.stream.id),
        Event::Voucher(change) => Some(match change {
            VoucherEvent::VoucherIssued(e) => e.reservation_id.uuid(),
            VoucherEvent::VoucherSendRequested(_) => return None,
            VoucherEvent::VoucherSent(e) => e.reservation_id.uuid(),
            VoucherEvent::VoucherDeactivated(e) => e.reservation_id.uuid(),
        }),
        Event::Payment(change) => match change {
            PaymentEvent::PaymentRequested(e) => named(&e.subject),
            PaymentEvent::PaymentCaptured(e) => named(&e.subject),
            PaymentEvent::PaymentDeclined(e) => named(&e.subject),
            PaymentEvent::PaymentVoidRequested(e) => named(&e.subject),
            PaymentEvent::PaymentVoided(e) => named(&e.subject),
            PaymentEvent::PaymentExpired(e) => named(&e.subject),
            PaymentEvent::LateCaptureFound(e) => named(&e.subject),
            PaymentEvent::PaymentRefunded(e) => named(&e.subject),
            PaymentEvent::CaptureStarted(_)
            | PaymentEvent::CaptureDeclined(_)
            | PaymentEvent::RefundStarted(_)
            | PaymentEvent::RefundFailed(_) => Some(event.metadata.correlation_id),
        },
        _ => None,
    }
}

fn new_row(event: &Envelope, requested: &ReservationRequested) -> ReservationRow {
    let nothing = Money::zero(requested.total.currency);
    ReservationRow {
        reservation_id: requested.reservation_id,
        resort_id: requested.resort_id,
        resort_name: requested.resort_name.clone(),
        manager_id: requested.manager_id.clone(),
        customer_id: requested.customer_id.clone(),
        check_in: requested.stay.check_in,
        check_out: requested.stay.check_out,
        nights: requested.stay.nights(),
        status: ReservationStatus::Requested,
        total: requested.total,
        payment: ReservationPayment {
            payment_id: requested.payment_id,
            status: PaymentStatus::Requested,
            due_at: Some(requested.payment_due_at),
            captured: nothing,
            refunded: nothing,
        },
        voucher: None,
        refusal: None,
        cancellation: None,
        cancellable_until: requested.cancellable_until,
        ends_at: requested.ends_at,
        placed_at: event.metadata.recorded_at,
        updated_at: event.metadata.recorded_at,
        version: event.version,
        position: event.position,
        internal: ReservationInternal {
            contact_id: requested.contact_id,
            cancellation_reason_id: None,
            open_refunds: Vec::new(),
        },
    }
}

fn reservation_changed(row: &mut ReservationRow, change: &ReservationEvent, event: &Envelope) {
    row.status = match change {
        ReservationEvent::ReservationRequested(_) => ReservationStatus::Requested,
        ReservationEvent::ReservationConfirmed(_) => ReservationStatus::AwaitingPayment,
        ReservationEvent::ReservationPaid(_) => ReservationStatus::Paid,
        ReservationEvent::ReservationCompleted(_) => ReservationStatus::Completed,
        ReservationEvent::ReservationRefused(refused) => {
            row.refusal = Some(refused.reason.into());
            nothing_is_due(&mut row.payment);
            ReservationStatus::Refused
        }
        ReservationEvent::ReservationCancellationRequested(asked) => {
            row.cancellation = Some(ReservationCancellation {
                by: asked.by.clone(),
                requested_at: event.metadata.recorded_at,
            });
            row.internal.cancellation_reason_id = asked.reason_id;
            ReservationStatus::Cancelling
        }
        ReservationEvent::ReservationCancelled(_) => {
            nothing_is_due(&mut row.payment);
            ReservationStatus::Cancelled
        }
        ReservationEvent::ReservationExpired(_) => {
            nothing_is_due(&mut row.payment);
            ReservationStatus::Expired
        }
    };
}

/// The reservation ended; a payment that was never asked for will not be.
fn nothing_is_due(payment: &mut ReservationPayment) {
    payment.due_at = None;
    if payment.status == PaymentStatus::Requested {
        payment.status = PaymentStatus::Voided;
    }
}

fn payment_changed(row: &mut ReservationRow, change: &PaymentEvent) {
    let ReservationRow { payment, internal, .. } = row;
    let (captured, refunded) = (&mut payment.captured, &mut payment.refunded);
    payment.status = payment_after(change, captured, refunded, &mut internal.open_refunds);
    match (change, payment.status) {
        (PaymentEvent::PaymentRequested(requested), _) => payment.due_at = Some(requested.due_at),
        (_, PaymentStatus::Requested | PaymentStatus::Capturing) => {}
        _ => payment.due_at = None,
    }
}

fn voucher_changed(row: &mut ReservationRow, change: &VoucherEvent) {
    match (change, &mut row.voucher) {
        (VoucherEvent::VoucherIssued(issued), voucher) => {
            *voucher = Some(ReservationVoucher {
                voucher_id: issued.voucher_id,
                status: VoucherStatus::Issued,
                code: Some(issued.code.clone()),
            });
        }
        (VoucherEvent::VoucherDeactivated(_), Some(voucher)) => voucher.status = VoucherStatus::Deactivated,
        // The cancellation overtook it: the voucher was never issued.
        (VoucherEvent::VoucherDeactivated(off), voucher) => {
            *voucher = Some(ReservationVoucher {
                voucher_id: off.voucher_id,
                status: VoucherStatus::Deactivated,
                code: None,
            });
        }
        (VoucherEvent::VoucherSent(_), Some(voucher)) => voucher.status = VoucherStatus::Sent,
        (VoucherEvent::VoucherSent(_) | VoucherEvent::VoucherSendRequested(_), _) => {}
    }
}
