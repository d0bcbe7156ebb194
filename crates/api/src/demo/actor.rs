//! Somebody who uses the platform over HTTP: a customer, a shop, a courier.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use uuid::Uuid;

use super::{
    DemoError,
    call::{Call, field},
    narrator::{Narrator, readable},
};

/// How long an answer may take to become what is expected, and how often it is asked for.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);
/// How long one call may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The platform that a demo plays against.
pub(super) struct Platform {
    pub(super) base: String,
    pub(super) client: reqwest::Client,
    pub(super) narrator: Narrator,
}

impl Platform {
    pub(super) fn at(base: &str) -> Result<Self, DemoError> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), client, narrator: Narrator::new() })
    }
}

/// Somebody with a token.
#[derive(Clone)]
pub struct Actor {
    pub(super) name: String,
    pub(super) token: String,
    pub(super) platform: Arc<Platform>,
}

impl Actor {
    /// Makes the call, tells about it, and returns the answer's body if it is as expected.
    ///
    /// # Errors
    /// [`DemoError::Unexpected`] when it is not, [`DemoError::Http`] when there is none.
    pub async fn does(&self, what: &str, call: Call) -> Result<Value, DemoError> {
        let narrator = &self.platform.narrator;
        narrator.deed(&self.name, what);
        narrator.call(call.method.as_str(), &call.path, call.body.as_ref());
        let (status, body) = self.answer(&call).await?;
        let shown: Vec<String> =
            call.shown.iter().map(|name| format!("{name}={}", readable(field(&body, name)))).collect();
        narrator.answer(&status.to_string(), &shown.join("  "));
        self.judged(what, &call, status, body)
    }

    /// The same without telling about it: for what is done many times.
    ///
    /// # Errors
    /// The same.
    pub async fn quietly_does(&self, call: Call) -> Result<Value, DemoError> {
        let (status, body) = self.answer(&call).await?;
        self.judged("does one of many", &call, status, body)
    }

    fn judged(
        &self,
        what: &str,
        call: &Call,
        status: reqwest::StatusCode,
        body: Value,
    ) -> Result<Value, DemoError> {
        match call.complaint(status.as_u16(), &body) {
            None => Ok(body),
            Some(expected) => Err(DemoError::Unexpected {
                who: self.name.clone(),
                what: what.to_owned(),
                call: format!("{} {}", call.method, call.path),
                expected,
                status: status.as_u16(),
                body: body.to_string(),
            }),
        }
    }

    /// The answer; a patient call is repeated until the answer is as expected.
    async fn answer(&self, call: &Call) -> Result<(reqwest::StatusCode, Value), DemoError> {
        let give_up = tokio::time::Instant::now() + PATIENCE;
        // One key for all tries: a command is given once, however often it is sent.
        let key = format!("demo-{}", Uuid::now_v7());
        loop {
            let (status, _, body) = self.send(call, &key).await?;
            let fine = call.complaint(status.as_u16(), &body).is_none();
            if fine || !call.patient || tokio::time::Instant::now() > give_up {
                return Ok((status, body));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Makes the call, without a word, and gives status, whether there is a Retry-After, and body.
    pub(super) async fn send_once(&self, call: &Call, key: &str) -> Result<(u16, bool, Value), DemoError> {
        let (status, retry_after, body) = self.send(call, key).await?;
        Ok((status.as_u16(), retry_after, body))
    }

    async fn send(&self, call: &Call, key: &str) -> Result<(reqwest::StatusCode, bool, Value), DemoError> {
        let url = format!("{}{}", self.platform.base, call.path);
        let mut request = self.platform.client.request(call.method.clone(), url).bearer_auth(&self.token);
        if call.method == reqwest::Method::POST {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let retry_after = response.headers().contains_key(reqwest::header::RETRY_AFTER);
        let (status, text) = (response.status(), response.text().await?);
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok((status, retry_after, body))
    }
}
