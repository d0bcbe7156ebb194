//! `/v1/admin/gateway`: how the payment provider is doing, as seen from here.

use std::time::Duration;

use axum::{Json, extract::State};
use gateway::GatewayOptions;
use sagas::{Availability, GatewayFigures};
use serde::Serialize;
use serde_json::Value;
use tokio::time::timeout;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    auth::{Principal, Role},
    problem::Problem,
};

/// How long the store may take to say whether payments can be made.
const STORE: Duration = Duration::from_secs(1);

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}

/// How the payment provider is doing.
#[derive(Serialize, utoipa::ToSchema)]
struct Gateway {
    /// `sandbox`: inside this process. `http`: at `gateway.url`. `elsewhere`: this process makes no payments.
    provider: &'static str,
    /// Whether orders that are paid at once are taken; null when the store does not answer.
    availability: Option<Published>,
    /// Requests of this process that wait for the provider.
    waiting: Waiting,
    /// Circuit breaker, bulkhead and retry budget of this process: state, open_for_ms, opened, refused, window_calls,
    /// window_failures, window_slow, under_way, places, first_tries, retries, retries_put_off, retries_left, last_error.
    /// Null where it makes no payments, or its provider needs no guard.
    #[schema(value_type = Option<Object>)]
    guard: Option<GatewayFigures>,
    /// The options in force, as in the section `[gateway]` of the settings.
    #[schema(value_type = Object)]
    options: Value,
}

/// Whether payments can be made, as those who make them say.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PaymentsAvailability)]
struct Published {
    /// Whether they can.
    available: bool,
    /// If not, after how long it makes sense to ask again. Milliseconds.
    retry_after_ms: Option<u64>,
}

/// Requests that wait for the provider.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = PaymentsWaiting)]
struct Waiting {
    /// How many do.
    under_way: usize,
    /// How many may.
    places: usize,
}

/// How the payment provider is doing: circuit breaker, calls under way, retries, and what orders are told.
#[utoipa::path(get, path = "/v1/admin/gateway", tag = "admin", security(("bearer" = [])),
    responses((status = 200, description = "The provider as seen from here.", body = Gateway)))]
async fn show(State(app): State<App>, principal: Principal) -> Result<Json<Gateway>, Problem> {
    principal.must_be(&[Role::Admin])?;
    let makes_payments = app.settings.runs_process("payments");
    let provider = match (makes_payments, app.settings.gateway.in_process()) {
        (false, _) => "elsewhere",
        (true, true) => "sandbox",
        (true, false) => "http",
    };
    let availability = timeout(STORE, app.sagas.payments_availability()).await.ok().and_then(Result::ok);
    let waiting = &app.admission.waiting_for_payment;
    Ok(Json(Gateway {
        provider,
        availability: availability.map(published),
        waiting: Waiting { under_way: waiting.taken(), places: waiting.places() },
        guard: makes_payments.then(|| app.gateway.figures()).flatten(),
        options: options(&app.settings.gateway),
    }))
}

fn published(availability: Availability) -> Published {
    match availability {
        Availability::Available => Published { available: true, retry_after_ms: None },
        Availability::Unavailable { retry_after } => {
            let millis = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX);
            Published { available: false, retry_after_ms: Some(millis) }
        }
    }
}

/// A URL with a password in it is refused at start, so there is nothing to hide.
fn options(options: &GatewayOptions) -> Value {
    serde_json::to_value(options).expect("numbers and words under names are JSON")
}
