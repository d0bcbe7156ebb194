//! Answers that go wrong on the way, as they were ordered to ([`crate::Behaviour`]).

use std::{future::ready, io};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use rand::Rng;

use super::problem::Problem;
use crate::behaviour::Fault;

/// The answer to a call that was carried out, gone wrong.
#[derive(Clone, Copy, Debug)]
pub(super) struct Broken(pub(super) Fault);

impl IntoResponse for Broken {
    fn into_response(self) -> Response {
        let body = match self.0 {
            // As a proxy in between does when something is wrong with it.
            Fault::Garbage => Body::from("<html><body>It works!</body></html>"),
            // As a provider does that has found something new to say.
            Fault::WrongBody if rand::rng().random_bool(0.5) => {
                Body::from(r#"{"status": "pending", "id": "42"}"#)
            }
            // Or one that has forgotten something.
            Fault::WrongBody => Body::from(r#"{"status": "captured", "ref": "42"}"#),
            // A body that breaks before its first byte: the connection is closed before anything was written to it.
            Fault::Drop => Body::from_stream(stream::once(ready(Err::<Bytes, _>(closed())))),
        };
        let mut response = (StatusCode::OK, body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}

/// No answer of 200 that can be understood.
pub(super) enum Refused {
    Problem(Problem),
    Broken(Broken),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Broken> for Refused {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Broken(broken) => broken.into_response(),
        }
    }
}

fn closed() -> io::Error {
    io::Error::other("closed, as it was told to")
}
