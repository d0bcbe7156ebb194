//! The payment provider: one row for every key that was ever used, and answers that get lost on the way.

use std::collections::BTreeMap;

use domain::Money;
use rand::{Rng, rngs::StdRng};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Row {
    Charged { amount: i64 },
    Declined,
    Voided,
    Refunded { payment: String, amount: i64 },
    Failed,
}

#[derive(Default)]
pub struct Provider {
    rows: BTreeMap<String, Row>,
    /// From here on every answer arrives, and no refund fails.
    pub calm: bool,
}

/// No answer: the same call is made again later.
pub struct Silence;

impl Provider {
    /// The charge's reference, or none when it is declined.
    pub fn charge(&mut self, key: &str, amount: Money, rng: &mut StdRng) -> Result<Option<String>, Silence> {
        self.silent(rng, 0.1)?;
        let outcome =
            if rng.random_bool(0.8) { Row::Charged { amount: amount.amount_minor } } else { Row::Declined };
        let row = self.rows.entry(key.to_owned()).or_insert(outcome).clone();
        self.silent(rng, 0.15)?;
        Ok(matches!(row, Row::Charged { .. }).then(|| key.to_owned()))
    }

    /// What became of the charge under this key, if it is known: its reference, or none when it was declined or closed.
    pub fn look_up(&mut self, key: &str, rng: &mut StdRng) -> Result<Option<Option<String>>, Silence> {
        self.silent(rng, 0.1)?;
        let row = self.rows.get(key);
        Ok(row.map(|row| matches!(row, Row::Charged { .. }).then(|| key.to_owned())))
    }

    /// The charge's reference when money was taken before; none when the key is closed.
    pub fn void(&mut self, key: &str, rng: &mut StdRng) -> Result<Option<String>, Silence> {
        self.silent(rng, 0.1)?;
        let row = self.rows.entry(key.to_owned()).or_insert(Row::Voided).clone();
        self.silent(rng, 0.1)?;
        Ok(matches!(row, Row::Charged { .. }).then(|| key.to_owned()))
    }

    /// A charge that was declined or closed was made after all. Not, if there is none, or it was made before.
    pub fn turn_up(&mut self, key: &str, amount: Money) -> bool {
        match self.rows.get_mut(key) {
            Some(row @ (Row::Declined | Row::Voided)) => {
                *row = Row::Charged { amount: amount.amount_minor };
                true
            }
            _ => false,
        }
    }

    /// Whether the money was given back. A refund of more than is left of the charge is a mistake of ours.
    pub fn refund(
        &mut self,
        key: &str,
        charge: &str,
        amount: Money,
        rng: &mut StdRng,
    ) -> Result<bool, Silence> {
        self.silent(rng, 0.1)?;
        if !self.rows.contains_key(key) {
            let row = if !self.calm && rng.random_bool(0.3) {
                Row::Failed
            } else {
                let left = self.left_of(charge);
                assert!(
                    amount.amount_minor <= left,
                    "{} is given back of {left} left of {charge}",
                    amount.amount_minor
                );
                Row::Refunded { payment: payment_of(charge), amount: amount.amount_minor }
            };
            self.rows.insert(key.to_owned(), row);
        }
        self.silent(rng, 0.15)?;
        Ok(matches!(self.rows[key], Row::Refunded { .. }))
    }

    fn silent(&self, rng: &mut StdRng, probability: f64) -> Result<(), Silence> {
        if !self.calm && rng.random_bool(probability) { Err(Silence) } else { Ok(()) }
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
    pub fn money(&self) -> BTreeMap<String, (i64, i64)> {
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

/// The payment of a key `payment_id:attempt`.
fn payment_of(key: &str) -> String {
    key.split(':').next().unwrap_or_default().to_owned()
}
