//! A platform on a scratch folder, and people who use it over HTTP: shared by the scenario tests.
#![allow(dead_code, unreachable_pub)]

#[path = "../stores/mod.rs"]
mod stores;

use std::time::{Duration, Instant};

use orderstream::{
    Server, Settings,
    auth::{Keys, Role, TokenRequest},
};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long something that happens a moment later may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A platform that listens on a port of its own.
pub struct World {
    server: Server,
    folder: TempDir,
}

impl World {
    /// Starts with the default settings and the sample shops.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with changed settings.
    pub async fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(tempfile::tempdir().unwrap(), change).await
    }

    /// Stops, then starts on the same data with other settings.
    pub async fn restart_with(self, change: impl FnOnce(&mut Settings)) -> Self {
        self.server.stop().await;
        Self::on(self.folder, change).await
    }

    async fn on(folder: TempDir, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = stores::settings(folder.path()).await;
        change(&mut settings);
        let server = Server::start(settings).await.unwrap();
        Self { server, folder }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        self.server.url()
    }

    pub async fn stop(self) {
        self.server.stop().await;
    }

    pub fn customer(&self, name: &str) -> Person {
        self.person(name, Role::Customer, None)
    }

    pub fn shop(&self, shop: &str) -> Person {
        self.person("staff", Role::Shop, Some(shop))
    }

    pub fn courier(&self, name: &str) -> Person {
        self.person(name, Role::Courier, None)
    }

    pub fn manager(&self, name: &str) -> Person {
        self.person(name, Role::Manager, None)
    }

    pub fn admin(&self) -> Person {
        self.person("root", Role::Admin, None)
    }

    fn person(&self, sub: &str, role: Role, shop: Option<&str>) -> Person {
        let keys = Keys::open_or_create(self.folder.path()).unwrap();
        let ttl = Duration::from_secs(600);
        let request = TokenRequest { sub: sub.to_owned(), role, shop: shop.map(str::to_owned), ttl };
        let token = keys.issue(&request, chrono::Utc::now()).unwrap();
        Person { base: self.server.url(), token, client: reqwest::Client::new() }
    }
}

/// Somebody with a token.
#[derive(Clone)]
pub struct Person {
    base: String,
    token: String,
    client: reqwest::Client,
}

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Answer {
    /// The body, if the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "answered {}", self.body);
        self.body
    }

    /// Asserts a problem document with this status and code, and returns it.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "answered {body}");
        body
    }
}

impl Person {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request =
            self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    /// A `POST` without a body.
    pub async fn act(&self, path: &str) -> Answer {
        self.call(Method::POST, path, None).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// Reads until the answer is a 200 that satisfies `enough`, and returns its body.
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

    /// The id of a product, by its name.
    pub async fn product(&self, shop: &str, name: &str) -> String {
        let path = format!("/v1/products?shop_id={shop}&limit=100");
        let page = self.sees(&path, |page| entry(page, "name", name).is_some()).await;
        text(entry(&page, "name", name).unwrap(), "product_id")
    }

    /// Asks for an order.
    pub async fn order(&self, shop: &str, product_id: &str, quantity: u32, payment_method: &str) -> Answer {
        self.post("/v1/orders", order_of(shop, product_id, quantity, payment_method)).await
    }

    /// Orders and pays.
    pub async fn buys(&self, shop: &str, product_id: &str, quantity: u32) -> Value {
        let order = self.order(shop, product_id, quantity, "tok_ok").await.expect(201);
        assert_eq!(order["status"], "confirmed", "{order}");
        order
    }

    /// The id of the order's delivery, once this shop sees it.
    pub async fn delivery_of(&self, shop: &str, order: &Value) -> String {
        let order_id = text(order, "order_id");
        let path = format!("/v1/deliveries?shop_id={shop}&limit=100");
        let page = self.sees(&path, |page| entry(page, "order_id", &order_id).is_some()).await;
        text(entry(&page, "order_id", &order_id).unwrap(), "delivery_id")
    }

    /// Takes a step of a delivery and returns its new status.
    pub async fn moves(&self, delivery_id: &str, step: &str) -> String {
        let delivery = self.act(&format!("/v1/deliveries/{delivery_id}/{step}")).await.expect(200);
        text(&delivery, "status")
    }

    /// Cancels an order.
    pub async fn cancels(&self, order: &Value) -> Answer {
        let path = format!("/v1/orders/{}/cancel", text(order, "order_id"));
        self.post(&path, json!({"reason": "changed my mind"})).await
    }

    /// Reads the order until `field` (a JSON pointer) is `value`.
    pub async fn sees_order(&self, order: &Value, field: &str, value: &str) -> Value {
        let path = format!("/v1/orders/{}", text(order, "order_id"));
        self.sees(&path, |order| order.pointer(field).is_some_and(|found| found == value)).await
    }

    /// Waits until a message about each of these changes of the order has been sent, then returns all that there are.
    pub async fn is_told(&self, order: &Value, changes: &[&str]) -> Vec<String> {
        let order_id = text(order, "order_id");
        let told = |page: &Value| -> Vec<String> {
            let about = |entry: &&Value| entry["about"] == order_id.as_str() && entry["status"] == "sent";
            let entries = page["data"].as_array().unwrap().iter();
            entries.filter(about).map(|entry| text(entry, "event")).collect()
        };
        let all = |page: &Value| changes.iter().all(|change| told(page).iter().any(|event| event == change));
        told(&self.sees("/v1/notifications?limit=100", all).await)
    }

    /// The names of the steps of the order, in order, once `last` is among them.
    pub async fn follows(&self, order: &Value, last: &str) -> Vec<String> {
        let path = format!("/v1/orders/{}/timeline?limit=100", text(order, "order_id"));
        let names = |page: &Value| -> Vec<String> {
            page["data"].as_array().unwrap().iter().map(|step| text(step, "what")).collect()
        };
        names(&self.sees(&path, |page| names(page).iter().any(|what| what == last)).await)
    }
}

/// The body of an order of one product.
pub fn order_of(shop: &str, product_id: &str, quantity: u32, payment_method: &str) -> Value {
    json!({
        "shop_id": shop,
        "lines": [{"product_id": product_id, "quantity": quantity}],
        "recipient": {"name": "Kim Min-ji", "phone": "010-1234-5678", "address": "12 Sejong-daero, Seoul"},
        "payment_method": payment_method,
    })
}

/// A text field.
#[track_caller]
pub fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name} in {value}")).to_owned()
}

/// The entry of a page whose field `name` is `value`.
pub fn entry<'a>(page: &'a Value, name: &str, value: &str) -> Option<&'a Value> {
    page["data"].as_array()?.iter().find(|entry| entry[name] == value)
}

/// Asserts that `wanted` appear in `all`, in this order.
#[track_caller]
pub fn assert_in_order(all: &[String], wanted: &[&str]) {
    let mut rest = all.iter();
    for name in wanted {
        assert!(rest.any(|found| found == name), "{name} is not in its place in {all:?}");
    }
}
