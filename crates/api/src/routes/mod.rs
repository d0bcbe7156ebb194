//! The HTTP interface: one file per resource. A route parses, authorises, gives one command and answers; whatever it
//! needs beyond that is in [`crate::web`].

mod admin;
mod contacts;
mod coupons;
mod customers;
mod deliveries;
mod docs;
mod health;
mod ids;
mod metrics;
mod notifications;
mod orders;
mod payment_callbacks;
mod payments;
mod products;
mod refunds;
mod reservations;
mod resorts;
mod shops;
mod timeline;
mod vouchers;

use axum::{Router, middleware, routing::get};
use serde_json::Value;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::{Config, SwaggerUi};

pub(crate) use metrics::Asked;

use crate::{
    app::App,
    openapi, problem,
    web::{admit, observe, request_context},
};

/// Every documented route.
fn documented() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::outline())
        .merge(shops::router())
        .merge(products::router())
        .merge(orders::router())
        .merge(deliveries::router())
        .merge(payments::router())
        .merge(payment_callbacks::router())
        .merge(refunds::router())
        .merge(coupons::router())
        .merge(resorts::router())
        .merge(reservations::router())
        .merge(vouchers::router())
        .merge(notifications::router())
        .merge(timeline::router())
        .merge(customers::router())
        .merge(contacts::router())
        .merge(admin::router())
        .merge(health::router())
        .merge(metrics::router())
        .merge(docs::router())
}

/// The OpenAPI document.
#[must_use]
pub fn document() -> Value {
    openapi::finish(documented().get_openapi())
}

/// All routes. A process that does not run `api` answers only whether it lives and is ready, and what it counts.
pub fn router(app: &App) -> Router {
    let routes =
        if app.settings.runs_api() { documented() } else { health::router().merge(metrics::router()) };
    let (routes, outline) = routes.split_for_parts();
    let document = openapi::finish(&outline);
    let routes = routes.route("/openapi.json", get(move || async move { axum::Json(document) }));
    let routes = if app.settings.runs_api() {
        routes.merge(SwaggerUi::new("/docs").config(Config::from("/openapi.json")))
    } else {
        routes
    };
    routes
        .layer(CatchPanicLayer::custom(problem::on_panic))
        .layer(middleware::from_fn(problem::only_problems))
        .layer(middleware::from_fn_with_state(app.clone(), admit))
        .layer(middleware::from_fn_with_state(app.clone(), request_context))
        .layer(middleware::from_fn_with_state(app.clone(), observe))
        .with_state(app.clone())
}
