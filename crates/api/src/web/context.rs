//! What goes with every request: its id, its trace, a line in the program's log.

use axum::{
    extract::{FromRequestParts, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;

use crate::{app::App, problem::Problem};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The request's id and trace.
#[derive(Clone, Debug, Default)]
pub struct RequestContext {
    /// As the client gave it, else a new one.
    pub request_id: String,
    /// W3C trace context, if the client gave a well-formed one.
    pub traceparent: Option<String>,
}

/// A middleware that finds or makes the context, and echoes it in the answer.
pub async fn request_context(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let given = header(request.headers(), &REQUEST_ID).filter(|id| is_request_id(id));
    let request_id = given.map_or_else(|| app.ids.next_anywhere().to_string(), str::to_owned);
    let traceparent =
        header(request.headers(), &TRACEPARENT).filter(|text| is_traceparent(text)).map(str::to_owned);
    let context = RequestContext { request_id, traceparent };
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!(
        "request", method = %request.method(), route, request_id = context.request_id
    );
    request.extensions_mut().insert(context.clone());
    let begun = std::time::Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    span.in_scope(|| {
        tracing::debug!(
            status = response.status().as_u16(),
            micros = begun.elapsed().as_micros(),
            "answered"
        );
    });
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&context.request_id) {
        headers.insert(REQUEST_ID, value);
    }
    if let Some(Ok(value)) = context.traceparent.as_deref().map(HeaderValue::from_str) {
        headers.insert(TRACEPARENT, value);
    }
    response
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_request_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// *Source*: W3C Trace Context §3.2, version 00.
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    matches!(parts.as_slice(), [version, trace, span, flags]
        if *version == "00" && hex(trace, 32) && hex(span, 16) && hex(flags, 2))
}

impl FromRequestParts<App> for RequestContext {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_well_formed_trace_is_copied() {
        assert!(is_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        for wrong in ["", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331", "01-x-y-z"] {
            assert!(!is_traceparent(wrong));
        }
    }
}
