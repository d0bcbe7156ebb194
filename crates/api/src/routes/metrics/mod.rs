//! `/metrics`: how the process is doing, in Prometheus' text format. One sentence a family: see `families`.

mod families;
mod page;

use std::time::{Duration, Instant};

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use sagas::{Availability, ProcessStatus};
use tokio::{sync::Mutex, time::timeout};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;
use page::Page;

/// How long a store may take to say what only it knows; then that is left out.
const STORES: Duration = Duration::from_secs(1);
/// How long what was asked is taken to be so, so that any number of scrapes cost the stores one question.
const REMEMBERED: Duration = Duration::from_secs(1);

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// What the stores were asked last.
#[derive(Default)]
pub(crate) struct Asked(Mutex<Option<(Instant, Answers)>>);

/// What the stores answered.
#[derive(Clone, Default)]
struct Answers {
    processes: Option<Vec<ProcessStatus>>,
    availability: Option<Availability>,
}

impl Asked {
    async fn ask(&self, app: &App) -> Answers {
        let mut last = self.0.lock().await;
        if let Some((_, answers)) = last.as_ref().filter(|(at, _)| at.elapsed() < REMEMBERED) {
            return answers.clone();
        }
        let processes = timeout(STORES, app.sagas.status());
        let availability = timeout(STORES, app.sagas.payments_availability());
        let (processes, availability) = tokio::join!(processes, availability);
        let answers = Answers {
            processes: processes.ok().and_then(Result::ok),
            availability: availability.ok().and_then(Result::ok),
        };
        *last = Some((Instant::now(), answers.clone()));
        answers
    }
}

/// How the process is doing, in Prometheus' text format. What a store does not answer in time is left out.
#[utoipa::path(get, path = "/metrics", tag = "health", security(()),
    responses((status = 200, description = "Counters and gauges, with a sentence on each.", body = String, content_type = "text/plain")))]
async fn metrics(State(app): State<App>) -> Response {
    let answers = app.asked.ask(&app).await;
    let mut page = Page::default();
    families::requests(&mut page, &app);
    families::log(&mut page, &app);
    families::payments(&mut page, &app, answers.availability);
    families::processes(&mut page, answers.processes.as_deref().unwrap_or_default());
    families::views(&mut page, &app);
    let text = page.and(&app.meters.text());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
