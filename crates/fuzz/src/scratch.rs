//! A platform on a scratch folder, asked without a network.

use std::{collections::BTreeMap, sync::OnceLock, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use domain::Position;
use eventlog::Log;
use orderstream::{
    Platform, Settings,
    auth::{Keys, Role, TokenRequest},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// The most bytes of an answer that are read.
const MOST: usize = 16 << 20;

/// Who asks.
pub const ROLES: [Role; 5] = [Role::Customer, Role::Shop, Role::Courier, Role::Manager, Role::Admin];

/// A platform, and what to ask it for.
pub struct Platforms {
    runtime: Runtime,
    platform: Platform,
    router: Router,
    keys: Keys,
    tokens: Vec<String>,
    /// Ids of things that are there, by the name that paths give them.
    pub ids: BTreeMap<&'static str, String>,
    _folder: TempDir,
}

// A panic of a target leaves it as it is between two requests: the next input is asked of a whole platform.
impl std::panic::RefUnwindSafe for Platforms {}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, of a stream none.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Asserts that it is no failure of ours, and that a refusal is a problem document with a code.
    pub fn is_in_order(&self) {
        let text = String::from_utf8_lossy(&self.body);
        assert!(!self.status.is_server_error(), "{} {text}", self.status);
        if !self.status.is_client_error() {
            return;
        }
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        assert_eq!(kind, Some("application/problem+json"), "{} {text}", self.status);
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16(), "{text}");
        let code = problem["code"].as_str().unwrap_or_default();
        assert_eq!(problem["type"], format!("/problems/{code}"), "{text}");
        assert!(!code.is_empty() && !problem["detail"].as_str().unwrap_or_default().is_empty(), "{text}");
    }
}

impl Platforms {
    /// The one of this process, started when it is first asked for.
    pub fn the() -> &'static Self {
        static THE: OnceLock<Platforms> = OnceLock::new();
        THE.get_or_init(Self::start)
    }

    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime starts");
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let mut settings = Settings::scratch(folder.path());
        settings.order_wait_ms = 1_000;
        settings.cancel_wait_ms = 1_000;
        settings.gateway.callback_secret = gateway::Secret::new(SECRET);
        for rates in [&mut settings.admission.customers, &mut settings.admission.staff] {
            (rates.commands_per_second, rates.reads_per_second) = (0, 0);
        }
        let platform = runtime.block_on(Platform::start(settings)).expect("the platform starts");
        let keys = Keys::open_or_create(folder.path()).expect("the key is there");
        let tokens = ROLES.map(|role| token(&keys, role)).to_vec();
        let router = platform.router();
        let mut all = Self { runtime, platform, router, keys, tokens, ids: BTreeMap::new(), _folder: folder };
        all.ids = all.scene();
        all
    }

    /// The keys that its tokens are made with.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> &Log {
        self.platform.app().log()
    }

    /// Runs until the end.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The last position of its log.
    #[must_use]
    pub fn head(&self) -> Position {
        self.run(self.log().head()).expect("the log answers")
    }

    /// A valid token.
    #[must_use]
    pub fn token(&self, role: Role) -> &str {
        let number = ROLES.iter().position(|one| *one == role).expect("it is one of them");
        &self.tokens[number]
    }

    /// Asks. The body of a stream is not read.
    pub fn ask(&self, request: Request<Body>) -> Answer {
        self.run(async {
            let response = self.router.clone().oneshot(request).await.expect("a router always answers");
            let (parts, body) = response.into_parts();
            let kind = parts.headers.get(header::CONTENT_TYPE);
            let stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
            let read = async { if stream { Ok(Default::default()) } else { to_bytes(body, MOST).await } };
            let read = tokio::time::timeout(Duration::from_secs(30), read).await;
            let body = read.expect("the answer ends").expect("the answer is whole").to_vec();
            Answer { status: parts.status, headers: parts.headers, body }
        })
    }

    /// Asks as somebody.
    pub fn ask_as(&self, role: Role, method: &str, path: &str, body: Vec<u8>) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token(role)))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .expect("the path was made of good parts");
        self.ask(request)
    }

    fn made(&self, role: Role, path: &str, body: &Value) -> Value {
        let answer = self.ask_as(role, "POST", path, body.to_string().into_bytes());
        assert!(answer.status.is_success(), "{path}: {}", answer.json());
        answer.json()
    }

    /// The first row of a list that satisfies `enough`, as soon as there is one.
    fn first(&self, role: Role, path: &str, enough: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..500 {
            let page = self.ask_as(role, "GET", path, Vec::new()).json();
            let rows = page["data"].as_array().into_iter().flatten();
            if let Some(row) = rows.into_iter().find(|row| enough(row)) {
                return row.clone();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{path} never shows what was expected");
    }

    /// An order that was delivered, with its payment, delivery, coupon and refund; a stay with its payment and voucher.
    fn scene(&self) -> BTreeMap<&'static str, String> {
        let product = self.first(Role::Customer, "/v1/products?shop_id=pizza", |_| true);
        let order = self.made(Role::Customer, "/v1/orders", &order(&product["product_id"]));
        let delivery = self.first(Role::Shop, "/v1/deliveries", |_| true);
        for step in ["accept", "prepare", "ship", "complete"] {
            let path = format!("/v1/deliveries/{}/{step}", word(&delivery, "delivery_id"));
            self.made(Role::Shop, &path, &json!({}));
        }
        let coupon = self.first(Role::Customer, "/v1/coupons", |row| row["status"] == "issued");
        let path = format!("/v1/orders/{}/refunds", word(&order, "order_id"));
        let refund = self.made(Role::Customer, &path, &json!({"reason": "cold"}));
        let resort = self.made(Role::Manager, "/v1/resorts", &resort());
        let stay = self.made(Role::Customer, "/v1/reservations", &stay(&resort["resort_id"]));
        let payment = word(&stay["payment"], "payment_id");
        self.made(
            Role::Customer,
            &format!("/v1/payments/{payment}/pay"),
            &json!({"payment_method": "tok_ok"}),
        );
        let voucher = self.first(Role::Customer, "/v1/vouchers", |_| true);
        BTreeMap::from([
            ("shop_id", "pizza".to_owned()),
            ("customer_id", "alice".to_owned()),
            ("product_id", word(&product, "product_id")),
            ("order_id", word(&order, "order_id")),
            ("delivery_id", word(&delivery, "delivery_id")),
            ("coupon_id", word(&coupon, "coupon_id")),
            ("refund_id", word(&refund, "refund_id")),
            ("resort_id", word(&resort, "resort_id")),
            ("reservation_id", word(&stay, "reservation_id")),
            ("payment_id", payment),
            ("voucher_id", word(&voucher, "voucher_id")),
            ("name", "orders".to_owned()),
            ("process", "checkout".to_owned()),
            ("key", word(&order, "order_id")),
        ])
    }
}

/// The secret of the provider's callbacks.
pub const SECRET: &str = "a secret for these tests and no other";

fn word(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

fn token(keys: &Keys, role: Role) -> String {
    let (sub, shop) = match role {
        Role::Customer => ("alice", None),
        Role::Shop => ("staff", Some("pizza".to_owned())),
        Role::Courier => ("rider", None),
        Role::Manager => ("mira", None),
        Role::Admin => ("root", None),
    };
    let ttl = Duration::from_secs(24 * 3600);
    let request = TokenRequest { sub: sub.to_owned(), role, shop, ttl };
    keys.issue(&request, domain::Timestamp::from(std::time::SystemTime::now())).expect("the request is good")
}

/// A good order.
#[must_use]
pub fn order(product: &Value) -> Value {
    json!({
        "shop_id": "pizza", "lines": [{"product_id": product, "quantity": 1, "option": "large"}],
        "recipient": {"name": "Kim Min-ji", "phone": "010-1234-5678", "address": "12 Sejong-daero, Seoul", "email": "minji@example.com"},
        "payment_method": "tok_ok",
    })
}

/// A good resort.
#[must_use]
pub fn resort() -> Value {
    json!({
        "name": "Seaside House", "kind": "pension", "nightly_price": {"amount_minor": 120_000, "currency": "KRW"},
        "open_from": "2020-01-01", "open_until": "2199-12-31", "time_zone": "Asia/Seoul", "pay_within_secs": 3_600,
        "cancel_days_before": 1, "notify": ["reservation_paid"],
    })
}

/// A good stay, as far as the nights are free.
#[must_use]
pub fn stay(resort: &Value) -> Value {
    json!({
        "resort_id": resort, "check_in": "2099-07-01", "check_out": "2099-07-03",
        "guest": {"name": "Kim Min-ji", "phone": "010-1234-5678", "email": "minji@example.com"},
    })
}
