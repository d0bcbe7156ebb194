//! Nobody gets in with a token that we did not sign, and whatever stands in the header is answered in order.
#![allow(clippy::unwrap_used, missing_docs)]

use axum::{
    body::Body,
    http::{Request, header},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bolero::{TypeGenerator, check};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use orderstream::auth::{Keys, Role};
use orderstream_fuzz::{
    edit::{Edit, Scratch, changed},
    scratch::{Platforms, ROLES},
    time,
};
use serde_json::{Value, json};

/// A token that is not ours.
#[derive(Clone, Debug, TypeGenerator)]
enum Forged {
    /// Any text.
    Text(String),
    /// A good one with a few bytes changed.
    Changed(u8, Vec<Scratch>),
    /// A good one with a part of another.
    Mixed(u8, u8, u8),
    /// The claims changed, the signature left.
    Claims(u8, Vec<Edit>),
    /// The header changed, the signature left.
    Header(u8, Vec<Edit>),
    /// Unsigned, under a name of "none".
    Unsigned(u8, u8),
    /// Signed with another key.
    OtherKey(u8, [u8; 32]),
    /// Signed with the right key under another algorithm.
    OtherAlgorithm(u8, bool),
}

const SECRET: [u8; 32] = [7; 32];

fn claims(role: u8) -> Value {
    let role = usize::from(role) % ROLES.len();
    let words = ["customer", "shop", "courier", "manager", "admin"];
    let mut claims = json!({"sub": "alice", "role": words[role], "aud": "orderstream", "iat": 0, "exp": 4_000_000_000_u64});
    if words[role] == "shop" {
        claims["shop"] = json!("pizza");
    }
    claims
}

fn signed(algorithm: Algorithm, claims: &Value, secret: &[u8]) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).unwrap()
}

impl Forged {
    fn token(&self) -> String {
        let good = |role: u8| signed(Algorithm::HS256, &claims(role), &SECRET);
        let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
        let part = |value: &[u8]| URL_SAFE_NO_PAD.encode(value);
        match self {
            Self::Text(text) => text.clone(),
            Self::Changed(role, scratches) => {
                let mut text = good(*role).into_bytes();
                scratches.iter().take(3).for_each(|scratch| scratch.apply(&mut text));
                String::from_utf8_lossy(&text).into_owned()
            }
            Self::Mixed(one, other, which) => {
                let (mut mixed, other) = (parts(&good(*one)), parts(&good(*other)));
                let which = usize::from(*which) % 3;
                mixed[which].clone_from(&other[which]);
                mixed.join(".")
            }
            Self::Claims(role, edits) => {
                let mut all = parts(&good(*role));
                all[1] = part(&changed(&claims(*role), edits, &[]));
                all.join(".")
            }
            Self::Header(role, edits) => {
                let mut all = parts(&good(*role));
                all[0] = part(&changed(&json!({"typ": "JWT", "alg": "HS256"}), edits, &[]));
                all.join(".")
            }
            Self::Unsigned(role, name) => {
                let name = ["none", "None", "NONE", "", "HS256", "RS256"][usize::from(*name) % 6];
                let head = json!({"typ": "JWT", "alg": name}).to_string();
                format!("{}.{}.", part(head.as_bytes()), part(claims(*role).to_string().as_bytes()))
            }
            Self::OtherKey(role, key) => signed(Algorithm::HS256, &claims(*role), key),
            Self::OtherAlgorithm(role, long) => {
                let algorithm = if *long { Algorithm::HS512 } else { Algorithm::HS384 };
                signed(algorithm, &claims(*role), &SECRET)
            }
        }
    }
}

/// The good tokens, of which a change may make one by chance, by changing nothing.
fn is_ours(token: &str) -> bool {
    (0..5).any(|role| token.trim() == signed(Algorithm::HS256, &claims(role), &SECRET))
}

#[test]
fn no_forged_token_is_taken() {
    let keys = Keys::from_secret(&SECRET);
    for role in 0..5 {
        assert!(keys.verify(&signed(Algorithm::HS256, &claims(role), &SECRET)).is_ok());
    }
    check!().with_test_time(time()).with_type::<Forged>().for_each(|forged| {
        let token = forged.token();
        let taken = keys.verify(&token);
        assert!(taken.is_err() || is_ours(&token), "{token} is taken for {taken:?}");
    });
}

#[test]
fn a_token_that_we_signed_is_taken_only_if_every_claim_is_right() {
    let keys = Keys::from_secret(&SECRET);
    let now = chrono::Utc::now().timestamp();
    check!().with_test_time(time()).with_type::<(u8, Vec<Edit>)>().for_each(|(role, edits)| {
        let text = changed(&claims(*role), edits, &[]);
        let claims: Value = serde_json::from_slice(&text).unwrap();
        let token = signed(Algorithm::HS256, &claims, &SECRET);
        if let Ok(principal) = keys.verify(&token) {
            assert_eq!(claims["sub"], principal.sub.as_str());
            // Seconds may have a fraction.
            assert!(claims["exp"].as_f64().unwrap() > now as f64, "{claims}");
            let aud = &claims["aud"];
            assert!(aud == "orderstream" || aud[0] == "orderstream", "{claims}");
            let shop = claims["shop"].as_str();
            assert_eq!(shop, principal.shop.as_ref().map(|shop| shop.as_str()));
            assert_eq!(principal.role == Role::Shop, shop.is_some());
        }
    });
}

#[test]
fn whatever_stands_in_the_header_is_refused_in_order() {
    let all = Platforms::the();
    check!().with_test_time(time()).with_type::<(u8, Forged)>().for_each(|(scheme, forged)| {
        let scheme = ["Bearer ", "bearer ", "Basic ", "", "Bearer"][usize::from(*scheme) % 5];
        let request = Request::get("/v1/orders?limit=1")
            .header(header::AUTHORIZATION, format!("{scheme}{}", forged.token()).as_bytes())
            .body(Body::empty());
        // A text that no header can have never arrives.
        if let Ok(request) = request {
            let answer = all.ask(request);
            answer.is_in_order();
            assert_eq!(answer.status, 401);
            assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
        }
    });
    let answer = all.ask_as(Role::Customer, "GET", "/v1/orders?limit=1", Vec::new());
    assert_eq!(answer.status, 200, "a good token is taken afterwards");
}
