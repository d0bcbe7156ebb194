//! The routes of the provider contract, and of the sandbox about itself.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{
        DefaultBodyLimit, Path, Query, Request, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use sagas::ports::{GatewayError, LedgerEntry, LedgerKind};
use serde::Deserialize;
use tokio_util::task::TaskTracker;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    broken::{Broken, Refused},
    callbacks::Asked,
    problem::Problem,
    request::{Body, Key},
};
use crate::{
    behaviour::Behaviour,
    sandbox::{Answered, Sandbox},
    wire::{
        Callback, ChargeAnswer, ChargeRequest, LedgerAnswer, ProblemDocument, RefundReply, RefundRequest,
        UNKNOWN_CHARGE, VoidAnswer,
    },
};

/// The largest body. Bytes. *Source*: ours; a body of the contract has a few hundred.
const MAX_BODY: usize = 64 * 1024;

/// What the routes reach.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) sandbox: Sandbox,
    /// What callbacks need to know of calls.
    pub(super) asked: Asked,
    /// Calls under way. They belong to the server: a caller who hangs up loses only the answer.
    pub(super) calls: TaskTracker,
}

impl Shared {
    /// Carries `call` out, whether or not anybody waits for it; the answer, unless it is to go wrong on the way.
    async fn carry_out<T: Send + 'static>(
        &self,
        call: impl FnOnce(Sandbox) -> BoxedCall<T>,
    ) -> Result<Result<T, Broken>, Problem> {
        match self.calls.spawn(call(self.sandbox.clone())).await {
            Ok(answered) => {
                let Answered { answer, fault } = answered?;
                Ok(fault.map_or(Ok(answer), |fault| Err(Broken(fault))))
            }
            Err(error) => {
                tracing::error!(%error, "a call of the payment sandbox failed");
                Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "the call failed"))
            }
        }
    }

    /// Refuses a key that was used for something else.
    async fn only_for(&self, key: &str, same: impl Fn(&LedgerEntry) -> bool) -> Result<(), Problem> {
        match self.sandbox.entry(key).await? {
            Some(entry) if !same(&entry) => Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                format!("the key {key} was used for another call: use a new key for a new call"),
            )),
            _ => Ok(()),
        }
    }
}

type BoxedCall<T> = std::pin::Pin<Box<dyn Future<Output = Result<Answered<T>, GatewayError>> + Send>>;

/// An answer, or one that has gone wrong on the way.
type Answer<A> = Result<Json<A>, Refused>;

fn answer<T, A: From<T>>(answered: Result<T, Broken>) -> Answer<A> {
    Ok(Json(answered?.into()))
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "orderstream payment provider",
        description = "What orderstream asks of a payment provider, served by its sandbox. Money is `{amount_minor, currency}`. \
            Every POST carries `Idempotency-Key`: the same key never moves money twice and answers what it answered first; \
            with another amount it is refused (422). An answer of 200 is final. Every other answer says nothing about \
            whether money moved, except that 404 `charge_not_found` says that nothing is known yet. Errors are problem \
            documents (RFC 9457) with a `code`.\n\nPayment methods of the sandbox: `tok_ok`, `tok_declined`, \
            `tok_insufficient_funds`, `tok_slow` (2 s), `tok_timeout_then_captured` (captured; the first answer is lost).\n\nA \
            provider that calls back posts `Callback` to the platform's `/v1/payment-callbacks` for every charge and refund that \
            is final, signed: `Orderstream-Signature: t=<Unix seconds>,v1=<hex>`, the HMAC-SHA256 of `<t>.<body>` under the \
            shared secret. It may come more than once, in any order, and before the answer; 2xx means taken.",
    ),
    tags(
        (name = "provider", description = "The contract: what any provider has to do."),
        (name = "sandbox", description = "Only in the sandbox: its books and its behaviour."),
        (name = "health", description = "For load balancers."),
    ),
    components(schemas(Callback)),
)]
struct Outline;

/// All routes.
pub(super) fn router(shared: Shared) -> Router {
    let provider = OpenApiRouter::new()
        .routes(routes!(charge))
        .routes(routes!(void))
        .routes(routes!(look_up))
        .routes(routes!(refund))
        .route_layer(middleware::from_fn_with_state(shared.clone(), unless_down));
    let (router, document) = OpenApiRouter::with_openapi(Outline::openapi())
        .merge(provider)
        .routes(routes!(ledger))
        .routes(routes!(behaviour, behave))
        .routes(routes!(livez))
        .routes(routes!(readyz))
        .split_for_parts();
    let document = Arc::new(document);
    router
        .route("/openapi.json", get(move || std::future::ready(Json(document.clone()).into_response())))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(shared)
}

async fn unless_down(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if shared.sandbox.behaviour().outage {
        return Problem::outage().into_response();
    }
    next.run(request).await
}

async fn no_route(request: Request) -> Problem {
    let detail = format!("there is no {}; /openapi.json lists what there is", request.uri().path());
    Problem::new(StatusCode::NOT_FOUND, "no_such_route", detail)
}

async fn no_method(request: Request) -> Problem {
    let detail = format!("{} is not for {}", request.uri().path(), request.method());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
}

/// Takes money.
#[utoipa::path(post, path = "/v1/charges", tag = "provider", request_body = ChargeRequest,
    params(("Idempotency-Key" = String, Header, description = "Names the charge: 1 to 255 printable ASCII characters.")),
    responses(
        (status = 200, description = "Final.", body = ChargeAnswer),
        (status = 400, description = "No key, or no JSON.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "Another body than this takes, or a key that was used for another call.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Try again with the same key.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "Not known; look it up, or try again with the same key.", body = ProblemDocument, content_type = "application/problem+json")))]
async fn charge(
    State(shared): State<Shared>,
    Key(key): Key,
    Body(request): Body<ChargeRequest>,
) -> Answer<ChargeAnswer> {
    let ChargeRequest { amount, payment_method } = request;
    let same = |entry: &LedgerEntry| match entry.kind {
        LedgerKind::Charge => {
            (entry.amount_minor, entry.currency.as_str()) == (amount.amount_minor, amount.currency.code())
        }
        // A charge that comes after its void is declined.
        LedgerKind::Void => true,
        LedgerKind::Refund => false,
    };
    shared.only_for(&key, same).await?;
    let call = |sandbox: Sandbox| -> BoxedCall<_> {
        Box::pin(async move { sandbox.charged(&key, amount, &payment_method).await })
    };
    answer(shared.carry_out(call).await?)
}

/// Makes sure that nothing is charged under a key from here on, and tells what was charged before.
#[utoipa::path(post, path = "/v1/charges/{key}/void", tag = "provider",
    params(
        ("key" = String, Path, description = "The charge's idempotency key, percent-encoded."),
        ("Idempotency-Key" = String, Header, description = "The same key.")),
    responses(
        (status = 200, description = "Final.", body = VoidAnswer),
        (status = 400, description = "No key.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "Two different keys, or the key of a refund.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Try again.", body = ProblemDocument, content_type = "application/problem+json")))]
async fn void(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
    Key(header): Key,
) -> Answer<VoidAnswer> {
    let Path(key) = path.map_err(Problem::from)?;
    if key != header {
        let detail = format!(
            "the path is about {key} and Idempotency-Key is {header}: a void is named by the charge's key"
        );
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "keys_differ", detail).into());
    }
    shared.only_for(&key, |entry| entry.kind != LedgerKind::Refund).await?;
    let call = |sandbox: Sandbox| -> BoxedCall<_> { Box::pin(async move { sandbox.voided(&key).await }) };
    answer(shared.carry_out(call).await?)
}

/// What became of a charge.
#[utoipa::path(get, path = "/v1/charges/{key}", tag = "provider",
    params(("key" = String, Path, description = "The charge's idempotency key, percent-encoded.")),
    responses(
        (status = 200, description = "Final.", body = ChargeAnswer),
        (status = 404, description = "`charge_not_found`: nothing is known under this key, yet.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Try again.", body = ProblemDocument, content_type = "application/problem+json")))]
async fn look_up(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
) -> Answer<ChargeAnswer> {
    let Path(key) = path.map_err(Problem::from)?;
    let looked_up = shared.sandbox.looked_up(&key).await.map_err(Problem::from)?;
    if let Some(fault) = looked_up.fault {
        return Err(Broken(fault).into());
    }
    let unknown = || {
        let detail = format!("no charge is known under the key {key}; it may still come");
        Problem::new(StatusCode::NOT_FOUND, UNKNOWN_CHARGE, detail)
    };
    Ok(Json(looked_up.answer.ok_or_else(unknown)?.into()))
}

/// Gives money back.
#[utoipa::path(post, path = "/v1/refunds", tag = "provider", request_body = RefundRequest,
    params(("Idempotency-Key" = String, Header, description = "Names the refund: 1 to 255 printable ASCII characters.")),
    responses(
        (status = 200, description = "Final for the key.", body = RefundReply),
        (status = 400, description = "No key, or no JSON.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "Another body than this takes, or a key that was used for another call.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Try again with the same key.", body = ProblemDocument, content_type = "application/problem+json")))]
async fn refund(
    State(shared): State<Shared>,
    Key(key): Key,
    Body(request): Body<RefundRequest>,
) -> Answer<RefundReply> {
    let RefundRequest { charge_ref, amount } = request;
    let same = |entry: &LedgerEntry| {
        let asked = (LedgerKind::Refund, amount.amount_minor, amount.currency.code());
        (entry.kind, entry.amount_minor, entry.currency.as_str()) == asked
            && entry.charge_ref.as_deref().is_none_or(|of| of == charge_ref)
    };
    shared.only_for(&key, same).await?;
    shared.asked.refund(&key, &charge_ref);
    let call = |sandbox: Sandbox| -> BoxedCall<_> {
        Box::pin(async move { sandbox.refunded(&key, &charge_ref, amount).await })
    };
    answer(shared.carry_out(call).await?)
}

/// Where a page of the books begins.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PageQuery {
    /// `next` of the page before; left out: the first page.
    after: Option<i64>,
}

/// The books: every key that was ever used, 1000 at a time. They can be read during an outage that was ordered.
#[utoipa::path(get, path = "/v1/ledger", tag = "provider", params(PageQuery),
    responses(
        (status = 200, description = "In the order in which they came in.", body = LedgerAnswer),
        (status = 400, description = "Not a page that was handed out.", body = ProblemDocument, content_type = "application/problem+json")))]
async fn ledger(
    State(shared): State<Shared>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<LedgerAnswer>, Problem> {
    let wrong =
        |error: QueryRejection| Problem::new(StatusCode::BAD_REQUEST, "invalid_query", error.body_text());
    let Query(query) = query.map_err(wrong)?;
    Ok(Json(shared.sandbox.page(query.after.unwrap_or(0)).await?.into()))
}

/// How the sandbox behaves.
#[utoipa::path(get, path = "/v1/behaviour", tag = "sandbox",
    responses((status = 200, description = "How it behaves now.", body = Behaviour)))]
async fn behaviour(State(shared): State<Shared>) -> Json<Behaviour> {
    Json(shared.sandbox.behaviour())
}

/// Has the sandbox behave otherwise from the next call on. What is left out is zero or false.
#[utoipa::path(put, path = "/v1/behaviour", tag = "sandbox", request_body = Behaviour,
    responses(
        (status = 200, description = "How it behaves now.", body = Behaviour),
        (status = 400, description = "No JSON.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "It cannot behave so.", body = ProblemDocument, content_type = "application/problem+json")))]
async fn behave(
    State(shared): State<Shared>,
    Body(behaviour): Body<Behaviour>,
) -> Result<Json<Behaviour>, Problem> {
    let wrong = |error: crate::BehaviourError| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_behaviour", error.to_string())
    };
    shared.sandbox.behave(behaviour).map_err(wrong)?;
    Ok(Json(behaviour))
}

/// Whether it runs.
#[utoipa::path(get, path = "/livez", tag = "health", responses((status = 200, description = "It does.")))]
async fn livez() -> &'static str {
    "ok"
}

/// Whether its books can be written. An outage that it was told to have does not count.
#[utoipa::path(get, path = "/readyz", tag = "health",
    responses(
        (status = 200, description = "They can."),
        (status = 503, description = "They cannot.", body = ProblemDocument, content_type = "application/problem+json")))]
async fn readyz(State(shared): State<Shared>) -> Result<&'static str, Problem> {
    shared.sandbox.entry("").await?;
    Ok("ok")
}
