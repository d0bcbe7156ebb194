//! A message of the payment provider, who has no token: its signature says that it is theirs.

use axum::extract::{FromRequest, FromRequestParts, Request};
use gateway::signature::{SIGNATURE, verify};

use super::{Body, RequestContext, body, command::too_slow};
use crate::{
    app::App,
    problem::{Code, Problem},
};

/// A body that was signed, just now, with the secret that we share with the provider.
pub struct Signed<T> {
    /// What they say.
    pub body: T,
    /// Request id and trace.
    pub request: RequestContext,
}

impl<T: Body> FromRequest<App> for Signed<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let read = body::read(&parts.headers, body, app.settings.max_body_bytes);
        let bytes = match tokio::time::timeout(app.settings.admission.body_wait(), read).await {
            Ok(bytes) => bytes?,
            Err(_) => return Err(too_slow(app.settings.admission.body_wait_ms)),
        };
        let secret = &app.settings.gateway.callback_secret;
        if secret.is_empty() {
            let detail = "callbacks are not taken here: gateway.callback_secret is not set";
            return Err(Problem::new(Code::CallbacksOff, detail));
        }
        let wrong = |why: &str| Problem::new(Code::SignatureInvalid, why);
        let mut values = parts.headers.get_all(SIGNATURE).iter();
        let header = match (values.next(), values.next()) {
            (Some(one), None) => one.to_str().unwrap_or_default(),
            (None, _) => return Err(wrong("the header Orderstream-Signature is missing")),
            (Some(_), Some(_)) => return Err(wrong("Orderstream-Signature must be given once")),
        };
        // By the clock of the system: the provider knows no other.
        verify(secret, header, app.now().timestamp(), &bytes).map_err(|error| wrong(&error.to_string()))?;
        let request = RequestContext::from_request_parts(&mut parts, app).await?;
        Ok(Self { body: body::parse(&parts.headers, &bytes)?, request })
    }
}
