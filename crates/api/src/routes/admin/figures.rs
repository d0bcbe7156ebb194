//! `/v1/admin/figures`: what shops and resorts did, day by day.

use axum::{extract::State, response::Response};
use chrono::NaiveDate;
use domain::ShopId;
use projections::{DailyFigures, FiguresRow, View};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Principal, Role},
    problem::Problem,
    web::{Page, PageQuery, Params, Reading, page_of, present},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListFigures {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only this shop's.
    #[param(value_type = Option<String>)]
    shop_id: Option<ShopId>,
    /// Only this resort's.
    resort_id: Option<uuid::Uuid>,
    /// Only of this day (UTC).
    day: Option<NaiveDate>,
}

/// Orders, reservations, revenue, refunds and coupons of each shop and resort on each day (UTC), the newest day first.
#[utoipa::path(get, path = "/v1/admin/figures", tag = "admin", params(ListFigures), security(("bearer" = [])),
    responses((status = 200, description = "A page of days.", body = Page<FiguresRow>)))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    Params(query): Params<ListFigures>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Admin])?;
    let rows = PageQuery::new(query.limit, query.cursor.as_deref())?
        .newest()
        .filter_if("shop_id", query.shop_id.as_ref().map(ShopId::as_str))
        .filter_if("resort_id", query.resort_id.map(|id| id.to_string()))
        .filter_if("day", query.day.map(|day| day.to_string()));
    app.ready_to_read(DailyFigures::NAME, &reading).await?;
    Ok(page_of(app.views().list::<DailyFigures>(rows).await?, |row| present(&row)))
}
