//! Errors as `application/problem+json` (RFC 9457): every answer of 400 and above is one, with a documented code.

mod catalogue;
mod domain_errors;
mod layer;

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::Subject;
use problem_details::ProblemDetails;
use serde::Serialize;
use serde_json::{Map, Value};

pub use catalogue::Code;
pub use domain_errors::refusal;
pub use layer::{on_panic, only_problems};

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct FieldError {
    /// Where: `lines[0].quantity`.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

/// An error as a client sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    code: Code,
    detail: String,
    errors: Vec<FieldError>,
    more: Map<String, Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Serialize)]
struct Extensions {
    code: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

impl Problem {
    /// A problem; `detail` says what was wrong, with which value, and what to do.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        let problem =
            Self { code, detail: detail.into(), errors: Vec::new(), more: Map::new(), headers: Vec::new() };
        match code {
            Code::RequestInProgress
            | Code::Contended
            | Code::RateLimited
            | Code::Overloaded
            | Code::LogUnavailable
            | Code::StorageFull
            | Code::ViewBehind
            | Code::ShuttingDown
            | Code::NotReady
            | Code::Unavailable => problem.retry_after(1),
            _ => problem,
        }
    }

    /// A problem of our own making: logged with its cause, which clients are not told.
    #[must_use]
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(
            Code::InternalError,
            "the request failed for a reason on our side; it is in the program's log",
        )
    }

    /// Names fields that are wrong.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    /// Adds a member of its own, such as `order_id`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        let value = serde_json::to_value(value).expect("ids, numbers and words are JSON");
        self.more.insert(name.to_owned(), value);
        self
    }

    /// Names the order or reservation that it is about: `order_id` or `reservation_id`.
    #[must_use]
    pub fn about(self, subject: Subject) -> Self {
        match subject {
            Subject::Order(id) => self.with("order_id", id),
            Subject::Reservation(id) => self.with("reservation_id", id),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Says after how many seconds another try makes sense.
    #[must_use]
    pub fn retry_after(mut self, secs: u32) -> Self {
        self.headers.retain(|(name, _)| name != header::RETRY_AFTER);
        self.with_header(header::RETRY_AFTER, HeaderValue::from(secs))
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// What was wrong.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The headers that go with it.
    #[must_use]
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self.document()).expect("a problem has string keys only")
    }

    fn document(&self) -> ProblemDetails<Extensions> {
        let kind = format!("/problems/{}", self.code.as_str());
        let kind: axum::http::Uri = kind.parse().expect("codes are words that need no escape");
        ProblemDetails::from_status_code(self.code.status())
            .with_type(kind)
            .with_title(self.code.title())
            .with_detail(self.detail.clone())
            .with_extensions(Extensions {
                code: self.code.as_str(),
                errors: self.errors.clone(),
                more: self.more.clone(),
            })
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.document().into_response();
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// The shape of a problem document, for the OpenAPI document.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub struct ProblemSchema {
    /// Where the code is documented: `/problems/CODE`.
    pub r#type: String,
    /// A few words for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong, with which value, and what to do.
    pub detail: String,
    /// A stable word for programs.
    pub code: String,
    /// Fields that are wrong.
    #[serde(default)]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_explained() {
        for (i, code) in Code::ALL.iter().enumerate() {
            assert!(Code::ALL[..i].iter().all(|other| other.as_str() != code.as_str()), "{code:?} twice");
            assert_eq!(Code::from_name(code.as_str()), Some(*code));
            assert!(!code.meaning().is_empty() && code.status().as_u16() >= 400);
        }
    }

    #[test]
    fn a_problem_document_has_the_members_of_the_rfc_and_ours() {
        let problem = Problem::new(Code::OutOfStock, "2 left")
            .with("available", 2)
            .with_errors(vec![FieldError { field: "lines[0]".to_owned(), detail: "too many".to_owned() }]);
        let expected = serde_json::json!({
            "type": "/problems/out_of_stock", "title": "Too few pieces are in stock", "status": 409,
            "detail": "2 left", "code": "out_of_stock", "available": 2,
            "errors": [{"field": "lines[0]", "detail": "too many"}],
        });
        assert_eq!(problem.to_json(), expected);
    }
}
