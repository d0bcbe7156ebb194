//! Lists: `{data, next_cursor, has_more}`, with `limit` and `cursor`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use projections::{Cursor, ListQuery};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::problem::{Code, Problem};

/// How many rows a page has.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Unless the client says otherwise.
    pub unless_said: u32,
    /// At most.
    pub most: u32,
}

/// Rows of a page of a list.
const LIMITS: Limits = Limits { unless_said: 20, most: 100 };

/// The asked-for size of a page.
///
/// # Errors
/// A limit out of range.
pub fn checked_limit(asked: Option<u32>, limits: Limits) -> Result<usize, Problem> {
    let Limits { unless_said, most } = limits;
    let limit = asked.unwrap_or(unless_said);
    if (1..=most).contains(&limit) {
        return Ok(limit as usize);
    }
    Err(Problem::new(Code::InvalidQuery, format!("limit: {limit} is not between 1 and {most}")))
}

/// A page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T: utoipa::ToSchema> {
    /// The things.
    pub data: Vec<T>,
    /// Give this as `cursor` to get the next page; nothing at the end.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
}

/// The parameters of a list that takes no others.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OnlyPages {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl OnlyPages {
    /// Checks them.
    ///
    /// # Errors
    /// See [`PageQuery::new`].
    pub fn checked(&self) -> Result<PageQuery, Problem> {
        PageQuery::new(self.limit, self.cursor.as_deref())
    }
}

/// `limit` and `cursor` of a request, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct PageQuery {
    limit: usize,
    after: Option<Cursor>,
}

impl PageQuery {
    /// Checks the two parameters.
    ///
    /// # Errors
    /// A limit out of range, a cursor that is none.
    pub fn new(limit: Option<u32>, cursor: Option<&str>) -> Result<Self, Problem> {
        let limit = checked_limit(limit, LIMITS)?;
        let after = cursor.map(Cursor::from_opaque).transpose();
        let after = after.map_err(|error| Problem::new(Code::InvalidCursor, error.to_string()))?;
        Ok(Self { limit, after })
    }

    /// How many rows, and behind which place.
    #[must_use]
    pub fn parts(self) -> (usize, Option<Cursor>) {
        (self.limit, self.after)
    }

    /// The query, the newest rows first.
    #[must_use]
    pub fn newest(self) -> ListQuery {
        ListQuery::newest(self.limit).after(self.after)
    }

    /// The query, the oldest rows first.
    #[must_use]
    pub fn oldest(self) -> ListQuery {
        ListQuery::oldest(self.limit).after(self.after)
    }
}

/// The answer for a page, each row as `show` shows it.
pub fn page_of<R>(page: projections::Page<R>, show: impl FnMut(R) -> Value) -> Response {
    let next_cursor = page.next.as_ref().map(Cursor::to_opaque);
    let data: Vec<Value> = page.rows.into_iter().map(show).collect();
    Json(serde_json::json!({ "data": data, "next_cursor": next_cursor, "has_more": page.has_more }))
        .into_response()
}
