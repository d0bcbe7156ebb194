//! `GET /v1/orders` and `GET /v1/orders/{order_id}`.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{Envelope, OrderId, ShopId, Timestamp};
use projections::{OrderRow, Orders, View, views::OrderStatus};
use serde::Deserialize;

use super::{must_see, not_found, shown};
use crate::{
    app::App,
    auth::{Principal, Role},
    problem::{Code, Problem},
    web::{Page, PageQuery, Params, PathId, Reading, page_of, parse_position, scope, single},
};

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ListOrders {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only those in this state.
    #[param(inline)]
    status: Option<OrderStatus>,
    /// Only this shop's.
    #[param(value_type = Option<String>)]
    shop_id: Option<ShopId>,
}

/// One's own orders (customer), one's shop's (shop), or all (admin), newest first.
#[utoipa::path(get, path = "/v1/orders", tag = "orders", params(ListOrders), security(("bearer" = [])),
    responses((status = 200, description = "A page of orders.", body = Page<OrderRow>)))]
pub(super) async fn list(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    Params(query): Params<ListOrders>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Customer, Role::Shop, Role::Admin])?;
    let rows = PageQuery::new(query.limit, query.cursor.as_deref())?.newest();
    let rows = scope(&principal, query.shop_id, rows).filter_if("status", query.status);
    app.ready_to_read(Orders::NAME, &reading).await?;
    let page = app.views().list::<Orders>(rows).await?;
    let shown = shown::many(&app, page.rows).await?;
    let page = projections::Page { rows: shown, next: page.next, has_more: page.has_more };
    Ok(page_of(page, |value| value))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadOrder {
    /// The order as it was at this time (RFC 3339).
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    at: Option<Timestamp>,
    /// The order as it was at this position.
    at_position: Option<String>,
}

/// One order with its payment and delivery, as it is, or as it was at a time or position.
#[utoipa::path(get, path = "/v1/orders/{order_id}", tag = "orders", params(("order_id" = Uuid, Path, description = "The order."), ReadOrder),
    security(("bearer" = [])), responses((status = 200, description = "The order.", body = OrderRow)))]
pub(super) async fn read(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    PathId(id): PathId<OrderId>,
    Params(query): Params<ReadOrder>,
) -> Result<Response, Problem> {
    match (query.at, query.at_position) {
        (None, None) => as_it_is(&app, &principal, &reading, id).await,
        (Some(at), None) => as_it_was(&app, &principal, id, |event| event.metadata.recorded_at <= at).await,
        (None, Some(text)) => {
            let at = parse_position(&text);
            let at =
                at.map_err(|error| Problem::new(Code::InvalidPosition, format!("at_position: {error}")))?;
            as_it_was(&app, &principal, id, |event| event.position <= at).await
        }
        (Some(_), Some(_)) => {
            Err(Problem::new(Code::InvalidQuery, "at and at_position exclude each other: give one"))
        }
    }
}

async fn as_it_is(
    app: &App,
    principal: &Principal,
    reading: &Reading,
    id: OrderId,
) -> Result<Response, Problem> {
    app.ready_to_read(Orders::NAME, reading).await?;
    let row = app.views().get::<Orders>(&id.to_string()).await?;
    let theirs = |row: &OrderRow| principal.may_see(&row.customer_id, &row.shop_id);
    let row = row.filter(theirs).ok_or_else(|| not_found(id))?;
    let (version, position) = (row.version, row.position);
    Ok(single(&reading.headers, version, position, shown::one(app, row).await?))
}

async fn as_it_was(
    app: &App,
    principal: &Principal,
    id: OrderId,
    within: impl Fn(&Envelope) -> bool,
) -> Result<Response, Problem> {
    must_see(app, principal, id).await?;
    let row = shown::fold(app, id, within).await?.ok_or_else(|| {
        Problem::new(Code::OrderNotFound, format!("the order {id} was not placed yet then"))
    })?;
    Ok(Json(shown::one(app, row).await?).into_response())
}
