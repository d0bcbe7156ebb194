//! `/v1/customers/{customer_id}/page`: everything that a customer ordered and reserved.

use axum::{extract::State, response::Response};
use domain::CustomerId;
use projections::{CustomerEntry, Orders, Reservations, View};
use serde_json::Value;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{orders, reservations, timeline::whose};
use crate::{
    app::App,
    auth::{Principal, Role},
    problem::Problem,
    web::{OnlyPages, Page, Params, PathId, Reading, page_of},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(page))
}

/// All orders and reservations of a customer (`me` for oneself) together, newest first. `kind` tells which is which.
#[utoipa::path(get, path = "/v1/customers/{customer_id}/page", tag = "customers",
    params(("customer_id" = String, Path, description = "The customer, or `me`."), OnlyPages),
    security(("bearer" = [])), responses((status = 200, description = "A page of orders and reservations.", body = Page<CustomerEntry>)))]
async fn page(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    PathId(customer): PathId<CustomerId>,
    Params(query): Params<OnlyPages>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Customer, Role::Admin])?;
    let customer = whose(&principal, customer)?;
    let (limit, after) = query.checked()?.parts();
    app.ready_to_read(Orders::NAME, &reading).await?;
    app.ready_to_read(Reservations::NAME, &reading).await?;
    let found = app.views().customer_page(customer.as_str(), after, limit).await?;
    let rows = shown(&app, found.rows).await?;
    Ok(page_of(projections::Page { rows, next: found.next, has_more: found.has_more }, |value| value))
}

/// Shows each kind together, so that what is kept apart is read once for a page, then puts them back in order.
async fn shown(app: &App, entries: Vec<CustomerEntry>) -> Result<Vec<Value>, Problem> {
    let kinds: Vec<&str> = entries.iter().map(kind).collect();
    let (mut of_orders, mut of_reservations) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            CustomerEntry::Order(row) => of_orders.push(*row),
            CustomerEntry::Reservation(row) => of_reservations.push(*row),
        }
    }
    let mut of_orders = orders::shown(app, of_orders).await?.into_iter();
    let mut of_reservations = reservations::shown(app, of_reservations).await?.into_iter();
    let next = |kind: &str| {
        let mut value = if kind == "order" { of_orders.next() } else { of_reservations.next() }?;
        value["kind"] = kind.into();
        Some(value)
    };
    Ok(kinds.into_iter().filter_map(next).collect())
}

fn kind(entry: &CustomerEntry) -> &'static str {
    match entry {
        CustomerEntry::Order(_) => "order",
        CustomerEntry::Reservation(_) => "reservation",
    }
}
