//! Callbacks: the sandbox tells somebody of every charge and refund that stands in its books, as providers do.
//!
//! It follows its own books, so a callback may come before the answer to the call, or although that answer was lost, and no
//! answer ever waits for it. At most [`AT_ONCE`] are under way; the others wait in the books. Each is posted until it is
//! taken, a few times at most: who wants to be sure asks.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Client, StatusCode, header::CONTENT_TYPE, redirect};
use sagas::ports::{LedgerEntry, LedgerKind};
use tokio::{
    sync::Semaphore,
    time::{Instant, interval, sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Secret,
    http::UrlError,
    sandbox::Sandbox,
    signature::{SIGNATURE, sign},
    wire::{Callback, CallbackStatus},
};

/// So many callbacks are under way at once.
const AT_ONCE: usize = 64;
/// How often the books are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How often one is posted before it is given up, and how long to wait in between; it doubles.
const TRIES: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// How long a receiver may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// So many refunds that are under way are remembered.
const REMEMBERED: usize = 10_000;

/// Whom the sandbox calls back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackOptions {
    /// Where to.
    pub url: String,
    /// What callbacks are signed with.
    pub secret: Secret,
    /// How often each is sent, as by a provider that is not sure; at least once.
    pub copies: u32,
}

/// Why callbacks cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// The URL.
    #[error("the callback URL: {0}")]
    Url(#[from] UrlError),
    /// Signing needs one.
    #[error("callbacks are signed: give a callback secret")]
    NoSecret,
    /// The HTTP client.
    #[error("callbacks cannot be made: {0}")]
    Client(#[source] reqwest::Error),
    /// The books.
    #[error("callbacks cannot be made: {0}")]
    Books(#[from] eventlog::StoreError),
}

/// What the routes tell the callbacks; nothing where there are none.
#[derive(Clone, Default)]
pub(super) struct Asked {
    /// From which charge a refund was asked for. The books do not say that of one that failed.
    charges: Option<Arc<Mutex<HashMap<String, String>>>>,
}

impl Asked {
    pub(super) fn remembered() -> Self {
        Self { charges: Some(Arc::default()) }
    }

    /// A refund of a charge is asked for.
    pub(super) fn refund(&self, key: &str, charge_ref: &str) {
        let Some(charges) = &self.charges else { return };
        let mut charges = charges.lock().unwrap_or_else(PoisonError::into_inner);
        // Nearly all of them are of repeats, which nobody asks about again.
        if charges.len() >= REMEMBERED {
            charges.clear();
        }
        charges.insert(key.to_owned(), charge_ref.to_owned());
    }

    fn charge_of(&self, refund_key: &str) -> Option<String> {
        self.charges.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).remove(refund_key)
    }
}

/// Follows the books from their end on.
pub(super) struct Callbacks {
    sandbox: Sandbox,
    asked: Asked,
    sender: Arc<Sender>,
    places: Arc<Semaphore>,
    last: i64,
}

struct Sender {
    client: Client,
    options: CallbackOptions,
}

impl Callbacks {
    pub(super) async fn new(
        sandbox: Sandbox,
        asked: Asked,
        options: CallbackOptions,
    ) -> Result<Self, CallbackError> {
        crate::http::base(&options.url)?;
        if options.secret.is_empty() {
            return Err(CallbackError::NoSecret);
        }
        let client = Client::builder().no_proxy().timeout(TIMEOUT).redirect(redirect::Policy::none()).build();
        let sender = Arc::new(Sender { client: client.map_err(CallbackError::Client)?, options });
        let last = sandbox.last_row().await?;
        Ok(Self { sandbox, asked, sender, places: Arc::new(Semaphore::new(AT_ONCE)), last })
    }

    /// Calls back until `stop`; what is under way then is in `tasks`.
    pub(super) async fn run(mut self, tasks: TaskTracker, stop: CancellationToken) {
        let mut ticks = interval(LOOK_EVERY);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            let entries = match self.sandbox.rows_after(self.last).await {
                Ok(entries) => entries,
                Err(error) => {
                    tracing::warn!(%error, "the books were not read for callbacks");
                    continue;
                }
            };
            for (row, entry) in entries {
                self.last = row;
                let Some(callback) = self.callback(&entry) else { continue };
                for _ in 0..self.sender.options.copies.max(1) {
                    let place = stop.run_until_cancelled(self.places.clone().acquire_owned()).await;
                    let Some(Ok(place)) = place else { return };
                    let (sender, callback, stop) = (self.sender.clone(), callback.clone(), stop.clone());
                    tasks.spawn(async move {
                        stop.run_until_cancelled(sender.send(&callback)).await;
                        drop(place);
                    });
                }
            }
        }
    }

    /// What there is to tell of an entry; nothing of a key that was closed unused.
    fn callback(&self, entry: &LedgerEntry) -> Option<Callback> {
        let code = entry.code.clone();
        let of = |status, provider_ref, code, charge_key| Callback {
            event_id: format!("evt_{}", entry.key),
            key: entry.key.clone(),
            status,
            provider_ref,
            code,
            charge_key,
        };
        match entry.kind {
            LedgerKind::Void => None,
            LedgerKind::Charge if code.is_none() => {
                Some(of(CallbackStatus::Captured, entry.charge_ref.clone(), None, None))
            }
            LedgerKind::Charge => Some(of(CallbackStatus::Declined, None, code, None)),
            LedgerKind::Refund => {
                let asked = self.asked.charge_of(&entry.key);
                let charge = entry.charge_ref.clone().or(asked);
                let charge_key = charge.and_then(|charge| crate::ledger::key_of(&charge).map(str::to_owned));
                Some(match code {
                    None => {
                        let name = crate::ledger::refund_ref(&entry.key);
                        of(CallbackStatus::Refunded, Some(name), None, charge_key)
                    }
                    code => of(CallbackStatus::Failed, None, code, charge_key),
                })
            }
        }
    }
}

impl Sender {
    /// Posts a callback until it is taken, or it is no use any more.
    async fn send(&self, callback: &Callback) {
        let body = serde_json::to_vec(callback).expect("texts are written as JSON");
        let (begun, mut pause) = (Instant::now(), FIRST_PAUSE);
        for tried in 1..=TRIES {
            match self.post(body.clone()).await {
                Ok(status) if status.is_success() => return,
                // Of an unknown key it may still hear.
                Ok(status)
                    if status.is_client_error()
                        && !matches!(status.as_u16(), 404 | 408 | 409 | 425 | 429) =>
                {
                    tracing::warn!(key = callback.key, %status, "a callback was refused");
                    return;
                }
                Ok(status) => tracing::debug!(key = callback.key, %status, tried, "a callback was not taken"),
                Err(error) => {
                    let error = error.without_url();
                    tracing::debug!(key = callback.key, %error, tried, "a callback did not arrive");
                }
            }
            if tried < TRIES {
                sleep(pause).await;
                pause *= 2;
            }
        }
        tracing::warn!(key = callback.key, seconds = begun.elapsed().as_secs(), "a callback was given up");
    }

    async fn post(&self, body: Vec<u8>) -> Result<StatusCode, reqwest::Error> {
        // The receiver judges by its clock, so by the time of this very try.
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let request = self
            .client
            .post(&self.options.url)
            .header(CONTENT_TYPE, "application/json")
            .header(SIGNATURE, sign(&self.options.secret, now, &body))
            .body(body);
        Ok(request.send().await?.status())
    }
}
