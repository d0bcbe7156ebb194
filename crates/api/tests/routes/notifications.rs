//! Customers are told through the channel that is set up.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use orderstream::settings::{ChannelName, Secret, Settings, SmtpTls};
use serde_json::Value;

use crate::common::{TestServer, order_of, text};

/// What a receiver of webhooks was sent, and what it answers first (then 204).
#[derive(Clone, Default)]
struct Receiver {
    sent: Arc<Mutex<Vec<Value>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    /// Starts it, and returns its URL.
    async fn start(&self, answers: &[u16]) -> String {
        self.answers.lock().unwrap().extend(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(receive)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }
}

async fn receive(State(receiver): State<Receiver>, Json(body): Json<Value>) -> StatusCode {
    receiver.sent.lock().unwrap().push(body);
    StatusCode::from_u16(receiver.answers.lock().unwrap().pop_front().unwrap_or(204)).unwrap()
}

fn webhook(url: String) -> impl FnOnce(&mut Settings) {
    move |settings| {
        settings.notifications.channel = ChannelName::Webhook;
        settings.notifications.webhook.url = url;
        settings.notifications.webhook.secret = Secret::new("a shared secret");
        settings.notifications.webhook.allow_private_addresses = true;
    }
}

/// Alice's notification of this change, once it is sent or failed.
async fn told(server: &TestServer, change: &str) -> Value {
    let decided = |entry: &&Value| entry["event"] == change && entry["status"] != "queued";
    let find = |page: &Value| page["data"].as_array().unwrap().iter().find(decided).cloned();
    let page =
        server.customer("alice").sees("/v1/notifications?limit=100", |page| find(page).is_some()).await;
    find(&page).unwrap()
}

#[tokio::test]
async fn a_webhook_is_told_of_an_order_and_asked_again_when_it_is_in_trouble() {
    let receiver = Receiver::default();
    let url = receiver.start(&[503]).await;
    let server = TestServer::start_with(webhook(url)).await;
    let alice = server.customer("alice");
    let product = alice.product("books", "Event Sourcing in Practice").await;
    let order = alice.buys("books", &product, 1).await;
    let notification = told(&server, "order_confirmed").await;
    assert_eq!((&notification["status"], &notification["channel"]), (&"sent".into(), &"webhook".into()));
    assert_eq!(notification["failure_code"], Value::Null);
    let sent = receiver.sent.lock().unwrap().clone();
    let about: Vec<_> = sent.iter().filter(|body| body["change"] == "order_confirmed").collect();
    assert!(sent.len() > about.len() || about.len() == 2, "nothing was sent again: {sent:?}");
    let confirmed = about.last().unwrap();
    assert_eq!(confirmed["order_id"], text(&order, "order_id"));
    assert_eq!(confirmed["notification_id"], notification["notification_id"]);
    assert_eq!((&confirmed["customer_id"], &confirmed["shop_id"]), (&"alice".into(), &"books".into()));
    server.stop().await;
}

#[tokio::test]
async fn a_webhook_that_refuses_makes_the_notification_fail_and_the_order_goes_on() {
    let receiver = Receiver::default();
    let url = receiver.start(&[404; 20]).await;
    let server = TestServer::start_with(webhook(url)).await;
    let alice = server.customer("alice");
    let product = alice.product("books", "Event Sourcing in Practice").await;
    let order = alice.buys("books", &product, 1).await;
    assert_eq!(order["status"], "confirmed");
    let notification = told(&server, "order_confirmed").await;
    assert_eq!(notification["status"], "failed", "{notification}");
    assert_eq!(
        (text(&notification, "failure_code"), text(&notification, "channel")),
        ("webhook_404", "webhook")
    );
    server.stop().await;
}

#[tokio::test]
async fn a_mail_cannot_go_to_a_recipient_without_an_address() {
    let server = TestServer::start_with(|settings| {
        settings.notifications.channel = ChannelName::Smtp;
        settings.notifications.smtp.host = "127.0.0.1".to_owned();
        settings.notifications.smtp.tls = SmtpTls::None;
        settings.notifications.smtp.from = "shops@example.com".to_owned();
    })
    .await;
    let alice = server.customer("alice");
    let product = alice.product("books", "Event Sourcing in Practice").await;
    alice.buys("books", &product, 1).await;
    let notification = told(&server, "order_confirmed").await;
    assert_eq!((&notification["status"], &notification["channel"]), (&"failed".into(), &"smtp".into()));
    assert_eq!(notification["failure_code"], "no_address");
    server.stop().await;
}

#[tokio::test]
async fn a_recipient_may_have_an_email_address_and_it_is_erased_with_the_rest() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("books", "Event Sourcing in Practice").await;
    let mut body = order_of("books", &product, 1);
    body["recipient"]["email"] = "not an address".into();
    alice.post("/v1/orders", body.clone()).await.problem(422, "invalid_body");
    body["recipient"]["email"] = "minji@example.com".into();
    let order = alice.post("/v1/orders", body).await.expect(201);
    assert_eq!(order["recipient"]["email"], "minji@example.com");
    let events = server.admin().get("/v1/admin/events?limit=1000").await.expect(200).to_string();
    assert!(!events.contains("minji@"), "the address is in an event");
    alice.delete("/v1/customers/me/contacts").await.expect(204);
    let path = format!("/v1/orders/{}", text(&order, "order_id"));
    let erased = alice.get(&path).await.expect(200).to_string();
    assert!(!erased.contains("minji@"), "{erased}");
    server.stop().await;
}
