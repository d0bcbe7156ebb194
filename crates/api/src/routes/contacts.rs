//! `/v1/customers/{customer_id}/contacts`: the right to be forgotten.

use axum::{extract::State, response::Response};
use domain::CustomerId;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::timeline::whose;
use crate::{
    app::App,
    auth::Role,
    problem::Problem,
    web::{Answer, Command, NoBody, PathId},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(erase))
}

/// Erases everything personal of a customer (`me` for oneself): names, phones, addresses, reasons, payment tokens. Orders
/// stay, and show `erased`.
#[utoipa::path(delete, path = "/v1/customers/{customer_id}/contacts", tag = "customers",
    params(("customer_id" = String, Path, description = "The customer, or `me`.")), security(("bearer" = [])),
    responses((status = 204, description = "It is erased.")))]
async fn erase(
    State(app): State<App>,
    PathId(customer): PathId<CustomerId>,
    command: Command<NoBody>,
) -> Result<Response, Problem> {
    command.principal.must_be(&[Role::Customer, Role::Admin])?;
    let customer = whose(&command.principal, customer)?;
    command
        .meta
        .once(&app.clone(), |ticket, _| async move {
            Ok(ticket.then(async move {
                let erased = app.accounts.erase(&customer).await?;
                tracing::info!(rows = erased, "personal data was erased");
                Ok(Answer::no_content())
            }))
        })
        .await
}
