//! `GET /v1/reservations`, one of them, and its timeline.

use axum::{extract::State, response::Response};
use domain::ReservationId;
use projections::{ReservationRow, Reservations, Timeline, TimelineStep, View, views::ReservationStatus};
use serde::Deserialize;

use super::{must_see, not_found, shown};
use crate::{
    app::App,
    auth::{Principal, Role},
    problem::Problem,
    web::{OnlyPages, Page, PageQuery, Params, PathId, Reading, page_of, present_step, scope_stays, single},
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListReservations {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    status: Option<ReservationStatus>,
    /// Only those at this resort.
    resort_id: Option<uuid::Uuid>,
}

/// One's own reservations (customer), those at one's resorts (manager), or all (admin), newest first.
#[utoipa::path(get, path = "/v1/reservations", tag = "reservations", params(ListReservations), security(("bearer" = [])),
    responses((status = 200, description = "A page of reservations.", body = Page<ReservationRow>)))]
pub(super) async fn list(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    Params(query): Params<ListReservations>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Customer, Role::Manager, Role::Admin])?;
    let rows = PageQuery::new(query.limit, query.cursor.as_deref())?.newest();
    let rows = scope_stays(&principal, rows)
        .filter_if("resort_id", query.resort_id.map(|id| id.to_string()))
        .filter_if("status", query.status);
    app.ready_to_read(Reservations::NAME, &reading).await?;
    let page = app.views().list::<Reservations>(rows).await?;
    let shown = shown::many(&app, page.rows).await?;
    let page = projections::Page { rows: shown, next: page.next, has_more: page.has_more };
    Ok(page_of(page, |value| value))
}

/// One reservation with its payment and voucher.
#[utoipa::path(get, path = "/v1/reservations/{reservation_id}", tag = "reservations", params(("reservation_id" = Uuid, Path, description = "The reservation.")),
    security(("bearer" = [])), responses((status = 200, description = "The reservation.", body = ReservationRow)))]
pub(super) async fn read(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    PathId(id): PathId<ReservationId>,
) -> Result<Response, Problem> {
    must_see(&app, &principal, id).await?;
    app.ready_to_read(Reservations::NAME, &reading).await?;
    let row = app.views().get::<Reservations>(&id.to_string()).await?.ok_or_else(|| not_found(id))?;
    let (version, position) = (row.version, row.position);
    Ok(single(&reading.headers, version, position, shown::one(&app, row).await?))
}

/// Every step of a reservation, of its nights, its payment, its voucher and its messages, oldest first.
#[utoipa::path(get, path = "/v1/reservations/{reservation_id}/timeline", tag = "reservations",
    params(("reservation_id" = Uuid, Path, description = "The reservation."), OnlyPages),
    security(("bearer" = [])), responses((status = 200, description = "A page of steps.", body = Page<TimelineStep>)))]
pub(super) async fn timeline(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    PathId(id): PathId<ReservationId>,
    Params(query): Params<OnlyPages>,
) -> Result<Response, Problem> {
    must_see(&app, &principal, id).await?;
    let rows = query.checked()?.oldest().parts_of(id.uuid());
    app.ready_to_read(Timeline::NAME, &reading).await?;
    Ok(page_of(app.views().list::<Timeline>(rows).await?, |step| present_step(&step)))
}
