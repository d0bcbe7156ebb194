//! From events to rows of `vouchers`.

use domain::{
    Envelope, Event,
    voucher::{VoucherDeactivated, VoucherEvent, VoucherIssued},
};

use super::{VoucherRow, VoucherStatus, Vouchers};
use crate::{Key, Rows};

pub(super) fn keys(event: &Envelope, keys: &mut Vec<Key>) {
    if let Event::Voucher(_) = &event.event {
        let first = event.version == 1;
        keys.push(if first { Key::fresh(event.stream.id) } else { Key::of(event.stream.id) });
    }
}

pub(super) fn apply(event: &Envelope, rows: &mut Rows<'_, Vouchers>) {
    let Event::Voucher(change) = &event.event else { return };
    let voucher = event.stream.id;
    match change {
        VoucherEvent::VoucherIssued(issued) => return rows.insert(voucher, new_row(event, issued)),
        VoucherEvent::VoucherDeactivated(off) if rows.peek(voucher).is_none() => {
            return rows.insert(voucher, never_issued(event, off));
        }
        _ => {}
    }
    let Some(row) = rows.get(voucher) else { return };
    match change {
        VoucherEvent::VoucherIssued(_) => {}
        VoucherEvent::VoucherSendRequested(asked) => row.sendings = asked.sending,
        VoucherEvent::VoucherSent(_) => {
            row.status = VoucherStatus::Sent;
            row.sent_at = Some(event.metadata.recorded_at);
        }
        VoucherEvent::VoucherDeactivated(_) => row.status = VoucherStatus::Deactivated,
    }
    row.updated_at = event.metadata.recorded_at;
    row.version = event.version;
    row.position = event.position;
}

fn new_row(event: &Envelope, issued: &VoucherIssued) -> VoucherRow {
    VoucherRow {
        voucher_id: issued.voucher_id,
        reservation_id: issued.reservation_id,
        resort_id: Some(issued.resort_id),
        customer_id: issued.customer_id.clone(),
        manager_id: issued.manager_id.clone(),
        status: VoucherStatus::Issued,
        code: Some(issued.code.clone()),
        sendings: 0,
        sent_at: None,
        issued_at: Some(event.metadata.recorded_at),
        updated_at: event.metadata.recorded_at,
        version: event.version,
        position: event.position,
    }
}

/// A cancellation that overtook the voucher.
fn never_issued(event: &Envelope, off: &VoucherDeactivated) -> VoucherRow {
    VoucherRow {
        voucher_id: off.voucher_id,
        reservation_id: off.reservation_id,
        resort_id: None,
        customer_id: off.customer_id.clone(),
        manager_id: off.manager_id.clone(),
        status: VoucherStatus::Deactivated,
        code: None,
        sendings: 0,
        sent_at: None,
        issued_at: None,
        updated_at: event.metadata.recorded_at,
        version: event.version,
        position: event.position,
    }
}
