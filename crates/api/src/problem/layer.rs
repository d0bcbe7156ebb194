//! The safety net: whatever error a library answers with leaves as a problem document.

use std::any::Any;

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, Response as HttpResponse, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{Code, Problem};

const PROBLEM: &str = "application/problem+json";

/// A middleware that turns every answer of 400 and above into a problem document, unless it is one.
pub async fn only_problems(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_problem(response.headers()) {
        return response;
    }
    let code = Code::of_status(status);
    let detail = match code {
        Code::NoSuchRoute => format!("there is nothing at {path}"),
        Code::MethodNotAllowed => format!("{method} is not possible at {path}"),
        code => code.meaning().to_owned(),
    };
    let mut answer = Problem::new(code, detail).into_response();
    for name in [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE, header::CONNECTION] {
        if let Some(value) = response.headers().get(&name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    answer
}

fn is_problem(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(PROBLEM.as_bytes()))
}

/// What a client is told when a handler panics.
#[must_use]
pub fn on_panic(panic: Box<dyn Any + Send + 'static>) -> HttpResponse<Body> {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Problem::internal(&text.unwrap_or_else(|| "a panic without a message".to_owned())).into_response()
}
