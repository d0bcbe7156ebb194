//! `/v1/admin/projections`: how views are doing; folding them anew and checking them, as jobs.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use projections::{ViewError, ViewStatus};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Principal, Role},
    jobs::{Job, JobKind},
    problem::{Code, Problem},
    web::{Answer, Command, NoBody, PathId},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(rebuild)).routes(routes!(verify))
}

/// Stands for all views in a path.
const ALL: &str = "all";

/// Views.
#[derive(Serialize, utoipa::ToSchema)]
#[allow(dead_code, reason = "describes an answer")]
struct ViewList {
    /// How each is doing. Positions are plain numbers here.
    data: Vec<ViewStatus>,
}

/// How every view is doing: build, position, lag, rebuild.
#[utoipa::path(get, path = "/v1/admin/projections", tag = "admin", security(("bearer" = [])),
    responses((status = 200, description = "All views.", body = ViewList)))]
async fn list(State(app): State<App>, principal: Principal) -> Result<Response, Problem> {
    principal.must_be(&[Role::Admin])?;
    Ok(Json(json!({ "data": app.views().status() })).into_response())
}

/// Folds a view (or `all`) anew beside the live one and switches over. Answers at once; ask for the job.
#[utoipa::path(post, path = "/v1/admin/projections/{name}/rebuild", tag = "admin",
    params(("name" = String, Path, description = "The view, or `all`.")), security(("bearer" = [])),
    responses((status = 202, description = "The job that does it.", body = Job)))]
async fn rebuild(
    State(app): State<App>,
    PathId(name): PathId<String>,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    start(app, name, command, JobKind::Rebuild).await
}

/// Folds a view (or `all`) again and compares it with the live one. Answers at once; ask for the job.
#[utoipa::path(post, path = "/v1/admin/projections/{name}/verify", tag = "admin",
    params(("name" = String, Path, description = "The view, or `all`.")), security(("bearer" = [])),
    responses((status = 202, description = "The job that does it.", body = Job)))]
async fn verify(
    State(app): State<App>,
    PathId(name): PathId<String>,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    start(app, name, command, JobKind::Verify).await
}

async fn start(app: App, name: String, command: Command<NoBody>, kind: JobKind) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Admin])?;
    if name != ALL && !projections::view_names().contains(&name.as_str()) {
        return Err(ViewError::UnknownView { name }.into());
    }
    command
        .meta
        .once(&app.clone(), |ticket, _| async move {
            Ok(ticket.then(async move {
                let job = app.jobs.begin(ticket.ids.minted, kind, &name, app.now()).map_err(|running| {
                    let detail = format!("the job {} does the same", running.job_id);
                    Problem::new(Code::RebuildRunning, detail).with("job_id", running.job_id)
                })?;
                let location = format!("/v1/admin/jobs/{}", job.job_id);
                // Not awaited by a shutdown: a half-built view is dropped at the next start.
                tokio::spawn(work(app, job.clone()));
                Ok(Answer::new(StatusCode::ACCEPTED, json!(job)).located(&location))
            }))
        })
        .await
}

async fn work(app: App, job: Job) {
    let (jobs, job_id) = (app.jobs.clone(), job.job_id);
    let progress = move |progress| jobs.progress(job_id, progress);
    let stopping = app.stopping.clone();
    let done = stopping.run_until_cancelled(async {
        Ok::<_, ViewError>(match (job.kind == JobKind::Rebuild, job.name.as_str()) {
            (true, ALL) => values(app.views().rebuild_all(progress).await?),
            (true, name) => values([app.views().rebuild(name, progress).await?]),
            (false, ALL) => values(app.views().verify_all(progress).await?),
            (false, name) => values([app.views().verify(name, progress).await?]),
        })
    });
    let result = match done.await {
        Some(result) => result.map_err(|error| error.to_string()),
        None => Err("the program is stopping".to_owned()),
    };
    app.jobs.end(job_id, result);
}

fn values<T: Serialize>(reports: impl IntoIterator<Item = T>) -> Vec<Value> {
    reports.into_iter().map(|report| json!(report)).collect()
}
