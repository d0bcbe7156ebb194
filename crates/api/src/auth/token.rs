//! Tokens: HS256, pinned; `exp` and `aud` are required.

use domain::{CustomerId, ShopId, Timestamp};
use jsonwebtoken::{Algorithm, Header, Validation, decode, encode, errors::ErrorKind};
use serde::{Deserialize, Serialize};

use super::{Keys, Principal, Role};

/// Whom the tokens are for.
pub const AUDIENCE: &str = "orderstream";

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shop: Option<String>,
    aud: String,
    iat: i64,
    exp: i64,
}

/// What a new token is to say.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// Who.
    pub sub: String,
    /// As what.
    pub role: Role,
    /// Whose shop; needed for the role `shop`.
    pub shop: Option<String>,
    /// For how long.
    pub ttl: std::time::Duration,
}

/// Why a token is not made or not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once.
    #[error("the token is expired")]
    Expired,
    /// Signature, algorithm, audience or shape.
    #[error("the token is not valid: {0}")]
    Invalid(String),
    /// A claim that makes no sense.
    #[error("the token's claim {claim:?} is wrong: {reason}")]
    Claim {
        /// Which.
        claim: &'static str,
        /// Why.
        reason: String,
    },
}

fn principal(sub: &str, role: Role, shop: Option<&str>) -> Result<Principal, TokenError> {
    let wrong = |claim, reason: String| TokenError::Claim { claim, reason };
    let sub: CustomerId =
        sub.parse().map_err(|error: domain::ids::IdError| wrong("sub", error.to_string()))?;
    let shop: Option<ShopId> = shop
        .map(str::parse)
        .transpose()
        .map_err(|error: domain::ids::IdError| wrong("shop", error.to_string()))?;
    if (role == Role::Shop) != shop.is_some() {
        let reason = "the role shop needs it, and no other role may have it";
        return Err(wrong("shop", reason.to_owned()));
    }
    Ok(Principal { sub, role, shop })
}

impl Keys {
    /// A token for `request`, valid from `now` on.
    ///
    /// # Errors
    /// A claim that makes no sense.
    pub fn issue(&self, request: &TokenRequest, now: Timestamp) -> Result<String, TokenError> {
        let ttl = i64::try_from(request.ttl.as_secs()).unwrap_or(i64::MAX);
        if ttl == 0 {
            return Err(TokenError::Claim {
                claim: "exp",
                reason: "a token is valid for at least 1 s".to_owned(),
            });
        }
        principal(&request.sub, request.role, request.shop.as_deref())?;
        let claims = Claims {
            sub: request.sub.clone(),
            role: request.role,
            shop: request.shop.clone(),
            aud: AUDIENCE.to_owned(),
            iat: now.timestamp(),
            exp: now.timestamp().saturating_add(ttl),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|error| TokenError::Invalid(error.to_string()))
    }

    /// Who bears this token.
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn verify(&self, token: &str) -> Result<Principal, TokenError> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        validation.leeway = 0;
        let claims =
            decode::<Claims>(token, &self.decoding, &validation).map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => TokenError::Expired,
                _ => TokenError::Invalid(error.to_string()),
            })?;
        let Claims { sub, role, shop, .. } = claims.claims;
        principal(&sub, role, shop.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    fn keys() -> Keys {
        Keys::from_secret(&[7; 32])
    }

    fn request(role: Role, shop: Option<&str>) -> TokenRequest {
        let shop = shop.map(str::to_owned);
        TokenRequest { sub: "alice".to_owned(), role, shop, ttl: Duration::from_secs(60) }
    }

    #[test]
    fn a_token_is_read_as_it_was_made() {
        let token = keys().issue(&request(Role::Shop, Some("phone")), chrono::Utc::now()).unwrap();
        let principal = keys().verify(&token).unwrap();
        assert_eq!(principal.actor().to_string(), "shop:phone");
        assert!(
            principal.works_for(&"phone".parse().unwrap()) && !principal.works_for(&"books".parse().unwrap())
        );
    }

    #[test]
    fn an_expired_token_is_told_from_a_forged_one() {
        let then = chrono::Utc::now() - chrono::Duration::hours(1);
        let expired = keys().issue(&request(Role::Customer, None), then).unwrap();
        assert_eq!(keys().verify(&expired), Err(TokenError::Expired));
        let good = keys().issue(&request(Role::Customer, None), chrono::Utc::now()).unwrap();
        assert!(matches!(Keys::from_secret(&[8; 32]).verify(&good), Err(TokenError::Invalid(_))));
        assert!(matches!(keys().verify("rubbish"), Err(TokenError::Invalid(_))));
    }

    #[test]
    fn another_algorithm_audience_or_a_missing_expiry_is_refused() {
        let claims = |aud: &str| serde_json::json!({"sub": "a", "role": "admin", "aud": aud, "exp": 4_000_000_000_u64, "iat": 0});
        let sign =
            |alg, claims: &serde_json::Value| encode(&Header::new(alg), claims, &keys().encoding).unwrap();
        assert!(keys().verify(&sign(Algorithm::HS256, &claims(AUDIENCE))).is_ok());
        assert!(keys().verify(&sign(Algorithm::HS512, &claims(AUDIENCE))).is_err());
        assert!(keys().verify(&sign(Algorithm::HS256, &claims("other"))).is_err());
        let mut endless = claims(AUDIENCE);
        endless.as_object_mut().unwrap().remove("exp");
        assert!(keys().verify(&sign(Algorithm::HS256, &endless)).is_err());
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let body = URL_SAFE_NO_PAD.encode(claims(AUDIENCE).to_string());
        assert!(keys().verify(&format!("{none}.{body}.")).is_err());
    }

    #[test]
    fn the_role_shop_needs_its_shop_and_no_other_has_one() {
        let now = chrono::Utc::now();
        assert!(keys().issue(&request(Role::Shop, None), now).is_err());
        assert!(keys().issue(&request(Role::Customer, Some("phone")), now).is_err());
        let mut named = request(Role::Customer, None);
        named.sub = "two words".to_owned();
        assert!(keys().issue(&named, now).is_err());
    }
}
