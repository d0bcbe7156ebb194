//! `voucher_deactivated_after_cancel`: when a paid reservation is cancelled its voucher is deactivated, and never
//! otherwise; from then on it is not sent.

use std::collections::{HashMap, HashSet};

use crate::{
    Envelope, Event, Position, ReservationId,
    audit::check::{Check, Findings},
    reservation::ReservationEvent,
    voucher::VoucherEvent,
};

#[derive(Default)]
pub(in crate::audit) struct VoucherDeactivated {
    /// Being cancelled or cancelled, and the voucher is still good.
    good: HashMap<ReservationId, Position>,
    deactivated: HashSet<ReservationId>,
}

impl Check for VoucherDeactivated {
    fn observe(&mut self, event: &Envelope, found: &mut Findings) {
        match &event.event {
            Event::Reservation(ReservationEvent::ReservationCancellationRequested(e)) if e.was_paid => {
                self.good.insert(e.reservation_id, event.position);
            }
            Event::Voucher(VoucherEvent::VoucherDeactivated(e)) => {
                let cancelled = self.good.remove(&e.reservation_id).is_some();
                self.deactivated.insert(e.reservation_id);
                found.ensure(event, cancelled, || {
                    format!("deactivated, but reservation {} is not cancelled", e.reservation_id)
                });
            }
            Event::Voucher(VoucherEvent::VoucherSendRequested(e)) => {
                let good = !self.deactivated.contains(&e.reservation_id);
                found.ensure(event, good, || "to be sent, but it is deactivated".to_owned());
            }
            _ => {}
        }
    }

    fn finish(&mut self, found: &mut Findings) {
        for (reservation, since) in &self.good {
            found.leave_open(reservation, *since, "cancelled, and its voucher is still good");
        }
    }
}
