//! Timelines: every step of an order, and of everything of a customer.

use axum::{extract::State, response::Response};
use domain::{CustomerId, OrderId};
use projections::{Timeline, TimelineStep, View};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::orders::must_see;
use crate::{
    app::App,
    auth::{Principal, Role},
    problem::{Code, Problem},
    web::{OnlyPages, Page, Params, PathId, Reading, page_of, present_step},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(of_order)).routes(routes!(of_customer))
}

/// Every step of an order, of its payment, its delivery, its messages and its stock, oldest first.
#[utoipa::path(get, path = "/v1/orders/{order_id}/timeline", tag = "orders", params(("order_id" = Uuid, Path, description = "The order."), OnlyPages),
    security(("bearer" = [])), responses((status = 200, description = "A page of steps.", body = Page<TimelineStep>)))]
async fn of_order(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    PathId(id): PathId<OrderId>,
    Params(query): Params<OnlyPages>,
) -> Result<Response, Problem> {
    must_see(&app, &principal, id).await?;
    let rows = query.checked()?.oldest().parts_of(id.uuid());
    app.ready_to_read(Timeline::NAME, &reading).await?;
    Ok(page_of(app.views().list::<Timeline>(rows).await?, |step| present_step(&step)))
}

/// Every step of all orders of a customer (`me` for oneself), newest first.
#[utoipa::path(get, path = "/v1/customers/{customer_id}/timeline", tag = "customers",
    params(("customer_id" = String, Path, description = "The customer, or `me`."), OnlyPages),
    security(("bearer" = [])), responses((status = 200, description = "A page of steps.", body = Page<TimelineStep>)))]
async fn of_customer(
    State(app): State<App>,
    principal: Principal,
    reading: Reading,
    PathId(customer): PathId<CustomerId>,
    Params(query): Params<OnlyPages>,
) -> Result<Response, Problem> {
    principal.must_be(&[Role::Customer, Role::Admin])?;
    let customer = whose(&principal, customer)?;
    let rows = query.checked()?.newest();
    let rows = rows.filter("customer_id", customer.as_str());
    app.ready_to_read(Timeline::NAME, &reading).await?;
    Ok(page_of(app.views().list::<Timeline>(rows).await?, |step| present_step(&step)))
}

/// The customer in a path: `me` is oneself; others are an admin's business only.
pub(super) fn whose(principal: &Principal, named: CustomerId) -> Result<CustomerId, Problem> {
    match (principal.role, named.as_str()) {
        (Role::Customer, "me") => Ok(principal.sub.clone()),
        (Role::Customer, name) if name == principal.sub.as_str() => Ok(named),
        (Role::Admin, _) => Ok(named),
        _ => Err(Problem::new(Code::NotFound, format!("there is no customer {:?}", named.as_str()))),
    }
}
