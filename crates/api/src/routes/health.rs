//! `/livez`, `/readyz`: whether the process lives, and whether it should get work.

use std::{io::Write, path::Path, time::Duration};

use axum::{Json, extract::State};
use projections::{ListQuery, Shops, ViewState};
use serde::Serialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    problem::{Code, Problem},
};

/// How long a store may take to answer.
const STORES: Duration = Duration::from_secs(3);

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready))
}

/// How the process is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
}

/// Whether the process lives.
#[utoipa::path(get, path = "/livez", tag = "health", security(()),
    responses((status = 200, description = "It does.", body = Health)))]
async fn live() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether the process should get work: its views have caught up, its process managers run, the log takes events.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, description = "It should.", body = Health)))]
async fn ready(State(app): State<App>) -> Result<Json<Health>, Problem> {
    let mut missing = Vec::new();
    if app.stopping.is_cancelled() {
        missing.push("the program is stopping".to_owned());
    }
    missing.extend(views(&app));
    // A store that is away makes the rest wait for it: what is said of it is enough.
    match stores(&app).await {
        Some(away) => missing.push(away),
        None => {
            missing.extend(processes(&app).await);
            missing.extend(log(&app).await);
        }
    }
    if missing.is_empty() {
        return Ok(Json(Health { status: "ok" }));
    }
    Err(Problem::new(Code::NotReady, missing.join("; ")).with("missing", missing))
}

/// Whether the log and the views can be read: a database may be away although nobody has noticed yet.
async fn stores(app: &App) -> Option<String> {
    let log = async { app.log().head().await.map_err(|error| error.to_string()) };
    let views = async {
        let Some(views) = &app.views else { return Ok(()) };
        let read = views.list::<Shops>(ListQuery::newest(1)).await;
        read.map(drop).map_err(|error| format!("the views cannot be read: {error}"))
    };
    let both = async { tokio::try_join!(log, views) };
    match tokio::time::timeout(STORES, both).await {
        Ok(read) => read.err(),
        Err(_) => Some(format!("the stores do not answer within {} s", STORES.as_secs())),
    }
}

fn views(app: &App) -> Vec<String> {
    let head = app.head();
    let behind = |name: &str, position: u64| {
        let lag = head.saturating_sub(position);
        (lag > app.settings.ready_lag).then(|| format!("the view {name} is {lag} events behind"))
    };
    let Some(all) = &app.views else { return Vec::new() };
    let here = all.status().into_iter().filter(|view| app.settings.runs_view(&view.name));
    here.filter_map(|view| match view.state {
        ViewState::Stopped { why } => Some(format!("the view {} has stopped: {why}", view.name)),
        _ => behind(&view.name, view.position),
    })
    .collect()
}

async fn processes(app: &App) -> Vec<String> {
    let all = match app.sagas.health().await {
        Ok(all) => all,
        Err(error) => return vec![format!("the process managers cannot be asked: {error}")],
    };
    let here = all.into_iter().filter(|(name, ..)| app.settings.runs_process(name));
    here.filter_map(|(name, running, trouble)| match (trouble, running) {
        (Some(trouble), false) => Some(format!("the process manager {name} has stopped: {trouble}")),
        (Some(trouble), true) => Some(format!("the process manager {name} cannot go on: {trouble}")),
        (None, false) => Some(format!("the process manager {name} does not run")),
        (None, true) => None,
    })
    .collect()
}

/// The log took the last command, or there is room again to try.
async fn log(app: &App) -> Option<String> {
    let trouble = app.log_trouble()?;
    if let Err(error) = app.log().has_room().await {
        return Some(format!("the event log takes no events: {error}"));
    }
    let folder = app.settings.data.clone();
    match tokio::task::spawn_blocking(move || probe(&folder)).await {
        Ok(Ok(())) => {
            app.note_log_trouble(None);
            None
        }
        _ => Some(format!("the event log takes no events: {trouble}")),
    }
}

/// Writes as much as a few commands would, and takes it back.
fn probe(folder: &Path) -> std::io::Result<()> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&[0; 64 * 1024])?;
    file.sync_all()
}
