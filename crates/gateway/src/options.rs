//! What the `[gateway]` section of the configuration says, and the gateway that follows from it.

use std::{sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    Secret,
    guard::{BreakerOptions, Guarded, RetryOptions},
    http::{HttpGateway, HttpOptions, UrlError},
};

/// The longest time that can be set. Milliseconds. *Source*: ours; more than ten minutes is a typing error.
const MAX_MS: u64 = 600_000;
/// The most calls, in a window or at once, that can be set. *Source*: ours; more is a typing error.
const MAX_CALLS: usize = 100_000;

/// How the payment provider is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewayOptions {
    /// Where the provider is: `http(s)://host:port[/path]`. Empty: the sandbox inside the process.
    pub url: String,
    /// So long a call may take, from the connection to the last byte of the answer; and so long it may wait before for a
    /// place among `max_concurrent`. Milliseconds.
    ///
    /// *Source* of the default, 2000: a payment is expected to take 400-620 ms (SCENARIOS, payments). A deadline at the
    /// end of that range, as the originals' 610 ms, turns many good charges into unknown outcomes, and each of those
    /// costs look-ups and a customer who is told nothing: far more than the wait.
    pub deadline_ms: u64,
    /// So long it may take to connect. Milliseconds, at most `deadline_ms`: beyond it, it is certain that nothing was sent.
    pub connect_timeout_ms: u64,
    /// So many calls may be under way at once.
    ///
    /// *Source* of the default, 128: the originals' load, 100 users at once, has to pass without waiting.
    pub max_concurrent: usize,
    /// What the provider signs its callbacks with. Empty: callbacks are not taken.
    pub callback_secret: Secret,
    /// When no more calls are made for a while.
    pub breaker: BreakerOptions,
    /// How many calls are made again.
    pub retries: RetryOptions,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            url: String::new(),
            deadline_ms: 2000,
            connect_timeout_ms: 500,
            max_concurrent: 128,
            callback_secret: Secret::default(),
            breaker: BreakerOptions::default(),
            retries: RetryOptions::default(),
        }
    }
}

/// What is wrong with the options.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GatewayOptionsError {
    /// The URL.
    #[error("gateway.url: {0}")]
    Url(#[from] UrlError),
    /// A number that cannot be.
    #[error("gateway.{key} is {value}: give {least} to {most}")]
    OutOfRange {
        /// Its key.
        key: &'static str,
        /// What stands there.
        value: u64,
        /// What may stand there: at least.
        least: u64,
        /// At most.
        most: u64,
    },
    /// A share that cannot be.
    #[error("gateway.breaker.{key} is {value}: give a share above 0.0, up to 1.0")]
    Share {
        /// Its key.
        key: &'static str,
        /// What stands there.
        value: f64,
    },
    /// A ratio that cannot be.
    #[error("gateway.retries.ratio is {0}: give 0.0 to 1.0")]
    RetryRatio(f64),
    /// There is no URL to connect to.
    #[error("gateway.url is empty: the sandbox inside the process needs no connection")]
    NoUrl,
    /// The HTTP client could not be made.
    #[error("the HTTP client of the payment gateway cannot be made: {0}")]
    Client(String),
}

impl GatewayOptions {
    /// Whether the sandbox inside the process is meant.
    #[must_use]
    pub fn in_process(&self) -> bool {
        self.url.is_empty()
    }

    /// Whether all this can be.
    ///
    /// # Errors
    /// See [`GatewayOptionsError`]; the first that is wrong.
    pub fn check(&self) -> Result<(), GatewayOptionsError> {
        let breaker = &self.breaker;
        let calls = |key, value: usize, most: usize| range(key, value as u64, 1, most as u64);
        range("deadline_ms", self.deadline_ms, 1, MAX_MS)?;
        range("connect_timeout_ms", self.connect_timeout_ms, 1, self.deadline_ms)?;
        calls("max_concurrent", self.max_concurrent, MAX_CALLS)?;
        calls("breaker.window", breaker.window, MAX_CALLS)?;
        calls("breaker.minimum_calls", breaker.minimum_calls, breaker.window)?;
        range("breaker.slow_call_ms", breaker.slow_call_ms, 1, MAX_MS)?;
        range("breaker.open_ms", breaker.open_ms, 1, MAX_MS)?;
        calls("breaker.probes", breaker.probes, MAX_CALLS)?;
        share("failure_rate", breaker.failure_rate)?;
        share("slow_call_rate", breaker.slow_call_rate)?;
        let RetryOptions { ratio, per_second } = self.retries;
        range("retries.per_second", per_second.into(), 1, MAX_CALLS as u64)?;
        if !(0.0..=1.0).contains(&ratio) {
            return Err(GatewayOptionsError::RetryRatio(ratio));
        }
        if self.in_process() { Ok(()) } else { Ok(HttpOptions::from(self).check()?) }
    }
}

impl From<&GatewayOptions> for HttpOptions {
    fn from(options: &GatewayOptions) -> Self {
        Self {
            url: options.url.clone(),
            deadline: Duration::from_millis(options.deadline_ms),
            connect_timeout: Duration::from_millis(options.connect_timeout_ms),
        }
    }
}

fn range(key: &'static str, value: u64, least: u64, most: u64) -> Result<(), GatewayOptionsError> {
    if (least..=most).contains(&value) {
        Ok(())
    } else {
        Err(GatewayOptionsError::OutOfRange { key, value, least, most })
    }
}

fn share(key: &'static str, value: f64) -> Result<(), GatewayOptionsError> {
    if value > 0.0 && value <= 1.0 { Ok(()) } else { Err(GatewayOptionsError::Share { key, value }) }
}

/// The gateway over HTTP, behind bulkhead and circuit breaker. Reaches for nothing yet: a provider that is down now may
/// come later.
///
/// # Errors
/// See [`GatewayOptionsError`].
pub fn connect(options: &GatewayOptions) -> Result<Arc<Guarded<HttpGateway>>, GatewayOptionsError> {
    if options.in_process() {
        return Err(GatewayOptionsError::NoUrl);
    }
    options.check()?;
    let http = HttpGateway::new(options.into())?;
    let wait = Duration::from_millis(options.deadline_ms);
    let guarded = Guarded::new(http, options.breaker).with_retries(options.retries);
    Ok(Arc::new(guarded.with_bulkhead(options.max_concurrent, wait)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(change: impl FnOnce(&mut GatewayOptions)) -> String {
        let mut options = GatewayOptions::default();
        change(&mut options);
        options.check().unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_hold() {
        assert_eq!(GatewayOptions::default().check(), Ok(()));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_key_and_value() {
        assert_eq!(wrong(|o| o.deadline_ms = 0), "gateway.deadline_ms is 0: give 1 to 600000");
        assert_eq!(
            wrong(|o| o.connect_timeout_ms = 2001),
            "gateway.connect_timeout_ms is 2001: give 1 to 2000"
        );
        assert_eq!(wrong(|o| o.max_concurrent = 0), "gateway.max_concurrent is 0: give 1 to 100000");
        assert_eq!(
            wrong(|o| o.breaker.minimum_calls = 51),
            "gateway.breaker.minimum_calls is 51: give 1 to 50"
        );
        assert_eq!(wrong(|o| o.breaker.probes = 0), "gateway.breaker.probes is 0: give 1 to 100000");
        assert_eq!(wrong(|o| o.retries.per_second = 0), "gateway.retries.per_second is 0: give 1 to 100000");
        assert_eq!(wrong(|o| o.retries.ratio = 1.5), "gateway.retries.ratio is 1.5: give 0.0 to 1.0");
        assert!(wrong(|o| o.retries.ratio = f64::NAN).contains("NaN"));
        assert!(wrong(|o| o.breaker.failure_rate = 0.0).contains("gateway.breaker.failure_rate is 0"));
        assert!(wrong(|o| o.breaker.slow_call_rate = f64::NAN).contains("slow_call_rate is NaN"));
    }

    #[test]
    fn a_url_that_cannot_be_is_refused_and_a_password_in_it_is_not_repeated() {
        assert!(wrong(|o| o.url = "ftp://pay".to_owned()).contains("ftp"));
        assert!(wrong(|o| o.url = "pay.example:443".to_owned()).contains("gateway.url"));
        assert!(wrong(|o| o.url = "http://".to_owned()).contains("gateway.url"));
        assert!(wrong(|o| o.url = "http://h/?a=1".to_owned()).contains('?'));
        let secret = wrong(|o| o.url = "https://me:hunter2@pay.example".to_owned());
        assert!(secret.contains("credentials") && !secret.contains("hunter2"), "{secret}");
    }

    #[test]
    fn nothing_connects_without_a_url() {
        assert!(matches!(connect(&GatewayOptions::default()), Err(GatewayOptionsError::NoUrl)));
    }
}
