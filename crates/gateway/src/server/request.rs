//! What comes in: keys and bodies, with what is wrong with them.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::problem::Problem;
use crate::wire::IDEMPOTENCY_KEY;

/// The longest key. Bytes. *Source*: what providers commonly take.
const MAX_KEY: usize = 255;

/// The header `Idempotency-Key`.
pub(super) struct Key(pub(super) String);

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let wrong = |detail: String| Problem::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", detail);
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "idempotency_key_missing",
                "the header Idempotency-Key is missing: name the call, so that its repeat moves no money",
            ));
        };
        if values.next().is_some() {
            return Err(wrong("there is more than one Idempotency-Key: give one".to_owned()));
        }
        let printable = |byte: &u8| byte.is_ascii_graphic();
        let bytes = value.as_bytes();
        match std::str::from_utf8(bytes) {
            Ok(key) if (1..=MAX_KEY).contains(&bytes.len()) && bytes.iter().all(printable) => {
                Ok(Self(key.to_owned()))
            }
            _ => Err(wrong(format!(
                "Idempotency-Key has {} bytes: give 1 to {MAX_KEY} printable ASCII characters without spaces",
                bytes.len()
            ))),
        }
    }
}

/// A JSON body. 400 when it is no JSON, 422 when it is another than the route takes.
pub(super) struct Body<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state).await?;
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let read: Result<T, _> = serde_path_to_error::deserialize(&mut reader);
        let (path, error) = match read {
            Ok(body) => match reader.end() {
                Ok(()) => return Ok(Self(body)),
                Err(error) => (String::new(), error),
            },
            Err(error) => (error.path().to_string(), error.into_inner()),
        };
        let field = if path.is_empty() || path == "." { String::new() } else { format!("{path}: ") };
        Err(if error.classify() == Category::Data {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", format!("{field}{error}"))
        } else {
            Problem::new(StatusCode::BAD_REQUEST, "invalid_json", format!("the body is no JSON: {error}"))
        })
    }
}
