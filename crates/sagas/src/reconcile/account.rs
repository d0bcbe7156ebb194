//! One payment as both sides have it: no more of it than a comparison needs.

use domain::{Money, RefundId, payment::PaymentEvent};

use crate::ports::LedgerEntry;

/// Whether an entry of the books says that money moved.
pub(super) fn moved(entry: &LedgerEntry) -> bool {
    entry.charge_ref.is_some() && entry.code.is_none()
}

/// A payment.
pub(super) struct Account {
    pub(super) amount: Money,
    pub(super) stage: Stage,
    /// In the order of their numbers, from 1.
    pub(super) attempts: Vec<Attempt>,
    pub(super) refunds: Vec<Refund>,
    /// Charges in the books of attempts that the log does not know.
    pub(super) unknown_charges: Vec<LedgerEntry>,
    /// Refunds in the books of this payment's charges that the log does not know.
    pub(super) unknown_refunds: Vec<LedgerEntry>,
}

/// How far a payment is on the log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    Captured,
    Declined,
    Voided,
    Expired,
}

/// One attempt to charge.
pub(super) struct Attempt {
    pub(super) ours: OurCharge,
    pub(super) theirs: Theirs,
}

/// An attempt on the log.
pub(super) enum OurCharge {
    Started,
    Captured { provider_ref: Box<str> },
    Declined,
}

/// A refund: every attempt has a key of its own.
pub(super) struct Refund {
    pub(super) id: RefundId,
    pub(super) amount: Money,
    pub(super) charge_ref: Box<str>,
    pub(super) done: bool,
    /// In the order of their numbers, from 1.
    pub(super) attempts: Vec<RefundAttempt>,
}

/// One attempt to give money back.
pub(super) struct RefundAttempt {
    pub(super) failed: bool,
    pub(super) theirs: Theirs,
}

/// What the books hold under a key. What is as it should be is not kept in full, since that is nearly everything.
pub(super) enum Theirs {
    Unseen,
    /// Money moved exactly as the log has it.
    Same,
    /// No money moved.
    Nothing,
    /// Money moved, in another way than the log has it so far.
    Says(Box<LedgerEntry>),
}

impl Theirs {
    pub(super) fn moved(&self) -> bool {
        matches!(self, Self::Same | Self::Says(_))
    }
}

impl Account {
    pub(super) fn new(amount: Money) -> Self {
        Self {
            amount,
            stage: Stage::Open,
            attempts: Vec::new(),
            refunds: Vec::new(),
            unknown_charges: Vec::new(),
            unknown_refunds: Vec::new(),
        }
    }

    /// Takes in an event of the log; the refund that it starts, if it starts one.
    pub(super) fn observe(&mut self, event: &PaymentEvent) -> Option<RefundId> {
        match event {
            PaymentEvent::PaymentRequested(_) | PaymentEvent::PaymentVoidRequested(_) => {}
            PaymentEvent::CaptureStarted(e) => {
                let number = index(e.attempt).map_or(0, |index| index + 1);
                while self.attempts.len() < number {
                    self.attempts.push(Attempt { ours: OurCharge::Started, theirs: Theirs::Unseen });
                }
            }
            PaymentEvent::PaymentCaptured(e) => self.captured(e.attempt, &e.provider_ref),
            PaymentEvent::LateCaptureFound(e) => self.captured(e.attempt, &e.provider_ref),
            PaymentEvent::CaptureDeclined(e) => {
                if let Some(attempt) = index(e.attempt).and_then(|index| self.attempts.get_mut(index)) {
                    attempt.ours = OurCharge::Declined;
                }
            }
            PaymentEvent::PaymentDeclined(_) => {
                self.stage = Stage::Declined;
                if let Some(attempt) = self.attempts.last_mut() {
                    attempt.ours = OurCharge::Declined;
                }
            }
            PaymentEvent::PaymentVoided(_) => self.stage = Stage::Voided,
            PaymentEvent::PaymentExpired(_) => self.stage = Stage::Expired,
            PaymentEvent::RefundStarted(e) => {
                let attempt = RefundAttempt { failed: false, theirs: Theirs::Unseen };
                match self.refunds.iter_mut().find(|refund| refund.id == e.refund_id) {
                    Some(refund) => refund.attempts.push(attempt),
                    None => self.refunds.push(Refund {
                        id: e.refund_id,
                        amount: e.amount,
                        charge_ref: e.charge_ref.as_str().into(),
                        done: false,
                        attempts: vec![attempt],
                    }),
                }
                return Some(e.refund_id);
            }
            PaymentEvent::PaymentRefunded(e) => {
                if let Some(refund) = self.refunds.iter_mut().find(|refund| refund.id == e.refund_id) {
                    refund.done = true;
                }
            }
            PaymentEvent::RefundFailed(e) => {
                let refund = self.refunds.iter_mut().find(|refund| refund.id == e.refund_id);
                let attempt =
                    refund.zip(index(e.attempt)).and_then(|(refund, at)| refund.attempts.get_mut(at));
                if let Some(attempt) = attempt {
                    attempt.failed = true;
                }
            }
        }
        None
    }

    fn captured(&mut self, attempt: u32, provider_ref: &str) {
        self.stage = Stage::Captured;
        // Attempt 0: there was nothing to charge, and the provider was not asked.
        if let Some(attempt) = index(attempt).and_then(|index| self.attempts.get_mut(index)) {
            attempt.ours = OurCharge::Captured { provider_ref: provider_ref.into() };
        }
    }

    /// Takes in what the books hold under the key of an attempt; gives it back if the log does not know that attempt.
    pub(super) fn charged(&mut self, number: u32, entry: LedgerEntry) -> Result<(), LedgerEntry> {
        let amount = self.amount;
        let Some(attempt) = index(number).and_then(|index| self.attempts.get_mut(index)) else {
            return Err(entry);
        };
        let same = match &attempt.ours {
            OurCharge::Captured { provider_ref } => is(&entry, amount, provider_ref),
            OurCharge::Started | OurCharge::Declined => false,
        };
        attempt.theirs = theirs(entry, same);
        Ok(())
    }

    /// The same for an attempt to give money back.
    pub(super) fn refunded(
        &mut self,
        id: RefundId,
        number: u32,
        entry: LedgerEntry,
    ) -> Result<(), LedgerEntry> {
        let Some(refund) = self.refunds.iter_mut().find(|refund| refund.id == id) else { return Err(entry) };
        let same = is(&entry, refund.amount, &refund.charge_ref);
        let Some(attempt) = index(number).and_then(|index| refund.attempts.get_mut(index)) else {
            return Err(entry);
        };
        attempt.theirs = theirs(entry, same);
        Ok(())
    }

    /// Whether one of the payment's charges has this name.
    pub(super) fn has_charge(&self, name: &str) -> bool {
        let of = |attempt: &Attempt| {
            let on_log =
                matches!(&attempt.ours, OurCharge::Captured { provider_ref } if **provider_ref == *name);
            let in_books =
                matches!(&attempt.theirs, Theirs::Says(entry) if entry.charge_ref.as_deref() == Some(name));
            on_log || in_books
        };
        self.attempts.iter().any(of)
            || self.unknown_charges.iter().any(|entry| entry.charge_ref.as_deref() == Some(name))
    }
}

fn theirs(entry: LedgerEntry, same: bool) -> Theirs {
    match (moved(&entry), same) {
        (false, _) => Theirs::Nothing,
        (true, true) => Theirs::Same,
        (true, false) => Theirs::Says(Box::new(entry)),
    }
}

fn is(entry: &LedgerEntry, amount: Money, charge_ref: &str) -> bool {
    entry.amount_minor == amount.amount_minor
        && entry.currency == amount.currency.code()
        && entry.charge_ref.as_deref() == Some(charge_ref)
}

/// Where the attempt with a number stands.
fn index(number: u32) -> Option<usize> {
    usize::try_from(number).ok()?.checked_sub(1)
}
