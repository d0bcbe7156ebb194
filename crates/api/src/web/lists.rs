//! Lists: `{data, next_cursor, has_more}`, with `limit` and `cursor`.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use projections::{Cursor, ListQuery};
use serde::Serialize;
use serde_json::Value;

use crate::problem::{Code, Problem};

/// Rows of a page unless the client says otherwise.
const DEFAULT_LIMIT: u32 = 20;
/// Most rows of a page.
const MAX_LIMIT: u32 = 100;

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
        let limit = limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            let detail = format!("limit: {limit} is not between 1 and {MAX_LIMIT}");
            return Err(Problem::new(Code::InvalidQuery, detail));
        }
        let after = cursor.map(Cursor::from_opaque).transpose();
        let after = after.map_err(|error| Problem::new(Code::InvalidCursor, error.to_string()))?;
        Ok(Self { limit: limit as usize, after })
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
