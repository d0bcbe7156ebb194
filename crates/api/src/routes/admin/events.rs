//! `/v1/admin/events`: the event log as it is.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{Envelope, StreamId};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Principal, Role},
    problem::{Code, Problem},
    web::{Params, opaque, parse_position},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Most events of one answer.
const MAX_LIMIT: usize = 1_000;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListEvents {
    /// Only those after this position.
    after: Option<String>,
    /// 1 to 1000; 100 unless said.
    limit: Option<usize>,
    /// Only those of this stream, such as `order/01900000-0000-7000-8000-000000000000`; `after` is then a version.
    stream: Option<String>,
}

/// Events in the order of the log, or of one stream. `next_after` goes on where the answer ends.
#[utoipa::path(get, path = "/v1/admin/events", tag = "admin", params(ListEvents), security(("bearer" = [])),
    responses((status = 200, description = "Under `data`: position, stream, version, type, type_version, metadata, payload.", body = Object)))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    Params(query): Params<ListEvents>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Admin])?;
    let limit = query.limit.unwrap_or(100);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::new(
            Code::InvalidQuery,
            format!("limit: {limit} is not between 1 and {MAX_LIMIT}"),
        ));
    }
    let after = query.after.as_deref().map(parse_position).transpose();
    let after =
        after.map_err(|error| Problem::new(Code::InvalidPosition, format!("after: {error}")))?.unwrap_or(0);
    let (events, next) = match query.stream {
        Some(stream) => {
            let stream: StreamId = stream
                .parse()
                .map_err(|error| Problem::new(Code::InvalidQuery, format!("stream: {error}")))?;
            let events = app.log().read_stream(stream, after, limit).await?;
            let next = events.last().map_or(after, |event| event.version).to_string();
            (events, next)
        }
        None => {
            let events = app.log().read_all(after, limit).await?;
            let next = opaque(events.last().map_or(after, |event| event.position));
            (events, next)
        }
    };
    let data: Vec<Value> = events.iter().map(|event| show(event)).collect();
    Ok(Json(json!({"data": data, "next_after": next, "has_more": data.len() == limit})).into_response())
}

fn show(event: &Envelope) -> Value {
    json!({
        "position": opaque(event.position),
        "stream": event.stream.to_string(),
        "version": event.version,
        "type": event.event.name(),
        "type_version": event.event.version(),
        "metadata": event.metadata,
        "payload": serde_json::from_slice::<Value>(&event.event.encode()).unwrap_or_default(),
    })
}
