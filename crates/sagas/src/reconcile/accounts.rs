//! All payments as both sides have them, and whose an entry of the books is.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use domain::{Envelope, Event, PaymentId, RefundId, payment::PaymentEvent};

use super::account::{Account, moved};
use crate::{
    payments::{charge_key, refund_key},
    ports::{LedgerEntry, LedgerKind},
};

/// A key of ours.
#[derive(Clone, Copy)]
pub(super) enum Key {
    Charge(PaymentId, u32),
    Refund(RefundId, u32),
}

impl Key {
    /// The key of an entry, if it has the shape of ours.
    pub(super) fn of(entry: &LedgerEntry) -> Option<Self> {
        let (id, number) = entry.key.split_once(':')?;
        let number = number.parse().ok()?;
        let (key, written) = match entry.kind {
            LedgerKind::Charge | LedgerKind::Void => {
                let id = id.parse().ok()?;
                (Self::Charge(id, number), charge_key(id, number))
            }
            LedgerKind::Refund => {
                let id = id.parse().ok()?;
                (Self::Refund(id, number), refund_key(id, number))
            }
        };
        // Ours is written in one way only.
        (number > 0 && written == entry.key).then_some(key)
    }
}

/// All payments.
#[derive(Default)]
pub(super) struct Accounts {
    payments: HashMap<PaymentId, Account>,
    refunds: HashMap<RefundId, PaymentId>,
    /// Whose a charge in the books is, by a hash of its name: the names themselves are most of what there is to keep. Who
    /// looks a charge up here asks the account whether it is really its own.
    charges: HashMap<u64, PaymentId>,
    hasher: RandomState,
}

impl Accounts {
    pub(super) fn len(&self) -> usize {
        self.payments.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PaymentId, &Account)> {
        self.payments.iter().map(|(id, account)| (*id, account))
    }

    /// Takes in an event of the log.
    pub(super) fn observe(&mut self, event: &Envelope) {
        let Event::Payment(of_payment) = &event.event else { return };
        let id = PaymentId::from_uuid(event.stream.id);
        if let PaymentEvent::PaymentRequested(e) = of_payment {
            self.payments.insert(id, Account::new(e.amount));
            return;
        }
        let Some(account) = self.payments.get_mut(&id) else { return };
        if let Some(refund_id) = account.observe(of_payment) {
            self.refunds.insert(refund_id, id);
        }
    }

    /// Puts an entry of the books where it belongs; gives it back if the log does not know of it (yet).
    pub(super) fn place(&mut self, key: Key, entry: LedgerEntry) -> Result<(), LedgerEntry> {
        match key {
            Key::Charge(id, number) => {
                let name = entry.charge_ref.as_ref().filter(|_| moved(&entry));
                let name = name.map(|name| self.hasher.hash_one(name));
                let Some(account) = self.payments.get_mut(&id) else { return Err(entry) };
                account.charged(number, entry)?;
                if let Some(name) = name {
                    self.charges.insert(name, id);
                }
            }
            Key::Refund(id, number) => {
                let account = self.refunds.get(&id).and_then(|payment| self.payments.get_mut(payment));
                let Some(account) = account else { return Err(entry) };
                account.refunded(id, number, entry)?;
            }
        }
        Ok(())
    }

    /// Gives an entry that moved money, and of which the log knows nothing, to the payment that it is about; gives it back
    /// if there is none.
    pub(super) fn adopt(&mut self, key: Option<Key>, entry: LedgerEntry) -> Result<(), LedgerEntry> {
        if let Some(Key::Charge(id, _)) = key {
            let Some(account) = self.payments.get_mut(&id) else { return Err(entry) };
            if let Some(name) = &entry.charge_ref {
                self.charges.insert(self.hasher.hash_one(name), id);
            }
            account.unknown_charges.push(entry);
            return Ok(());
        }
        let owner = entry.charge_ref.as_ref().and_then(|name| self.charges.get(&self.hasher.hash_one(name)));
        let account = owner.and_then(|id| self.payments.get_mut(id));
        match account.filter(|account| entry.charge_ref.as_ref().is_some_and(|name| account.has_charge(name)))
        {
            Some(account) => account.unknown_refunds.push(entry),
            None => return Err(entry),
        }
        Ok(())
    }
}
