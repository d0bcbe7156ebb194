//! `/v1/payment-callbacks`: what the payment provider tells of its own accord.
//!
//! A callback says what the answer to a call said, or would have said had it not been lost. It gives the payment the same
//! command as the process `payments` gives after an answer, so it does not matter which of them comes first, or how often.

use axum::{extract::State, http::StatusCode};
use domain::{
    Actor, PaymentId, RefundId, derive_uuid,
    payment::{CaptureOutcome, Payment, PaymentCommand, PaymentError, RefundOutcome},
};
use eventlog::{CommandContext, ExecuteError};
use garde::Validate;
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    problem::{Code, FieldError, Problem, ProblemSchema},
    web::{Body, Signed},
};

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(receive))
}

/// What became of a charge or a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum CallbackStatus {
    /// A charge: the money was taken.
    Captured,
    /// A charge: the money was not taken, and will not be under this key.
    Declined,
    /// A refund: the money was given back.
    Refunded,
    /// A refund: the money was not given back.
    Failed,
}

impl CallbackStatus {
    fn word(self) -> &'static str {
        match self {
            Self::Captured => "captured",
            Self::Declined => "declined",
            Self::Refunded => "refunded",
            Self::Failed => "failed",
        }
    }
}

/// A charge or a refund that is final at the provider.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct PaymentCallback {
    /// The provider's name for what it tells: 1 to 255 characters.
    #[garde(custom(word))]
    event_id: String,
    /// The idempotency key under which we called: `payment_id:attempt`, or `refund_id:attempt`.
    #[garde(custom(word))]
    #[schema(example = "01900000-0000-7000-8000-000000000000:1")]
    key: String,
    /// What became of it.
    #[garde(skip)]
    status: CallbackStatus,
    /// The provider's name for the charge or the refund. Needed with `captured` and `refunded`.
    #[garde(inner(custom(word)))]
    provider_ref: Option<String>,
    /// Why no money moved. Needed with `declined` and `failed`.
    #[garde(inner(custom(word)))]
    code: Option<String>,
    /// The idempotency key of the charge that a refund is taken from: `payment_id:attempt`. Needed with `refunded` and
    /// `failed`.
    #[garde(inner(custom(word)))]
    charge_key: Option<String>,
}
impl Body for PaymentCallback {}

/// These words may be stored for good.
fn word(text: &str, (): &()) -> garde::Result {
    if (1..=255).contains(&text.len()) && !text.contains(char::is_control) {
        return Ok(());
    }
    Err(garde::Error::new("must have 1 to 255 bytes and no control characters"))
}

/// A charge or a refund is final. For the payment provider, which proves itself by a signature instead of a token:
/// `Orderstream-Signature: t=<Unix seconds>,v1=<hex>`, where `v1` is the HMAC-SHA256 of `<t>.<body>` under the secret that
/// is shared with us (`gateway.callback_secret`), and `t` at most five minutes off. May come more than once, before the
/// answer to the call, and in any order. Answers of 404, 409 and 5xx may be tried again later.
#[utoipa::path(post, path = "/v1/payment-callbacks", tag = "payments", request_body = PaymentCallback, security(()),
    params(("Orderstream-Signature" = String, Header, description = "`t=<Unix seconds>,v1=<hex of HMAC-SHA256 over \"<t>.<body>\">`.")),
    responses(
        (status = 204, description = "Taken: it is on the log, now or from before."),
        (status = 401, description = "No signature, or one that is wrong or too old.", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 404, description = "`callbacks_off`, or no such payment or refund.", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 409, description = "The payment was never charged under this key, or it cannot take note of it now.", body = ProblemSchema, content_type = "application/problem+json")))]
async fn receive(State(app): State<App>, signed: Signed<PaymentCallback>) -> Result<StatusCode, Problem> {
    let Signed { body, request } = signed;
    let (payment_id, command) = command(&app, &body)?;
    let subject = |_, payment: &Payment| payment.details().map(|details| details.subject);
    let Some(subject) = app.inspect::<Payment, _>(&payment_id, subject).await? else {
        tracing::warn!(key = body.key, event = body.event_id, "a callback about a payment that nobody knows");
        return Err(unknown(&body.key));
    };
    let context = CommandContext {
        // The same in every repeat, and another one for every answer that there can be.
        command_id: derive_uuid(
            payment_id.uuid(),
            "callback",
            &format!("{}/{}", body.key, body.status.word()),
        ),
        correlation_id: subject.uuid(),
        causation_id: None,
        actor: Actor::Process("payment-callbacks".to_owned()),
        at: app.now(),
        traceparent: request.traceparent,
    };
    match app.execute::<Payment>(&payment_id, None, command, context).await {
        // The id is made of what is told: what was written under it was told by this very callback, in other words.
        Ok(_) | Err(ExecuteError::CommandIdReused { .. }) => Ok(StatusCode::NO_CONTENT),
        // Not our bug here, but a provider that tells what we never asked for.
        Err(ExecuteError::Refused(error @ PaymentError::UnknownAttempt { .. })) => {
            tracing::warn!(key = body.key, event = body.event_id, %error, "a callback about what was never asked for");
            Err(Problem::new(Code::Refused, error.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The payment, and what it is told: what the process `payments` would tell it.
fn command(app: &App, callback: &PaymentCallback) -> Result<(PaymentId, PaymentCommand), Problem> {
    let PaymentCallback { key, status, provider_ref, code, charge_key, .. } = callback;
    let needed = |field: &str, value: &Option<String>| {
        let said = format!("{} needs it", status.word());
        value.clone().ok_or_else(|| invalid(field, &said))
    };
    let capture = |outcome| {
        let (id, attempt) = parts(key).ok_or_else(|| unknown(key))?;
        Ok((PaymentId::from_uuid(id), PaymentCommand::RecordCapture { attempt, outcome, at: app.now() }))
    };
    let refund = |outcome| {
        let (id, attempt) = parts(key).ok_or_else(|| unknown(key))?;
        let charge_key = needed("charge_key", charge_key)?;
        let (payment_id, _) = parts(&charge_key).ok_or_else(|| unknown(&charge_key))?;
        let refund_id = RefundId::from_uuid(id);
        Ok((PaymentId::from_uuid(payment_id), PaymentCommand::RecordRefund { refund_id, attempt, outcome }))
    };
    match status {
        CallbackStatus::Captured => {
            capture(CaptureOutcome::Captured { provider_ref: needed("provider_ref", provider_ref)? })
        }
        CallbackStatus::Declined => capture(CaptureOutcome::Declined { decline_code: needed("code", code)? }),
        CallbackStatus::Refunded => {
            refund(RefundOutcome::Refunded { provider_ref: needed("provider_ref", provider_ref)? })
        }
        CallbackStatus::Failed => refund(RefundOutcome::Failed { failure_code: needed("code", code)? }),
    }
}

/// The parts of a key of ours.
fn parts(key: &str) -> Option<(uuid::Uuid, u32)> {
    let (id, attempt) = key.split_once(':')?;
    let parts = (id.parse().ok()?, attempt.parse().ok()?);
    (format!("{}:{}", parts.0, parts.1) == key).then_some(parts)
}

fn invalid(field: &str, detail: &str) -> Problem {
    let error = FieldError { field: field.to_owned(), detail: detail.to_owned() };
    Problem::new(Code::InvalidBody, format!("{field}: {detail}")).with_errors(vec![error])
}

fn unknown(key: &str) -> Problem {
    Problem::new(Code::PaymentNotFound, format!("there is no payment of ours under the key {key}"))
}
