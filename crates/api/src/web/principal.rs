//! Finding out who asks.

use axum::extract::FromRequestParts;
use axum::http::{HeaderValue, header, request::Parts};

use super::admission::count;
use crate::{
    app::App,
    auth::{Principal, TokenError},
    problem::{Code, Problem},
};

impl FromRequestParts<App> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::AUTHORIZATION) else {
            let detail = "send the header Authorization: Bearer TOKEN; `orderstream token` makes a token";
            return Err(unauthorized(Code::TokenMissing, detail, "Bearer realm=\"orderstream\""));
        };
        let text = value.to_str().unwrap_or_default();
        let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = token else {
            let detail = "the Authorization header must be: Bearer TOKEN";
            return Err(unauthorized(Code::TokenInvalid, detail, INVALID));
        };
        let principal = app.keys.verify(token.trim()).map_err(|error| match error {
            TokenError::Expired => {
                unauthorized(Code::TokenExpired, "the token is expired: get a new one", EXPIRED)
            }
            other => unauthorized(Code::TokenInvalid, &other.to_string(), INVALID),
        })?;
        count(app, &parts.extensions, &principal)?;
        Ok(principal)
    }
}

/// *Source*: RFC 6750 §3.
const INVALID: &str = "Bearer realm=\"orderstream\", error=\"invalid_token\"";
const EXPIRED: &str =
    "Bearer realm=\"orderstream\", error=\"invalid_token\", error_description=\"the token is expired\"";

fn unauthorized(code: Code, detail: &str, challenge: &'static str) -> Problem {
    Problem::new(code, detail).with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}
