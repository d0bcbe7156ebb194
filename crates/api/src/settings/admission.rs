//! What is taken on at once: the section `[admission]`.

use std::{ops::RangeInclusive, time::Duration};

use serde::{Deserialize, Serialize};

use super::Settings;

/// What a bound may be. *Source*: ours; nothing could be done with none, and more is a typing error.
const PLACES: RangeInclusive<u64> = 1..=1_000_000;
/// What a wait may be. Milliseconds. *Source*: ours; more than ten minutes is a typing error.
const WAIT_MS: RangeInclusive<u64> = 1..=600_000;
/// Beyond the places at the provider: so large a part of them, and at least so many, may wait for it. Enough that the
/// provider never idles while answers are written down, and little enough that nobody waits long. *Source*: ours.
const MORE: (usize, usize) = (8, 4);

/// What is taken on at once. Each field is explained in `config/orderstream.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admission {
    /// Most connections.
    pub connections: usize,
    /// How long a connection may take until the header of its first or next request is there. Milliseconds.
    pub header_wait_ms: u64,
    /// How long a body may take. Milliseconds.
    pub body_wait_ms: u64,
    /// Most requests under way that change something.
    pub commands: usize,
    /// Most requests under way that read.
    pub reads: usize,
    /// Most streams.
    pub streams: usize,
    /// Most requests under way of operators and of those who watch over the process.
    pub operators: usize,
    /// Most orders and payments that wait for the payment provider; 0: see [`Settings::waiting_for_payment`].
    pub waiting_for_payment: usize,
    /// Most principals whose rates are remembered.
    pub principals: usize,
    /// How often each customer may ask.
    pub customers: Rates,
    /// How often each of all others may ask.
    pub staff: Rates,
}

/// How often somebody may ask. 0 a second: without limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Requests a second that change something.
    pub commands_per_second: u32,
    /// So many of them at once after a pause.
    pub commands_burst: u32,
    /// Requests a second that read.
    pub reads_per_second: u32,
    /// So many of them at once after a pause.
    pub reads_burst: u32,
}

/// A number that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("admission.{key} is {value}: give {least} to {most}")]
pub struct AdmissionError {
    /// Its key.
    pub key: String,
    /// What stands there.
    pub value: u64,
    /// What may stand there: at least.
    pub least: u64,
    /// At most.
    pub most: u64,
}

impl Admission {
    /// See [`Admission::header_wait_ms`].
    #[must_use]
    pub fn header_wait(&self) -> Duration {
        Duration::from_millis(self.header_wait_ms)
    }

    /// See [`Admission::body_wait_ms`].
    #[must_use]
    pub fn body_wait(&self) -> Duration {
        Duration::from_millis(self.body_wait_ms)
    }

    /// Whether all this can be.
    ///
    /// # Errors
    /// The first number that cannot.
    pub fn check(&self) -> Result<(), AdmissionError> {
        let or_none = 0..=*PLACES.end();
        for (key, value, within) in [
            ("connections", self.connections as u64, &PLACES),
            ("header_wait_ms", self.header_wait_ms, &WAIT_MS),
            ("body_wait_ms", self.body_wait_ms, &WAIT_MS),
            ("commands", self.commands as u64, &PLACES),
            ("reads", self.reads as u64, &PLACES),
            ("streams", self.streams as u64, &PLACES),
            ("operators", self.operators as u64, &PLACES),
            ("waiting_for_payment", self.waiting_for_payment as u64, &or_none),
            ("principals", self.principals as u64, &PLACES),
        ] {
            in_range(key.to_owned(), value, within)?;
        }
        for (whose, rates) in [("customers", self.customers), ("staff", self.staff)] {
            for (key, value, within) in [
                ("commands_per_second", rates.commands_per_second, &or_none),
                ("commands_burst", rates.commands_burst, &PLACES),
                ("reads_per_second", rates.reads_per_second, &or_none),
                ("reads_burst", rates.reads_burst, &PLACES),
            ] {
                in_range(format!("{whose}.{key}"), value.into(), within)?;
            }
        }
        Ok(())
    }
}

impl Settings {
    /// How many orders and payments may wait for the payment provider at once. Unless said, a few more than it takes;
    /// the sandbox inside the process takes any number.
    #[must_use]
    pub fn waiting_for_payment(&self) -> usize {
        let (part, at_least) = MORE;
        match self.admission.waiting_for_payment {
            0 if self.gateway.in_process() => self.admission.commands,
            0 => self.gateway.max_concurrent + (self.gateway.max_concurrent / part).max(at_least),
            said => said,
        }
    }
}

fn in_range(key: String, value: u64, within: &RangeInclusive<u64>) -> Result<(), AdmissionError> {
    if within.contains(&value) {
        return Ok(());
    }
    Err(AdmissionError { key, value, least: *within.start(), most: *within.end() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(change: impl FnOnce(&mut Admission)) -> String {
        let mut settings = Settings::default().admission;
        change(&mut settings);
        settings.check().unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_key_value_and_range() {
        assert_eq!(Settings::default().admission.check(), Ok(()));
        assert_eq!(wrong(|it| it.commands = 0), "admission.commands is 0: give 1 to 1000000");
        assert_eq!(
            wrong(|it| it.body_wait_ms = 600_001),
            "admission.body_wait_ms is 600001: give 1 to 600000"
        );
        assert_eq!(
            wrong(|it| it.waiting_for_payment = 1_000_001),
            "admission.waiting_for_payment is 1000001: give 0 to 1000000"
        );
        assert_eq!(
            wrong(|it| it.staff.reads_burst = 0),
            "admission.staff.reads_burst is 0: give 1 to 1000000"
        );
    }

    #[test]
    fn a_few_more_wait_for_the_provider_than_it_takes() {
        let mut settings = Settings::default();
        assert_eq!(settings.waiting_for_payment(), settings.admission.commands);
        settings.gateway.url = "http://127.0.0.1:1".to_owned();
        assert_eq!(settings.waiting_for_payment(), 144);
        settings.gateway.max_concurrent = 8;
        assert_eq!(settings.waiting_for_payment(), 12);
        settings.admission.waiting_for_payment = 3;
        assert_eq!(settings.waiting_for_payment(), 3);
    }
}
