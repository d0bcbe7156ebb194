//! `/v1/admin/payments/reconcile`: our log against the payment provider's books, as a job.

use axum::{extract::State, http::StatusCode, response::Response};
use domain::Actor;
use garde::Validate;
use sagas::{ReconcileOptions, ReconcileReport};
use serde::Deserialize;
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::Role,
    jobs::{Job, JobKind},
    problem::{Code, Problem},
    web::{Answer, Body, Command},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(reconcile))
}

/// What the job is about.
const PAYMENTS: &str = "payments";

/// What to do beside comparing.
#[derive(Clone, Copy, Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Reconcile {
    /// Put charges on the log that are final in the books and not known there: the payment counts as made, or the money goes
    /// back.
    #[garde(skip)]
    #[serde(default)]
    #[schema(required = false)]
    mend: bool,
    /// List entries of the books that are none of ours.
    #[garde(skip)]
    #[serde(default)]
    #[schema(required = false)]
    foreign: bool,
}
impl Body for Reconcile {
    const OPTIONAL: bool = true;
}

/// Compares the log with the payment provider's books, charge by charge and refund by refund. Answers at once; ask for the
/// job, whose report says what differs. Without `mend` it changes nothing.
#[utoipa::path(post, path = "/v1/admin/payments/reconcile", tag = "admin", request_body = Option<Reconcile>, security(("bearer" = [])),
    responses((status = 202, description = "The job that does it.", body = Job)))]
async fn reconcile(State(app): State<App>, command: Command<Reconcile>) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Admin])?;
    let (wish, actor) = (command.body, command.principal.actor());
    command
        .meta
        .once(&app.clone(), |ticket, _| async move {
            Ok(ticket.then(async move {
                let (id, now) = (ticket.ids.minted, app.now());
                let job = app.jobs.begin(id, JobKind::Reconcile, PAYMENTS, now).map_err(|running| {
                    let detail = format!("the job {} does the same", running.job_id);
                    Problem::new(Code::JobRunning, detail).with("job_id", running.job_id)
                })?;
                let location = format!("/v1/admin/jobs/{}", job.job_id);
                // Not awaited by a shutdown: it only reads, and what was mended stands.
                tokio::spawn(work(app, job.clone(), wish, actor));
                Ok(Answer::new(StatusCode::ACCEPTED, json!(job)).located(&location))
            }))
        })
        .await
}

async fn work(app: App, job: Job, wish: Reconcile, actor: Actor) {
    let stopping = app.stopping.clone();
    let result = match stopping.run_until_cancelled(compare(&app, &job, wish, &actor)).await {
        Some(result) => result.map(|report| vec![json!(report)]),
        None => Err("the program is stopping".to_owned()),
    };
    app.jobs.end(job.job_id, result);
}

async fn compare(app: &App, job: &Job, wish: Reconcile, actor: &Actor) -> Result<ReconcileReport, String> {
    let options = ReconcileOptions { list_foreign: wish.foreign };
    let progress = |progress| app.jobs.reconciled(job.job_id, progress);
    let report = sagas::reconcile(app.log(), app.gateway.as_ref(), options, progress).await;
    let mut report = report.map_err(|error| error.to_string())?;
    if wish.mend {
        let mended = sagas::mend(&app.executor, app.clock.as_ref(), actor, &mut report).await;
        mended.map_err(|error| error.to_string())?;
    }
    if report.left() > 0 {
        tracing::warn!(differing = report.left(), "the log and the payment provider's books differ");
    }
    Ok(report)
}
