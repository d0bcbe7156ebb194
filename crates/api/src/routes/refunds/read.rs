//! `GET /v1/refunds` and one of them.

use axum::{extract::State, response::Response};
use domain::{RefundId, ShopId};
use projections::{RefundRow, Refunds, View, views::OrderRefundStatus};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{must_see, not_found};
use crate::{
    accounts::member_of,
    app::App,
    auth::{Principal, Role},
    problem::Problem,
    web::{Page, PageQuery, Params, PathId, Reading, page_of, present, scope, single},
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListRefunds {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    status: Option<OrderRefundStatus>,
    /// Only those of this order.
    order_id: Option<uuid::Uuid>,
    /// Only this shop's.
    #[param(value_type = Option<String>)]
    shop_id: Option<ShopId>,
}

/// One's own refunds (customer), one's shop's (shop), or all (admin), newest first.
#[utoipa::path(get, path = "/v1/refunds", tag = "refunds", params(ListRefunds), security(("bearer" = [])),
    responses((status = 200, description = "A page of refunds.", body = Page<RefundRow>)))]
pub(super) async fn list(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    Params(query): Params<ListRefunds>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Customer, Role::Shop, Role::Admin])?;
    let rows = PageQuery::new(query.limit, query.cursor.as_deref())?.newest();
    let rows = scope(&principal, query.shop_id, rows)
        .filter_if("order_id", query.order_id.map(|id| id.to_string()))
        .filter_if("status", query.status);
    app.ready_to_read(Refunds::NAME, &reading).await?;
    let page = app.views().list::<Refunds>(rows).await?;
    let shown = many(&app, page.rows).await?;
    let page = projections::Page { rows: shown, next: page.next, has_more: page.has_more };
    Ok(page_of(page, |value| value))
}

/// One refund.
#[utoipa::path(get, path = "/v1/refunds/{refund_id}", tag = "refunds", params(("refund_id" = Uuid, Path, description = "The refund.")),
    security(("bearer" = [])), responses((status = 200, description = "The refund.", body = RefundRow)))]
pub(super) async fn read(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    PathId(id): PathId<RefundId>,
) -> Result<Response, Problem> {
    must_see(&app, &principal, id).await?;
    app.ready_to_read(Refunds::NAME, &reading).await?;
    let row = app.views().get::<Refunds>(&id.to_string()).await?.ok_or_else(|| not_found(id))?;
    let (version, position) = (row.version, row.position);
    Ok(single(&reading.headers, version, position, shown(&app, row).await?))
}

/// Refunds, each with its reason.
async fn many(app: &App, rows: Vec<RefundRow>) -> Result<Vec<Value>, Problem> {
    let contacts = app.accounts.contacts(rows.iter().map(|row| row.internal.reason_id).collect()).await?;
    let show = |row: &RefundRow| {
        let mut value = present(row);
        value["reason"] = member_of(&contacts, Some(row.internal.reason_id), "reason", &json!("erased"));
        value
    };
    Ok(rows.iter().map(show).collect())
}

/// One refund with its reason.
pub(super) async fn shown(app: &App, row: RefundRow) -> Result<Value, Problem> {
    Ok(many(app, vec![row]).await?.remove(0))
}
