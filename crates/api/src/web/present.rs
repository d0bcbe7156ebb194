//! Rows of views as clients see them: without what is internal, with opaque positions.

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{Position, Version};
use projections::{
    DeliveryRow, OrderRow, PaymentRow, ProductRow, RefundRow, ReservationRow, ResortRow, ShopRow,
    TimelineStep, View, VoucherRow,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Answer, etag, not_modified, opaque};
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

/// A row that is a thing of its own, with a version.
pub trait Versioned {
    /// The version of its stream, and the last event that it shows.
    fn tag(&self) -> (Version, Position);
}

macro_rules! versioned {
    ($($row:ident),* $(,)?) => {$(
        impl Versioned for $row {
            fn tag(&self) -> (Version, Position) { (self.version, self.position) }
        }
    )*};
}
versioned!(
    DeliveryRow,
    OrderRow,
    PaymentRow,
    ProductRow,
    RefundRow,
    ReservationRow,
    ResortRow,
    ShopRow,
    VoucherRow
);

/// What is known of a thing by itself while its view does not show it yet; `name` is that of its id.
#[must_use]
pub fn bare(
    status: StatusCode,
    name: &str,
    id: &impl ToString,
    version: Version,
    position: Position,
) -> Answer {
    let body = json!({name: id.to_string(), "version": version, "position": opaque(position)});
    Answer::new(status, body).tagged(version, position)
}

impl Services {
    /// The answer to a command that put a thing where it is at `position`, as `show` shows it; `otherwise` when the view
    /// does not get there soon.
    ///
    /// # Errors
    /// The view cannot be read, or what `show` says.
    pub async fn answer_after<V, F>(
        &self,
        (status, key, position): (StatusCode, &str, Position),
        show: impl FnOnce(V::Row) -> F + Send,
        otherwise: Answer,
    ) -> Result<Answer, Problem>
    where
        V: View,
        V::Row: Versioned,
        F: Future<Output = Result<Value, Problem>> + Send,
    {
        let Some(row) = self.row_after::<V>(key, position).await? else { return Ok(otherwise.at(position)) };
        let (version, at) = row.tag();
        Ok(Answer::new(status, show(row).await?).tagged(version, at).at(position))
    }

    /// The row as it is after the event at `position`; nothing when the view does not get there soon.
    ///
    /// # Errors
    /// The view cannot be read.
    pub async fn row_after<V: View>(&self, key: &str, position: Position) -> Result<Option<V::Row>, Problem> {
        let within = if self.settings.runs_view(V::NAME) {
            self.settings.view_wait()
        } else {
            self.settings.fresh_wait()
        };
        if !self.views().wait_for(V::NAME, position, within).await {
            return Ok(None);
        }
        Ok(self.views().get::<V>(key).await?)
    }
}
