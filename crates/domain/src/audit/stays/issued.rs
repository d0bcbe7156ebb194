//! `voucher_only_for_paid`: a voucher is issued only for a reservation that is paid, once, and it is the reservation's.

use std::collections::HashMap;

use crate::{
    Envelope, Event, Position, ReservationId, VoucherId,
    audit::check::{Check, Findings},
    reservation::ReservationEvent,
    voucher::VoucherEvent,
};

#[derive(Default)]
pub(in crate::audit) struct VoucherIfPaid {
    /// Paid, and without a voucher.
    owed: HashMap<ReservationId, (VoucherId, Position)>,
}

impl Check for VoucherIfPaid {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        match &event.event {
            Event::Reservation(ReservationEvent::ReservationPaid(e)) => {
                self.owed.insert(e.reservation_id, (e.voucher_id, event.position));
            }
            Event::Voucher(VoucherEvent::VoucherIssued(e)) => {
                let owed = self.owed.remove(&e.reservation_id).map(|(voucher, _)| voucher);
                found.ensure(event, owed == Some(e.voucher_id), || {
                    format!("issued for reservation {}, which is owed {owed:?}", e.reservation_id)
                });
            }
            Event::Voucher(VoucherEvent::VoucherDeactivated(e)) => {
                self.owed.remove(&e.reservation_id);
            }
            _ => {}
        }
    }

    fn finish(&mut self, found: &mut Findings) {
        for (reservation, (_, since)) in &self.owed {
            found.leave_open(reservation, *since, "paid, and its voucher is not issued");
        }
    }
}
