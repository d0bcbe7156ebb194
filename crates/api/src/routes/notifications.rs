//! `/v1/notifications`: what customers were told.

use axum::{extract::State, response::Response};
use domain::ShopId;
use projections::{NotificationRow, Notifications, View};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Principal, Role},
    problem::Problem,
    web::{Page, PageQuery, Params, Reading, page_of, present, scope},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListNotifications {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those about this order.
    order_id: Option<uuid::Uuid>,
    /// Only this shop's; for an admin.
    #[param(value_type = Option<String>)]
    shop_id: Option<ShopId>,
}

/// Messages to oneself (customer), of one's shop (shop), or all (admin), newest first.
#[utoipa::path(get, path = "/v1/notifications", tag = "notifications", params(ListNotifications), security(("bearer" = [])),
    responses((status = 200, description = "A page of notifications.", body = Page<NotificationRow>)))]
async fn list(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    Params(query): Params<ListNotifications>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Customer, Role::Shop, Role::Admin])?;
    let rows = PageQuery::new(query.limit, query.cursor.as_deref())?.newest();
    let rows =
        scope(&principal, query.shop_id, rows).filter_if("order_id", query.order_id.map(|id| id.to_string()));
    app.ready_to_read(Notifications::NAME, &reading).await?;
    Ok(page_of(app.views().list::<Notifications>(rows).await?, |row| present(&row)))
}
