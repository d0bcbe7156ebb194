//! Tokens for many customers, signed here with the server's key: a program run for each would take longer than the load.

use std::path::Path;

use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use crate::Failure;

/// Where a server keeps its key, in its data folder.
const KEY: &str = "signing.key";
/// Whom a server's tokens are for.
const AUDIENCE: &str = "orderstream";
/// How long they are good. Seconds.
const VALID_SECS: i64 = 3_600;

/// Signs as the server whose data folder it was given.
pub(crate) struct Signer(EncodingKey);

impl Signer {
    pub(crate) fn of(data: &Path) -> Result<Self, Failure> {
        Ok(Self(EncodingKey::from_secret(&std::fs::read(data.join(KEY))?)))
    }

    /// A token of `sub` in the role of a customer or an admin.
    pub(crate) fn token(&self, sub: &str, role: &str) -> Result<String, Failure> {
        let now = Utc::now().timestamp();
        let claims = serde_json::json!({
            "sub": sub, "role": role, "aud": AUDIENCE, "iat": now, "exp": now + VALID_SECS,
        });
        Ok(encode(&Header::new(Algorithm::HS256), &claims, &self.0)?)
    }
}
