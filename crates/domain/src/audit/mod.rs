//! The audit: reads a log from its beginning, event by event, and says where an invariant does not hold.
//!
//! It knows nothing of who decided what: every invariant is folded from the events alone, so a wrong decision, a wrong
//! process manager and a log that was tampered with all show. Every invariant is a file of its own with a stable name;
//! `docs/INVARIANTS.md` says in words what each of them means and who keeps it. Work that is under way at the end of the
//! log is no violation: it is counted as open.
//!
//! What is kept in memory is what is open: an order or a reservation that is over is forgotten, delivered orders some
//! thousands later. What stays are products, resorts, coupons and vouchers, a few words each.

mod check;
mod coupons;
mod goods;
mod log;
mod money;
mod over;
mod report;
mod stays;
#[cfg(test)]
mod tests;

pub use self::{
    log::next_status,
    report::{Checked, LISTED, OpenWork, Report, Violation},
};

use self::{
    check::{Check, Findings},
    over::{Lives, Over},
};
use crate::{Envelope, Position};

type Make = fn() -> Box<dyn Check>;

fn new<C: Check + Default + 'static>() -> Box<dyn Check> {
    Box::new(C::default())
}

/// Every invariant by its name, in the order in which they are reported.
const REGISTRY: &[(&str, Make)] = &[
    ("positions_gapless", new::<log::Positions>),
    ("stream_versions_gapless", new::<log::Versions>),
    ("command_id_once", new::<log::CommandIds>),
    ("event_id_unique", new::<log::EventIds>),
    ("correlated_with_subject", new::<log::Correlation>),
    ("statuses_follow_diagrams", new::<log::Diagrams>),
    ("money_balances", new::<money::Balances>),
    ("refund_never_exceeds_capture", new::<money::RefundLimit>),
    ("refund_matches_return", new::<money::RefundReturn>),
    ("captured_once", new::<money::CapturedOnce>),
    ("no_charge_without_order_or_reservation", new::<money::ChargedFor>),
    ("stock_never_oversold", new::<goods::Stock>),
    ("delivered_only_if_paid", new::<goods::DeliveredIfPaid>),
    ("one_delivery_per_order", new::<goods::OneDelivery>),
    ("returns_within_delivery", new::<goods::Returns>),
    ("coupon_only_for_completed", new::<coupons::Earned>),
    ("coupon_only_while_deserved", new::<coupons::Deserved>),
    ("coupon_used_once", new::<coupons::UsedOnce>),
    ("coupon_discount_matches_order", new::<coupons::Discount>),
    ("coupon_given_back", new::<coupons::GivenBack>),
    ("clawback_never_exceeds_discount", new::<coupons::Clawback>),
    ("night_given_once", new::<stays::Nights>),
    ("reservation_paid_only_if_captured", new::<stays::PaidIfCaptured>),
    ("voucher_only_for_paid", new::<stays::VoucherIfPaid>),
    ("voucher_deactivated_after_cancel", new::<stays::VoucherDeactivated>),
];

/// The names of all invariants, in the order in which they are reported.
#[must_use]
pub fn invariant_names() -> Vec<&'static str> {
    REGISTRY.iter().map(|(name, _)| *name).collect()
}

/// Checks every invariant over a log that is handed to it from its first event on.
pub struct Audit {
    checks: Vec<(Box<dyn Check>, Findings)>,
    lives: Lives,
    events: u64,
    position: Position,
}

impl Audit {
    /// An audit that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        let checks = REGISTRY.iter().map(|(name, make)| (make(), Findings::of(name))).collect();
        Self { checks, lives: Lives::default(), events: 0, position: 0 }
    }

    /// The next event of the log.
    pub fn observe(&mut self, event: &Envelope) {
        self.events += 1;
        self.position = event.position;
        let over = self.lives.ended_by(event);
        for (check, found) in &mut self.checks {
            check.observe(event, found);
            if let Some(over) = &over {
                check.forget(over, found);
            }
        }
    }

    /// How many violations there are so far.
    #[must_use]
    pub fn violated(&self) -> u64 {
        self.checks.iter().map(|(_, found)| found.violated()).sum()
    }

    /// The log is at its end.
    #[must_use]
    pub fn finish(mut self) -> Report {
        for over in self.lives.all_kept() {
            self.checks.iter_mut().for_each(|(check, found)| check.forget(&over, found));
        }
        let mut report = Report {
            events: self.events,
            position: self.position,
            invariants: Vec::new(),
            violations: Vec::new(),
            open: Vec::new(),
        };
        for (mut check, mut found) in self.checks {
            check.finish(&mut found);
            let (checked, violations, open) = found.into_parts();
            report.invariants.push(checked);
            report.violations.extend(violations);
            report.open.extend(open);
        }
        report
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Audit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Audit").field("events", &self.events).field("violated", &self.violated()).finish()
    }
}
