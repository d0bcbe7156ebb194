//! Rows of views as clients see them: without what is internal, with opaque positions.

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use domain::{Position, Version};
use projections::{TimelineStep, View};
use serde::Serialize;
use serde_json::Value;

use super::{etag, not_modified, opaque};
use crate::{app::Services, problem::Problem};

/// A row without `internal`, its position opaque.
#[must_use]
pub fn present(row: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(row).expect("rows have string keys and no failing serializer");
    if let Some(object) = value.as_object_mut() {
        object.remove("internal");
        if let Some(position) = object.get("position").and_then(Value::as_u64) {
            object.insert("position".to_owned(), Value::String(opaque(position)));
        }
    }
    value
}

/// A step of a timeline; steps without details say so by an empty object.
#[must_use]
pub fn present_step(step: &TimelineStep) -> Value {
    let mut value = present(step);
    if let Some(object) = value.as_object_mut() {
        object.entry("details").or_insert_with(|| Value::Object(serde_json::Map::new()));
    }
    value
}

/// The answer for a single resource: 200 with its tag, or 304 when the client has it already.
#[must_use]
pub fn single(headers: &HeaderMap, version: Version, position: Position, body: Value) -> Response {
    let tag = etag(version, position);
    if let Some(response) = not_modified(headers, &tag) {
        return response;
    }
    let mut response = Json(body).into_response();
    if let Ok(value) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

impl Services {
    /// The row as it is after the event at `position`; nothing when the view does not get there soon.
    ///
    /// # Errors
    /// The view cannot be read.
    pub async fn row_after<V: View>(&self, key: &str, position: Position) -> Result<Option<V::Row>, Problem> {
        let within =
            if self.settings.runs(V::NAME) { self.settings.view_wait() } else { self.settings.fresh_wait() };
        if !self.views.wait_for(V::NAME, position, within).await {
            return Ok(None);
        }
        Ok(self.views.get::<V>(key).await?)
    }
}
