//! What a command is answered: kept whole with its idempotency key, so a repeat gets the same.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{CustomerId, Position, Version};
use serde_json::Value;

use super::{POSITION_HEADER, etag, opaque};
use crate::{accounts::StoredAnswer, problem::Problem};

const PROBLEM: &str = "application/problem+json";

/// An answer to a command.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Value>,
    subject: Option<CustomerId>,
    decided: bool,
}

impl Answer {
    /// An answer with a body.
    #[must_use]
    pub fn new(status: StatusCode, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Some(body), subject: None, decided: true }
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: None, subject: None, decided: true }
    }

    /// Says where the command is in the log.
    #[must_use]
    pub fn at(self, position: Position) -> Self {
        self.with(HeaderName::from_static(POSITION_HEADER), &opaque(position))
    }

    /// Says where the thing is.
    #[must_use]
    pub fn located(self, path: &str) -> Self {
        self.with(header::LOCATION, path)
    }

    /// Says which version of the thing the body shows.
    #[must_use]
    pub fn tagged(self, version: Version, position: Position) -> Self {
        self.with(header::ETAG, &etag(version, position))
    }

    /// Says after how many seconds another look makes sense.
    #[must_use]
    pub fn retry_after(self, secs: u32) -> Self {
        self.with(header::RETRY_AFTER, &secs.to_string())
    }

    /// Says whose personal data the body may hold, so that it is erased with them.
    #[must_use]
    pub fn about(mut self, customer: &CustomerId) -> Self {
        self.subject = Some(customer.clone());
        self
    }

    /// 202 for what is not decided yet. Not kept: a repeat under the same idempotency key asks again.
    #[must_use]
    pub fn undecided(mut self) -> Self {
        (self.status, self.decided) = (StatusCode::ACCEPTED, false);
        self.retry_after(1)
    }

    /// The same as [`Answer::undecided`] unless the end is known.
    #[must_use]
    pub fn decided_if(self, decided: bool) -> Self {
        if decided { self } else { self.undecided() }
    }

    /// Whether this is the last word.
    #[must_use]
    pub fn is_decided(&self) -> bool {
        self.decided
    }

    fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// As it is kept.
    #[must_use]
    pub fn to_stored(&self) -> StoredAnswer {
        StoredAnswer {
            status: self.status.as_u16(),
            headers: texts(&self.headers),
            body: self.body.as_ref().map(Value::to_string).unwrap_or_default(),
            subject: self.subject.as_ref().map(ToString::to_string),
        }
    }
}

fn texts(headers: &[(HeaderName, HeaderValue)]) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

impl Problem {
    /// As it is kept with an idempotency key.
    #[must_use]
    pub fn to_stored(&self) -> StoredAnswer {
        StoredAnswer {
            status: self.code().status().as_u16(),
            headers: texts(self.headers()),
            body: self.to_json().to_string(),
            subject: None,
        }
    }
}

impl StoredAnswer {
    /// The same answer again, marked as a repeat.
    #[must_use]
    pub fn replayed(self) -> Response {
        let mut response = self.into_response();
        let replayed = HeaderName::from_static("idempotent-replayed");
        response.headers_mut().insert(replayed, HeaderValue::from_static("true"));
        response
    }
}

impl IntoResponse for StoredAnswer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let is_problem = status.is_client_error() || status.is_server_error();
        let mut response = self.body.into_response();
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        if status != StatusCode::NO_CONTENT {
            let kind = if is_problem { PROBLEM } else { "application/json" };
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        }
        response
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        self.to_stored().into_response()
    }
}
