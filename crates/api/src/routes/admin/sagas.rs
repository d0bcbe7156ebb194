//! `/v1/admin/sagas`: what process managers work on, and what is stuck.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use sagas::{InstanceCursor, InstanceFilter, InstanceState, SagaError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::paging;
use crate::{
    app::App,
    auth::{Principal, Role},
    problem::{Code, Problem, ProblemSchema},
    web::{Answer, Command, NoBody, Params, opaque},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(processes))
        .routes(routes!(show))
        .routes(routes!(retry))
        .routes(routes!(skip))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListInstances {
    /// Of this process manager.
    process: Option<String>,
    /// `running`, `waiting`, `retrying`, `stuck` or `ended`; unless said, all but the ended ones.
    state: Option<String>,
    /// 1 to 1000; 100 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Instances of process managers, by process manager and key.
#[utoipa::path(get, path = "/v1/admin/sagas", tag = "admin", params(ListInstances), security(("bearer" = [])),
    responses((status = 200, description = "Under `data`: process, key, state, awaiting, deadline, attempts, last_error, next_retry_at. `next_cursor` leads to the next page while `has_more`.", body = Object),
        (status = 404, description = "There is no such process manager.", body = ProblemSchema, content_type = "application/problem+json")))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    Params(query): Params<ListInstances>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Admin])?;
    let limit = paging::limit(query.limit)?;
    let after = query.cursor.map(|text| text.parse::<InstanceCursor>()).transpose();
    let after = after.map_err(|error| Problem::new(Code::InvalidCursor, error.to_string()))?;
    let state = query.state.as_deref().map(|name| {
        let known = InstanceState::ALL.map(InstanceState::name).join(", ");
        let unknown = || Problem::new(Code::InvalidQuery, format!("state: {name:?} is none of {known}"));
        InstanceState::from_name(name).ok_or_else(unknown)
    });
    let filter = InstanceFilter { process: query.process, state: state.transpose()?, after, limit };
    let page = app.sagas.list(filter).await?;
    let next = page.next.map(|cursor| cursor.to_string());
    let has_more = next.is_some();
    Ok(paging::answer(&page.instances, ("next_cursor", next), has_more))
}

/// How process managers are doing: position, lag, open instances by state.
#[utoipa::path(get, path = "/v1/admin/processes", tag = "admin", security(("bearer" = [])),
    responses((status = 200, description = "Under `data`: name, running, position, lag, trouble, open.", body = Object)))]
async fn processes(State(app): State<App>, principal: Principal) -> Result<Response, Problem> {
    principal.must_be(&[Role::Admin])?;
    let status = app.sagas.status().await?.into_iter().map(|status| with_opaque(&status, "position"));
    Ok(Json(json!({ "data": status.collect::<Vec<_>>() })).into_response())
}

/// One instance in full: its stage, what it awaits and until when, what it has still to do.
#[utoipa::path(get, path = "/v1/admin/sagas/{process}/{key}", tag = "admin",
    params(("process" = String, Path, description = "The process manager."), ("key" = Uuid, Path, description = "The order or payment.")),
    security(("bearer" = [])), responses((status = 200, description = "The instance.", body = Object)))]
async fn show(State(app): State<App>, principal: Principal, instance: Instance) -> Result<Response, Problem> {
    principal.must_be(&[Role::Admin])?;
    let Instance { process, key } = instance;
    let details = app.sagas.show(&process, key).await?;
    let details = details.ok_or_else(|| Problem::from(SagaError::UnknownInstance { process, key }))?;
    Ok(Json(details).into_response())
}

/// Tries the step again that an instance is stuck at.
#[utoipa::path(post, path = "/v1/admin/sagas/{process}/{key}/retry", tag = "admin",
    params(("process" = String, Path, description = "The process manager."), ("key" = Uuid, Path, description = "The order or payment.")),
    security(("bearer" = [])), responses((status = 200, description = "The instance.", body = Object)))]
async fn retry(
    State(app): State<App>,
    instance: Instance,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    operate(app, instance, command, false).await
}

/// Takes the step for done that an instance is stuck at, and goes on with the next.
#[utoipa::path(post, path = "/v1/admin/sagas/{process}/{key}/skip", tag = "admin",
    params(("process" = String, Path, description = "The process manager."), ("key" = Uuid, Path, description = "The order or payment.")),
    security(("bearer" = [])), responses((status = 200, description = "The instance.", body = Object)))]
async fn skip(
    State(app): State<App>,
    instance: Instance,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    operate(app, instance, command, true).await
}

async fn operate(
    app: App,
    instance: Instance,
    command: Command<NoBody>,
    skip: bool,
) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Admin])?;
    let Instance { process, key } = instance;
    command
        .meta
        .once(&app.clone(), |ticket, _| async move {
            Ok(ticket.then(async move {
                let summary = if skip {
                    app.sagas.skip(&process, key).await?
                } else {
                    app.sagas.retry(&process, key).await?
                };
                Ok(Answer::new(StatusCode::OK, json!(summary)))
            }))
        })
        .await
}

/// The instance that a path names.
struct Instance {
    process: String,
    key: Uuid,
}

impl axum::extract::FromRequestParts<App> for Instance {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut axum::http::request::Parts, app: &App) -> Result<Self, Problem> {
        let path = axum::extract::Path::<(String, Uuid)>::from_request_parts(parts, app).await;
        let axum::extract::Path((process, key)) =
            path.map_err(|error| Problem::new(Code::InstanceNotFound, error.body_text()))?;
        Ok(Self { process, key })
    }
}

fn with_opaque(value: &impl Serialize, field: &str) -> Value {
    let mut value = serde_json::to_value(value).expect("it has string keys and no failing serializer");
    if let Some(position) = value.get(field).and_then(Value::as_u64) {
        value[field] = Value::String(opaque(position));
    }
    value
}
