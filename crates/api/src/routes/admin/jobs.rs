//! `/v1/admin/jobs/{job_id}`: how long work is going.

use axum::{Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    app::App,
    auth::{Principal, Role},
    jobs::Job,
    problem::{Code, Problem},
    web::PathId,
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

/// One job: its progress while it runs, its reports at the end.
#[utoipa::path(get, path = "/v1/admin/jobs/{job_id}", tag = "admin", params(("job_id" = Uuid, Path, description = "The job.")),
    security(("bearer" = [])), responses((status = 200, description = "The job.", body = Job)))]
async fn read(
    State(app): State<App>,
    principal: Principal,
    PathId(id): PathId<Uuid>,
) -> Result<Json<Job>, Problem> {
    principal.must_be(&[Role::Admin])?;
    let unknown = || Problem::new(Code::JobNotFound, format!("there is no job {id}"));
    app.jobs.get(id).map(Json).ok_or_else(unknown)
}
