//! `/v1/admin/events`: the event log as it is.

use axum::{extract::State, response::Response};
use domain::{Envelope, StreamId};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::paging;
use crate::{
    app::App,
    auth::{Principal, Role},
    problem::{Code, Problem},
    web::{Params, opaque, parse_position},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListEvents {
    /// Only those after this position.
    after: Option<String>,
    /// 1 to 1000; 100 unless said.
    limit: Option<u32>,
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
    let limit = paging::limit(query.limit)?;
    let after = query.after.as_deref().map(parse_position).transpose();
    let after =
        after.map_err(|error| Problem::new(Code::InvalidPosition, format!("after: {error}")))?.unwrap_or(0);
    let stream: Option<StreamId> = query
        .stream
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error: domain::IdError| Problem::new(Code::InvalidQuery, format!("stream: {error}")))?;
    let mut events = match stream {
        Some(stream) => app.log().read_stream(stream, after, limit + 1).await?,
        None => app.log().read_all(after, limit + 1).await?,
    };
    let has_more = paging::cut(&mut events, limit);
    let next = match stream {
        Some(_) => events.last().map_or(after, |event| event.version).to_string(),
        None => opaque(events.last().map_or(after, |event| event.position)),
    };
    let data: Vec<Value> = events.iter().map(|event| show(event)).collect();
    Ok(paging::answer(&data, ("next_after", Some(next)), has_more))
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
