//! What tests and demos ask a sandbox server: its books and its behaviour. No part of the provider port.

use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use sagas::ports::LedgerEntry;
use serde::de::DeserializeOwned;

use crate::{
    behaviour::Behaviour,
    http::{UrlError, base, cause, segment},
    wire::{LedgerAnswer, ProblemDocument},
};

/// For an answer. *Source*: ours; books of a million entries are read within it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why the sandbox server did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SandboxClientError {
    /// The URL.
    #[error("the payment sandbox's URL: {0}")]
    Url(#[from] UrlError),
    /// No connection, or it broke, or the answer is no JSON.
    #[error("the payment sandbox at {url} does not answer: {why}")]
    Call {
        /// Where.
        url: String,
        /// Why.
        why: String,
    },
    /// It refused.
    #[error("the payment sandbox at {url} answered {status}: {detail}")]
    Refused {
        /// Where.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What it said.
        detail: String,
    },
}

/// Reads a sandbox server's books, and changes how it behaves.
#[derive(Clone, Debug)]
pub struct SandboxClient {
    client: Client,
    base: String,
}

impl SandboxClient {
    /// For the server at `url`.
    ///
    /// # Errors
    /// A URL that cannot be used.
    pub fn new(url: &str) -> Result<Self, SandboxClientError> {
        let base = base(url)?;
        let client = Client::builder().no_proxy().timeout(TIMEOUT).build();
        let client =
            client.map_err(|error| SandboxClientError::Call { url: base.clone(), why: cause(&error) })?;
        Ok(Self { client, base })
    }

    /// Every entry of its books, in order.
    ///
    /// # Errors
    /// See [`SandboxClientError`].
    pub async fn ledger(&self) -> Result<Vec<LedgerEntry>, SandboxClientError> {
        let (mut all, mut from) = (Vec::new(), String::new());
        loop {
            let page: LedgerAnswer = self.ask(self.client.get(self.url(&format!("ledger{from}")))).await?;
            all.extend(page.data.into_iter().map(LedgerEntry::from));
            match page.next {
                Some(next) => from = format!("?after={}", segment(&next)),
                None => return Ok(all),
            }
        }
    }

    /// How it behaves.
    ///
    /// # Errors
    /// See [`SandboxClientError`].
    pub async fn behaviour(&self) -> Result<Behaviour, SandboxClientError> {
        self.ask(self.client.get(self.url("behaviour"))).await
    }

    /// Has it behave like this.
    ///
    /// # Errors
    /// See [`SandboxClientError`].
    pub async fn behave(&self, behaviour: Behaviour) -> Result<(), SandboxClientError> {
        let _now: Behaviour = self.ask(self.client.put(self.url("behaviour")).json(&behaviour)).await?;
        Ok(())
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v1/{path}", self.base)
    }

    async fn ask<A: DeserializeOwned>(&self, request: RequestBuilder) -> Result<A, SandboxClientError> {
        let failed =
            |error: reqwest::Error| SandboxClientError::Call { url: self.base.clone(), why: cause(&error) };
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        if status.is_success() {
            return answer.json().await.map_err(failed);
        }
        let document: Result<ProblemDocument, _> = answer.json().await;
        let detail = document.map_or_else(|_| "no problem document".to_owned(), |document| document.detail);
        Err(SandboxClientError::Refused { url: self.base.clone(), status: status.as_u16(), detail })
    }
}
