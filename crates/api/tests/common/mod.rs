//! A platform in this process on a scratch folder, and clients with tokens.
#![allow(dead_code, unreachable_pub, unused_imports)]

#[path = "../stores/mod.rs"]
mod stores;

pub use stores::on_postgres;

use std::time::{Duration, Instant};

use orderstream::{
    Server, Settings,
    auth::{Keys, Role, TokenRequest},
};
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long something that happens a moment later may take.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A platform that listens on a port of its own.
pub struct TestServer {
    pub server: Server,
    pub folder: TempDir,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(tempfile::tempdir().unwrap(), change).await
    }

    pub async fn on(folder: TempDir, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = stores::settings(folder.path()).await;
        change(&mut settings);
        let server = Server::start(settings).await.unwrap();
        Self { server, folder }
    }

    pub async fn restart_with(self, change: impl FnOnce(&mut Settings)) -> Self {
        self.server.stop().await;
        Self::on(self.folder, change).await
    }

    pub async fn stop(self) {
        self.server.stop().await;
    }

    /// The last position of the log.
    pub async fn head(&self) -> u64 {
        self.server.platform().app().log().head().await.unwrap()
    }

    pub fn token(&self, sub: &str, role: Role, shop: Option<&str>) -> String {
        let keys = Keys::open_or_create(self.folder.path()).unwrap();
        let ttl = Duration::from_secs(600);
        let request = TokenRequest { sub: sub.to_owned(), role, shop: shop.map(str::to_owned), ttl };
        keys.issue(&request, chrono::Utc::now()).unwrap()
    }

    pub fn client(&self, sub: &str, role: Role, shop: Option<&str>) -> Client {
        let token = Some(self.token(sub, role, shop));
        Client { base: self.server.url(), token, http: reqwest::Client::new() }
    }

    pub fn customer(&self, name: &str) -> Client {
        self.client(name, Role::Customer, None)
    }

    pub fn shop(&self, shop: &str) -> Client {
        self.client("staff", Role::Shop, Some(shop))
    }

    pub fn courier(&self) -> Client {
        self.client("courier", Role::Courier, None)
    }

    pub fn manager(&self, name: &str) -> Client {
        self.client(name, Role::Manager, None)
    }

    pub fn admin(&self) -> Client {
        self.client("root", Role::Admin, None)
    }

    pub fn nobody(&self) -> Client {
        Client { base: self.server.url(), token: None, http: reqwest::Client::new() }
    }
}

/// Somebody with a token, or without.
#[derive(Clone)]
pub struct Client {
    pub base: String,
    pub token: Option<String>,
    pub http: reqwest::Client,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// The body, if the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "answered {}", self.body);
        self.body
    }

    /// Asserts a whole problem document with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        let kind = self.header("content-type");
        let body = self.expect(status);
        assert_eq!(body["code"], code, "answered {body}");
        assert_eq!(kind, "application/problem+json");
        assert_eq!(body["type"], format!("/problems/{code}"));
        assert_eq!(body["status"], status);
        assert!(body["title"].is_string() && !body["detail"].as_str().unwrap().is_empty(), "answered {body}");
        body
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }
}

impl Client {
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Answer { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn get_with(&self, path: &str, header: (&str, &str)) -> Answer {
        self.send(self.request(Method::GET, path).header(header.0, header.1)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn post_with(&self, path: &str, header: (&str, &str), body: Value) -> Answer {
        self.send(self.request(Method::POST, path).header(header.0, header.1).json(&body)).await
    }

    /// A body as it is, said to be JSON.
    pub async fn post_raw(&self, path: &str, body: Vec<u8>) -> Answer {
        self.send(self.request(Method::POST, path).header("content-type", "application/json").body(body))
            .await
    }

    /// A `POST` without a body.
    pub async fn act(&self, path: &str) -> Answer {
        self.send(self.request(Method::POST, path)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Reads until the answer is a 200 that satisfies `enough`.
    pub async fn sees(&self, path: &str, enough: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.get(path).await;
            if answer.status == 200 && enough(&answer.body) {
                return answer.body;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} did not become what was expected: {answer:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The id of a product of the shop.
    pub async fn product(&self, shop: &str, name: &str) -> String {
        let find = |page: &Value| {
            let products = page["data"].as_array().into_iter().flatten();
            products.into_iter().find(|product| product["name"] == name).cloned()
        };
        let path = format!("/v1/products?shop_id={shop}&limit=100");
        let page = self.sees(&path, |page| find(page).is_some()).await;
        find(&page).unwrap()["product_id"].as_str().unwrap().to_owned()
    }

    /// Lists a product of the shop; `self` is the shop.
    pub async fn lists(&self, shop: &str, name: &str, price: i64, stock: Option<u64>) -> String {
        let body = json!({"name": name, "price": krw(price), "stock": stock});
        let product = self.post(&format!("/v1/shops/{shop}/products"), body).await.expect(201);
        product["product_id"].as_str().unwrap().to_owned()
    }

    /// Orders and pays; the order is confirmed.
    pub async fn buys(&self, shop: &str, product: &str, quantity: u32) -> Value {
        let order = self.post("/v1/orders", order_of(shop, product, quantity)).await.expect(201);
        assert_eq!(order["status"], "confirmed");
        order
    }
}

pub fn krw(amount_minor: i64) -> Value {
    json!({"amount_minor": amount_minor, "currency": "KRW"})
}

pub fn recipient() -> Value {
    json!({"name": "Kim Min-ji", "phone": "010-1234-5678", "address": "12 Sejong-daero, Seoul"})
}

/// The body of an order of one line.
pub fn order_of(shop: &str, product: &str, quantity: u32) -> Value {
    json!({
        "shop_id": shop, "lines": [{"product_id": product, "quantity": quantity}], "recipient": recipient(),
        "payment_method": "tok_ok",
    })
}

/// The text at `name`.
#[track_caller]
pub fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_else(|| panic!("no text {name:?} in {body}"))
}
