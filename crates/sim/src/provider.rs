//! The payment provider: one row for every key that was ever used, requests that come late, and answers that get lost.

use std::collections::BTreeMap;

use domain::Money;
use rand::{Rng, rngs::StdRng};

use crate::faults::{Fault, Faults};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Row {
    Charged { amount: i64 },
    Declined,
    Voided,
    Refunded { payment: String, amount: i64 },
    Failed,
}

/// What is asked of the provider.
#[derive(Clone, Debug)]
enum Request {
    Charge { key: String, amount: i64 },
    Void { key: String },
    Refund { key: String, charge: String, amount: i64 },
}

#[derive(Default)]
pub(crate) struct Provider {
    rows: BTreeMap<String, Row>,
    /// On their way, and nobody waits for them any more.
    late: Vec<Request>,
    /// What must never have been asked for.
    pub(crate) wrong: Vec<String>,
}

/// No answer: the same call is made again later.
#[derive(Debug)]
pub(crate) struct Silence;

/// How often a look-up or a void is not answered, where anything goes wrong at all.
const SILENT: f64 = 0.1;

impl Provider {
    /// The charge's reference, or none when it is declined.
    pub(crate) fn charge(
        &mut self,
        key: &str,
        amount: Money,
        faults: &mut Faults,
        rng: &mut StdRng,
    ) -> Result<Option<String>, Silence> {
        if faults.strikes(Fault::TimeoutNotCharged, rng) {
            if !matches!(self.rows.get(key), Some(Row::Charged { .. })) {
                faults.count(Fault::TimeoutNotCharged);
            }
            return Err(Silence);
        }
        let request = Request::Charge { key: key.to_owned(), amount: amount.amount_minor };
        self.arrives(request, faults, rng)?;
        let charged = matches!(self.rows[key], Row::Charged { .. });
        if faults.strikes(Fault::TimeoutCharged, rng) {
            if charged {
                faults.count(Fault::TimeoutCharged);
            }
            return Err(Silence);
        }
        Ok(charged.then(|| key.to_owned()))
    }

    /// What became of the charge under this key, if it is known: its reference, or none when it was declined or closed.
    pub(crate) fn look_up(
        &mut self,
        key: &str,
        faults: &Faults,
        rng: &mut StdRng,
    ) -> Result<Option<Option<String>>, Silence> {
        silent(faults, rng)?;
        let row = self.rows.get(key);
        Ok(row.map(|row| matches!(row, Row::Charged { .. }).then(|| key.to_owned())))
    }

    /// The charge's reference when money was taken before; none when the key is closed.
    pub(crate) fn void(
        &mut self,
        key: &str,
        faults: &mut Faults,
        rng: &mut StdRng,
    ) -> Result<Option<String>, Silence> {
        silent(faults, rng)?;
        self.arrives(Request::Void { key: key.to_owned() }, faults, rng)?;
        silent(faults, rng)?;
        Ok(matches!(self.rows[key], Row::Charged { .. }).then(|| key.to_owned()))
    }

    /// Whether the money was given back. A refund of more than is left of the charge is a mistake of ours.
    pub(crate) fn refund(
        &mut self,
        key: &str,
        charge: &str,
        amount: Money,
        faults: &mut Faults,
        rng: &mut StdRng,
    ) -> Result<bool, Silence> {
        silent(faults, rng)?;
        let (key, charge) = (key.to_owned(), charge.to_owned());
        let request = Request::Refund { key: key.clone(), charge, amount: amount.amount_minor };
        self.arrives(request, faults, rng)?;
        if faults.strikes(Fault::RefundAnswerLost, rng) {
            faults.count(Fault::RefundAnswerLost);
            return Err(Silence);
        }
        Ok(matches!(self.rows[&key], Row::Refunded { .. }))
    }

    /// A charge that was declined or closed was made after all. Not, if there is none, or it was made before.
    pub(crate) fn turn_up(&mut self, key: &str, amount: Money) -> bool {
        match self.rows.get_mut(key) {
            Some(row @ (Row::Declined | Row::Voided)) => {
                *row = Row::Charged { amount: amount.amount_minor };
                true
            }
            _ => false,
        }
    }

    /// One that was given up comes in after all. Tells whether there was any.
    pub(crate) fn late_one_arrives(&mut self, faults: &mut Faults, rng: &mut StdRng) -> Option<String> {
        if self.late.is_empty() {
            return None;
        }
        let request = self.late.swap_remove(rng.random_range(0..self.late.len()));
        faults.count(Fault::LateRequest);
        let said = format!("the provider gets a late request: {request:?}");
        self.take(request, faults, rng);
        Some(said)
    }

    fn arrives(&mut self, request: Request, faults: &mut Faults, rng: &mut StdRng) -> Result<(), Silence> {
        if faults.strikes(Fault::LateRequest, rng) {
            self.late.push(request);
            return Err(Silence);
        }
        self.take(request, faults, rng);
        Ok(())
    }

    /// A key is used once: whatever comes later under it finds the row.
    fn take(&mut self, request: Request, faults: &mut Faults, rng: &mut StdRng) {
        let (Request::Charge { key, .. } | Request::Void { key } | Request::Refund { key, .. }) = &request;
        if self.rows.contains_key(key) {
            return;
        }
        let (key, row) = match request {
            Request::Void { key } => (key, Row::Voided),
            Request::Charge { key, amount } => {
                // Also where nothing else goes wrong: a customer without money is no fault of the provider's.
                let declined = rng.random_bool(0.05) || faults.strikes(Fault::Decline, rng);
                if declined {
                    faults.count(Fault::Decline);
                }
                (key, if declined { Row::Declined } else { Row::Charged { amount } })
            }
            Request::Refund { key, charge, amount } => {
                let failed = faults.strikes(Fault::RefundFailed, rng);
                let left = self.left_of(&charge);
                if failed {
                    faults.count(Fault::RefundFailed);
                } else if amount > left {
                    self.wrong.push(format!("{amount} is given back of {left} left of {charge}"));
                }
                let payment = payment_of(&charge);
                (key, if failed { Row::Failed } else { Row::Refunded { payment, amount } })
            }
        };
        self.rows.insert(key, row);
    }

    fn left_of(&self, charge: &str) -> i64 {
        let Some(Row::Charged { amount: charged }) = self.rows.get(charge) else { return 0 };
        let payment_id = payment_of(charge);
        let refunds = self.rows.values().map(|row| match row {
            Row::Refunded { payment, amount } if *payment == payment_id => *amount,
            _ => 0,
        });
        charged - refunds.sum::<i64>()
    }

    /// What was taken and given back, by payment.
    pub(crate) fn money(&self) -> BTreeMap<String, (i64, i64)> {
        let mut money: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for (key, row) in &self.rows {
            let (payment, charged, refunded) = match row {
                Row::Charged { amount } => (payment_of(key), *amount, 0),
                Row::Refunded { payment, amount } => (payment.clone(), 0, *amount),
                Row::Declined | Row::Voided | Row::Failed => continue,
            };
            let sum = money.entry(payment).or_default();
            *sum = (sum.0 + charged, sum.1 + refunded);
        }
        money
    }
}

fn silent(faults: &Faults, rng: &mut StdRng) -> Result<(), Silence> {
    if !faults.calm && rng.random_bool(SILENT) { Err(Silence) } else { Ok(()) }
}

/// The payment of a key `payment_id:attempt`.
fn payment_of(key: &str) -> String {
    key.split(':').next().unwrap_or_default().to_owned()
}
