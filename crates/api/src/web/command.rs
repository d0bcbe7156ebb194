//! A command as it arrives: who, what, under which key.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::HeaderMap,
};
use eventlog::CommandContext;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Body, IfMatch, RequestContext, Ticket,
    admission::{Admitted, Place},
    body,
};
use crate::{
    accounts::KeyedRequest,
    app::App,
    auth::Principal,
    problem::{Code, Problem},
};

/// A command: its principal is known and its body is valid.
pub struct Command<T> {
    /// Who gives it.
    pub principal: Principal,
    /// What they say.
    pub body: T,
    /// What goes with it.
    pub meta: CommandMeta,
}

/// What goes with a command.
#[derive(Clone, Debug)]
pub struct CommandMeta {
    /// Its idempotency key, if it has one.
    pub keyed: Option<KeyedRequest>,
    /// The version it must meet, if any.
    pub if_match: Option<IfMatch>,
    /// Request id and trace.
    pub request: RequestContext,
    /// Held until its work has ended.
    pub(super) place: Option<Arc<Place>>,
    principal: Principal,
}

impl CommandMeta {
    /// What the executor is told of the command. `correlation_id`: the order (product, shop) that it is about.
    #[must_use]
    pub fn context(&self, app: &App, ticket: Ticket, correlation_id: Uuid) -> CommandContext {
        CommandContext {
            command_id: ticket.ids.command_id,
            correlation_id,
            causation_id: None,
            actor: self.principal.actor(),
            at: app.now(),
            traceparent: self.request.traceparent.clone(),
        }
    }

    /// The version that If-Match asks for.
    #[must_use]
    pub fn expected(&self) -> Option<domain::Version> {
        self.if_match.and_then(IfMatch::version)
    }
}

impl<T: Body> FromRequest<App> for Command<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let principal = Principal::from_request_parts(&mut parts, app).await;
        // The body is read in any case, so that a client that still writes it can read the answer.
        let read = body::read(&parts.headers, body, app.settings.max_body_bytes);
        let bytes = match tokio::time::timeout(app.settings.admission.body_wait(), read).await {
            Ok(bytes) => bytes,
            // Whoever sends so slowly does not hold a place for longer.
            Err(_) => Err(too_slow(app.settings.admission.body_wait_ms)),
        };
        let (principal, bytes) = (principal?, bytes?);
        let if_match = IfMatch::from_headers(&parts.headers)?;
        let key = idempotency_key(&parts.headers)?;
        let keyed = key.map(|key| {
            let mut hash = Sha256::new();
            for part in [parts.method.as_str().as_bytes(), parts.uri.path().as_bytes(), &bytes] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
            KeyedRequest { space: principal.key_space(), key, hash: hash.finalize().into() }
        });
        let request = RequestContext::from_request_parts(&mut parts, app).await?;
        let body = body::parse(&parts.headers, &bytes)?;
        let place = Admitted::place(&parts.extensions);
        let meta = CommandMeta { keyed, if_match, request, place, principal: principal.clone() };
        Ok(Self { principal, body, meta })
    }
}

pub(super) fn too_slow(wait_ms: u64) -> Problem {
    Problem::new(Code::BodyTooSlow, format!("the body did not come within {wait_ms} ms"))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = value.to_str().unwrap_or_default();
    let good = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if good && values.next().is_none() {
        return Ok(Some(key.to_owned()));
    }
    Err(Problem::new(
        Code::InvalidHeader,
        "Idempotency-Key must be given once, with 1 to 255 visible ASCII characters",
    ))
}
