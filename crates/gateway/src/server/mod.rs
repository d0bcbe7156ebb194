//! The sandbox as a server of its own: the provider contract over HTTP.
//!
//! | call | answer |
//! |---|---|
//! | `POST /v1/charges {amount, payment_method}` | 200 `{status: "captured", provider_ref}` or `{status: "declined", code}` |
//! | `POST /v1/charges/{key}/void` | 200 `{status: "voided"}` or `{status: "captured", provider_ref}` |
//! | `GET /v1/charges/{key}` | 200 as a charge; 404 `charge_not_found` |
//! | `POST /v1/refunds {charge_ref, amount}` | 200 `{status: "refunded", provider_ref}` or `{status: "failed", code}` |
//! | `GET /v1/ledger?after=` | 200 `{data: [{key, kind, amount, charge_ref, code, calls}], next}`, in order, page by page |
//! | `GET`, `PUT /v1/behaviour` | 200, see [`crate::Behaviour`] |
//! | `GET /livez`, `/readyz`, `/openapi.json` | |
//!
//! With [`CallbackOptions`], every charge and refund that is final is also posted, signed, to whoever is to be told:
//! [`crate::wire::Callback`]. That too is part of the contract, as far as a provider does it: it may come more than once, in
//! any order, and before the answer.
//!
//! Every POST carries `Idempotency-Key`; `{key}` is the charge's, percent-encoded. Money is `{amount_minor, currency}`.
//! Errors are problem documents with a `code`: 400 no key or no JSON, 422 another body or a key that was used otherwise,
//! 503 a failure that was ordered (nothing was done), 504 an answer that was lost. Answers that were ordered to go wrong are 200
//! with a body that is none, or a connection that is closed. A call that has come in is carried out
//! even when its caller hangs up, as a real provider would.

mod broken;
mod callbacks;
mod client;
mod problem;
mod request;
mod routes;

use std::{future::IntoFuture, net::SocketAddr, time::Duration};

use axum::serve::ListenerExt;
use tokio::{net::TcpListener, task::JoinHandle, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::callbacks::{Asked, Callbacks};
use crate::sandbox::Sandbox;

pub use callbacks::{CallbackError, CallbackOptions};
pub use client::{SandboxClient, SandboxClientError};

/// How the server runs.
#[derive(Clone, Debug)]
pub struct SandboxServerOptions {
    /// So long [`SandboxServer::stop`] waits for calls that are under way.
    pub stop_wait: Duration,
    /// Whom to tell of charges and refunds; none: nobody.
    pub callbacks: Option<CallbackOptions>,
}

impl Default for SandboxServerOptions {
    fn default() -> Self {
        // Source: ours; longer than `tok_slow` takes, shorter than the 10 s after which container runtimes kill.
        Self { stop_wait: Duration::from_secs(5), callbacks: None }
    }
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxServerError {
    /// The address.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: String,
        /// Why.
        source: std::io::Error,
    },
    /// The callbacks.
    #[error(transparent)]
    Callbacks(#[from] CallbackError),
}

/// A sandbox that listens. [`SandboxServer::stop`] it; dropped, it goes on.
pub struct SandboxServer {
    address: SocketAddr,
    close: CancellationToken,
    calls: TaskTracker,
    listening: JoinHandle<()>,
    options: SandboxServerOptions,
}

impl SandboxServer {
    /// Listens on `listen` (`127.0.0.1:0` for any port) and answers from `sandbox`, which stays the caller's to close.
    ///
    /// # Errors
    /// When it cannot listen there.
    pub async fn start(
        sandbox: Sandbox,
        listen: &str,
        options: SandboxServerOptions,
    ) -> Result<Self, SandboxServerError> {
        let not_listening = |source| SandboxServerError::Listen { listen: listen.to_owned(), source };
        let listener = TcpListener::bind(listen).await.map_err(not_listening)?;
        let address = listener.local_addr().map_err(not_listening)?;
        let listener = listener.tap_io(|tcp| {
            if let Err(error) = tcp.set_nodelay(true) {
                tracing::debug!(%error, "small answers may be delayed");
            }
        });
        let (calls, close) = (TaskTracker::new(), CancellationToken::new());
        let mut asked = Asked::default();
        if let Some(options) = options.callbacks.clone() {
            asked = Asked::remembered();
            let callbacks = Callbacks::new(sandbox.clone(), asked.clone(), options).await?;
            calls.spawn(callbacks.run(calls.clone(), close.clone()));
        }
        let router = routes::router(routes::Shared { sandbox, asked, calls: calls.clone() });
        let serving = axum::serve(listener, router)
            .with_graceful_shutdown(close.clone().cancelled_owned())
            .into_future();
        let listening = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the payment sandbox's listener failed");
            }
        });
        Ok(Self { address, close, calls, listening, options })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The start of every address: `http://127.0.0.1:9090`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Takes no new connections and ends the calls that are under way, within the time that the options give.
    pub async fn stop(mut self) {
        self.close.cancel();
        self.calls.close();
        let ended = async {
            if let Err(error) = (&mut self.listening).await {
                tracing::error!(%error, "the payment sandbox's listener failed");
            }
            self.calls.wait().await;
        };
        if timeout(self.options.stop_wait, ended).await.is_err() {
            tracing::warn!(calls = self.calls.len(), "some calls of the payment sandbox did not end in time");
            self.listening.abort();
        }
    }
}
