//! Pages of what operators look at: larger than those of customers, since programs read them.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

use crate::{
    problem::Problem,
    web::{Limits, checked_limit},
};

/// Rows of a page.
const LIMITS: Limits = Limits { unless_said: 100, most: 1_000 };

/// The asked-for size of a page, checked.
pub(super) fn limit(asked: Option<u32>) -> Result<usize, Problem> {
    checked_limit(asked, LIMITS)
}

/// Cuts what was found when one row more than `limit` was looked for; returns whether there is more.
pub(super) fn cut<T>(found: &mut Vec<T>, limit: usize) -> bool {
    let has_more = found.len() > limit;
    found.truncate(limit);
    has_more
}

/// The answer for a page: `next` is the name of the parameter's value that leads on, and the value.
pub(super) fn answer(data: &impl Serialize, next: (&str, Option<String>), has_more: bool) -> Response {
    let (name, next) = next;
    Json(json!({ "data": data, name: next, "has_more": has_more })).into_response()
}
