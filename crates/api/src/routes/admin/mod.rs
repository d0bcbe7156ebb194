//! `/v1/admin`: what operators see and do.

mod events;
mod figures;
mod gateway;
mod jobs;
mod paging;
mod payments;
mod projections;
mod sagas;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(sagas::router())
        .merge(projections::router())
        .merge(jobs::router())
        .merge(events::router())
        .merge(figures::router())
        .merge(gateway::router())
        .merge(payments::router())
}
