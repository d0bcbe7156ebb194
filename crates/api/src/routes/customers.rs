//! `/v1/customers/{customer_id}/page`: everything that a customer ordered and reserved.

use axum::{extract::State, response::Response};
use domain::CustomerId;
use projections::{CustomerEntry, Orders, Reservations, View};
use serde::Deserialize;
use serde_json::Value;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{orders, reservations, timeline::whose};
use crate::{
    app::App,
    auth::{Principal, Role},
    problem::Problem,
    web::{Page, PageQuery, Params, PathId, Reading, page_of},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(page))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListEntries {
    /// 1 to 100; 20 unless said.
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// All orders and reservations of a customer (`me` for oneself) together, newest first. `kind` tells which is which.
#[utoipa::path(get, path = "/v1/customers/{customer_id}/page", tag = "customers",
    params(("customer_id" = String, Path, description = "The customer, or `me`."), ListEntries),
    security(("bearer" = [])), responses((status = 200, description = "A page of orders and reservations.", body = Page<CustomerEntry>)))]
async fn page(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    PathId(customer): PathId<CustomerId>,
    Params(query): Params<ListEntries>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Customer, Role::Admin])?;
    let customer = whose(&principal, customer)?;
    let (limit, after) = PageQuery::new(query.limit, query.cursor.as_deref())?.parts();
    app.ready_to_read(Orders::NAME, &reading).await?;
    app.ready_to_read(Reservations::NAME, &reading).await?;
    let found = app.views.customer_page(customer.as_str(), after, limit).await?;
    let mut rows = Vec::with_capacity(found.rows.len());
    for entry in found.rows {
        rows.push(shown(&app, entry).await?);
    }
    Ok(page_of(projections::Page { rows, next: found.next, has_more: found.has_more }, |value| value))
}

async fn shown(app: &App, entry: CustomerEntry) -> Result<Value, Problem> {
    let (kind, mut value) = match entry {
        CustomerEntry::Order(row) => ("order", orders::shown(app, *row).await?),
        CustomerEntry::Reservation(row) => ("reservation", reservations::shown(app, *row).await?),
    };
    value["kind"] = kind.into();
    Ok(value)
}
