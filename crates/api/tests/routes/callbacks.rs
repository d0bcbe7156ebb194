use std::time::{Duration, Instant};

use domain::{Aggregate as _, PaymentId, payment::Payment};
use futures::future::join_all;
use gateway::{
    Behaviour, Sandbox, SandboxOptions, Secret,
    server::{CallbackOptions, SandboxServer, SandboxServerOptions},
    signature::sign,
};
use reqwest::Method;
use sagas::payments::{charge_key, refund_key};
use serde_json::{Value, json};

use crate::common::{Answer, Client, PATIENCE, TestServer, order_of, text};

const SECRET: &str = "known to two";
const PATH: &str = "/v1/payment-callbacks";

async fn taking_callbacks() -> TestServer {
    TestServer::start_with(|settings| settings.gateway.callback_secret = Secret::new(SECRET)).await
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// Posts a body signed at a time with a secret.
async fn post_signed(server: &TestServer, body: &Value, secret: &str, at: i64) -> Answer {
    let body = body.to_string();
    let signature = sign(&Secret::new(secret), at, body.as_bytes());
    let nobody = server.nobody();
    let request = nobody.request(Method::POST, PATH).header("content-type", "application/json");
    nobody.send(request.header("orderstream-signature", signature).body(body)).await
}

async fn call_back(server: &TestServer, body: &Value) -> Answer {
    post_signed(server, body, SECRET, now()).await
}

fn captured(key: &str) -> Value {
    json!({"event_id": format!("evt_{key}"), "key": key, "status": "captured", "provider_ref": format!("ch_{key}")})
}

fn declined(key: &str) -> Value {
    json!({"event_id": format!("evt_{key}"), "key": key, "status": "declined", "code": "card_declined"})
}

fn refunded(key: &str, charge_key: &str) -> Value {
    json!({"event_id": format!("evt_{key}"), "key": key, "status": "refunded", "provider_ref": format!("re_{key}"), "charge_key": charge_key})
}

/// How many events of a name the payment has.
async fn events(server: &TestServer, payment: &str, name: &str) -> usize {
    let path = format!("/v1/admin/events?stream=payment/{payment}");
    let events = server.admin().get(&path).await.expect(200);
    events["data"].as_array().unwrap().iter().filter(|event| event["type"] == name).count()
}

async fn until(server: &TestServer, payment: &str, name: &str) {
    let begun = Instant::now();
    while events(server, payment, name).await == 0 {
        assert!(begun.elapsed() < PATIENCE, "there is no {name}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The payment of an order that waits for its provider.
async fn charging(server: &TestServer, method: &str) -> (Client, String, String) {
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    let mut order = order_of("phone", &product, 1);
    order["payment_method"] = json!(method);
    let placed = alice.post("/v1/orders", order).await.expect(202);
    let order = text(&placed, "order_id").to_owned();
    let payment = domain::order::payment_of(order.parse().unwrap()).to_string();
    until(server, &payment, "payment.capture_started").await;
    (alice, order, payment)
}

/// A platform that waits for nobody and whose provider answers slowly.
async fn slow(latency_ms: u64, late_answer_ms: u64) -> TestServer {
    let server = TestServer::start_with(|settings| {
        settings.gateway.callback_secret = Secret::new(SECRET);
        settings.order_wait_ms = 0;
    })
    .await;
    let slow = Behaviour {
        latency_min_ms: latency_ms,
        latency_max_ms: latency_ms,
        late_answer_ms,
        ..Behaviour::default()
    };
    server.server.platform().sandbox().behave(slow).unwrap();
    server
}

async fn status(server: &TestServer, payment: &str) -> &'static str {
    let id: PaymentId = payment.parse().unwrap();
    let executor = &server.server.platform().app().executor;
    executor.inspect::<Payment, _>(&id, |_, payment: &Payment| payment.status()).await.unwrap()
}

fn key_of(payment: &str) -> String {
    charge_key(payment.parse().unwrap(), 1)
}

#[tokio::test]
async fn without_a_secret_there_are_no_callbacks() {
    let server = TestServer::start().await;
    call_back(&server, &captured("x:1")).await.problem(404, "callbacks_off");
    server.nobody().post(PATH, json!({})).await.problem(404, "callbacks_off");
    server.stop().await;
}

#[tokio::test]
async fn only_a_fresh_signature_over_the_body_is_believed() {
    let server = taking_callbacks().await;
    let (alice, product) =
        (server.customer("alice"), server.customer("alice").product("phone", "Charger").await);
    let order = alice.buys("phone", &product, 1).await;
    let body = captured(&key_of(text(&order["payment"], "payment_id")));
    let head = server.head().await;
    server.nobody().post(PATH, body.clone()).await.problem(401, "signature_invalid");
    // A token is no signature.
    server.admin().post(PATH, body.clone()).await.problem(401, "signature_invalid");
    post_signed(&server, &body, "a guess", now()).await.problem(401, "signature_invalid");
    for off in [-310, 310] {
        let problem =
            post_signed(&server, &body, SECRET, now() + off).await.problem(401, "signature_invalid");
        assert!(text(&problem, "detail").contains("s off"), "{problem}");
    }
    let signature = sign(&Secret::new(SECRET), now(), b"another body");
    let request = server.nobody().request(Method::POST, PATH).header("orderstream-signature", signature);
    server.nobody().send(request.json(&body)).await.problem(401, "signature_invalid");
    let twice = sign(&Secret::new(SECRET), now(), body.to_string().as_bytes());
    let request = server.nobody().request(Method::POST, PATH).header("orderstream-signature", &twice);
    let request = request.header("orderstream-signature", &twice).body(body.to_string());
    server.nobody().send(request).await.problem(401, "signature_invalid");
    for off in [-290, 290] {
        assert_eq!(post_signed(&server, &body, SECRET, now() + off).await.status, 204);
    }
    assert!(server.head().await >= head);
    server.stop().await;
}

#[tokio::test]
async fn what_is_not_understood_or_not_known_is_refused_and_writes_nothing() {
    let server = taking_callbacks().await;
    let (alice, product) =
        (server.customer("alice"), server.customer("alice").product("phone", "Charger").await);
    let order = alice.buys("phone", &product, 1).await;
    let payment = text(&order["payment"], "payment_id").to_owned();
    let key = key_of(&payment);
    let before = async || {
        let path = format!("/v1/admin/events?stream=payment/{payment}");
        server.admin().get(&path).await.expect(200)["data"].as_array().unwrap().len()
    };
    let count = before().await;
    let refused = async |body: Value, status: u16, code: &str| {
        call_back(&server, &body).await.problem(status, code);
    };
    refused(json!({"key": key}), 422, "invalid_body").await;
    refused(json!({"event_id": "e", "key": key, "status": "pending"}), 422, "invalid_body").await;
    refused(json!({"event_id": "e", "key": key, "status": "captured"}), 422, "invalid_body").await;
    refused(json!({"event_id": "e", "key": key, "status": "declined"}), 422, "invalid_body").await;
    refused(json!({"event_id": "", "key": key, "status": "declined", "code": "x"}), 422, "invalid_body")
        .await;
    refused(json!({"event_id": "e", "key": key, "status": "declined", "code": "x\ny"}), 422, "invalid_body")
        .await;
    let mut more = captured(&key);
    more["amount"] = json!(1);
    refused(more, 422, "unknown_field").await;
    let refund = refund_key(payment.parse::<PaymentId>().map(domain::payment::full_refund_of).unwrap(), 1);
    let mut no_charge = refunded(&refund, &key);
    no_charge.as_object_mut().unwrap().remove("charge_key");
    refused(no_charge, 422, "invalid_body").await;
    // Never started, never heard of.
    refused(captured(&charge_key(payment.parse().unwrap(), 2)), 409, "refused").await;
    refused(captured(&charge_key(payment.parse().unwrap(), 0)), 409, "refused").await;
    refused(refunded(&refund, &key), 404, "refund_not_found").await;
    refused(captured("01900000-0000-7000-8000-000000000000:1"), 404, "payment_not_found").await;
    for other in ["invoice-7", "x:1", &format!("{payment}:01"), &payment.to_uppercase()] {
        refused(captured(other), 404, "payment_not_found").await;
    }
    // After the capture, a decline says nothing.
    assert_eq!(call_back(&server, &declined(&key)).await.status, 204);
    assert_eq!(call_back(&server, &captured(&key)).await.status, 204);
    assert_eq!((before().await, status(&server, &payment).await), (count, "captured"));
    server.stop().await;
}

#[tokio::test]
async fn a_callback_that_comes_before_the_answer_decides_and_the_answer_changes_nothing() {
    let server = slow(0, 1500).await;
    let (alice, order, payment) = charging(&server, "tok_ok").await;
    let begun = Instant::now();
    assert_eq!(call_back(&server, &captured(&key_of(&payment))).await.status, 204);
    let path = format!("/v1/orders/{order}");
    alice.sees(&path, |order| order["status"] == "confirmed").await;
    assert!(begun.elapsed() < Duration::from_millis(1200), "it was the answer, not the callback");
    // The answer comes.
    tokio::time::sleep(Duration::from_millis(1600)).await;
    assert_eq!(events(&server, &payment, "payment.captured").await, 1);
    let quiet = "/v1/admin/sagas?process=payments&state=running";
    server.admin().sees(quiet, |list| list["data"].as_array().unwrap().is_empty()).await;
    let stuck = server.admin().get("/v1/admin/sagas?state=stuck").await.expect(200);
    assert_eq!(stuck["data"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_decline_that_comes_before_the_answer_ends_the_payment_once() {
    let server = slow(800, 0).await;
    let (alice, order, payment) = charging(&server, "tok_declined").await;
    for _ in 0..3 {
        assert_eq!(call_back(&server, &declined(&key_of(&payment))).await.status, 204);
    }
    alice.sees(&format!("/v1/orders/{order}"), |order| order["status"] == "rejected").await;
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(events(&server, &payment, "payment.declined").await, 1);
    let stuck = server.admin().get("/v1/admin/sagas?state=stuck").await.expect(200);
    assert_eq!(stuck["data"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_capture_that_is_told_after_the_payment_ended_goes_back() {
    let server = taking_callbacks().await;
    let (alice, product) =
        (server.customer("alice"), server.customer("alice").product("phone", "Charger").await);
    let mut order = order_of("phone", &product, 1);
    order["payment_method"] = json!("tok_declined");
    let problem = alice.post("/v1/orders", order).await.problem(402, "payment_declined");
    let order: domain::OrderId = text(&problem, "order_id").parse().unwrap();
    let payment = domain::order::payment_of(order).to_string();
    let key = key_of(&payment);
    // The provider had charged after all, and its books say so, too.
    let books = rusqlite::Connection::open(server.folder.path().join("sandbox.db")).unwrap();
    books.busy_timeout(Duration::from_secs(5)).unwrap();
    books
        .execute("UPDATE entries SET code = NULL, charge_ref = 'ch_' || key WHERE key = ?1", [&key])
        .unwrap();
    let answers = join_all((0..8).map(|_| async { call_back(&server, &captured(&key)).await.status }));
    assert_eq!(answers.await, [204; 8]);
    until(&server, &payment, "payment.refunded").await;
    for name in ["payment.late_capture_found", "payment.refund_started", "payment.refunded"] {
        assert_eq!(events(&server, &payment, name).await, 1, "{name}");
    }
    assert_eq!(status(&server, &payment).await, "refunded");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callbacks_at_once_race_the_answers_and_each_outcome_is_recorded_once() {
    let server = slow(30, 0).await;
    let alice = server.customer("alice");
    let product = server.shop("phone").lists("phone", "Cable", 100, None).await;
    let race = async |n: usize| {
        let mut order = order_of("phone", &product, 1);
        order["payment_method"] = json!(if n.is_multiple_of(2) { "tok_ok" } else { "tok_declined" });
        let placed = alice.post("/v1/orders", order).await;
        let order: domain::OrderId = match placed.status {
            202 => text(&placed.body, "order_id").parse().unwrap(),
            _ => panic!("{placed:?}"),
        };
        let payment = domain::order::payment_of(order).to_string();
        let key = key_of(&payment);
        let body = if n.is_multiple_of(2) { captured(&key) } else { declined(&key) };
        let mut taken = 0;
        while taken < 3 {
            let answers = join_all((0..6).map(|_| async { call_back(&server, &body).await.status })).await;
            // Too early: nothing was asked for yet.
            assert!(answers.iter().all(|status| [204, 404, 409].contains(status)), "{answers:?}");
            taken += usize::from(answers.iter().all(|status| *status == 204));
            tokio::time::sleep(Duration::from_millis(7)).await;
        }
        payment
    };
    let payments = join_all((0..24).map(race)).await;
    for (n, payment) in payments.iter().enumerate() {
        let name = if n.is_multiple_of(2) { "payment.captured" } else { "payment.declined" };
        until(&server, payment, name).await;
        assert_eq!(events(&server, payment, name).await, 1, "{name} of {payment}");
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let stuck = server.admin().get("/v1/admin/sagas?state=stuck").await.expect(200);
    assert_eq!(stuck["data"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_refund_that_is_told_before_the_answer_is_recorded_once() {
    let server = slow(0, 0).await;
    let (alice, order, payment) = charging(&server, "tok_ok").await;
    let path = format!("/v1/orders/{order}");
    alice.sees(&path, |order| order["status"] == "confirmed").await;
    let late = Behaviour { late_answer_ms: 1000, ..Behaviour::default() };
    server.server.platform().sandbox().behave(late).unwrap();
    alice.act(&format!("{path}/cancel")).await;
    until(&server, &payment, "payment.refund_started").await;
    let key = refund_key(domain::payment::full_refund_of(payment.parse().unwrap()), 1);
    let told = refunded(&key, &key_of(&payment));
    let answers = join_all((0..5).map(|_| async { call_back(&server, &told).await.status }));
    assert_eq!(answers.await, [204; 5]);
    alice.sees(&path, |order| order["status"] == "cancelled").await;
    // A failure that is told late, and the answer, change nothing.
    let failed =
        json!({"event_id": "e", "key": key, "status": "failed", "code": "x", "charge_key": key_of(&payment)});
    assert_eq!(call_back(&server, &failed).await.status, 204);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    assert_eq!(events(&server, &payment, "payment.refunded").await, 1);
    assert_eq!(events(&server, &payment, "payment.refund_failed").await, 0);
    server.stop().await;
}

/// A provider of its own that calls a platform back, four times each.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_provider_that_answers_late_calls_back_and_orders_are_decided_by_that() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::open(&folder.path().join("books.db"), SandboxOptions::default()).unwrap();
    // The two have to know each other's address: the platform's is fixed first.
    let door = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = door.local_addr().unwrap();
    drop(door);
    let callbacks =
        CallbackOptions { url: format!("http://{address}{PATH}"), secret: Secret::new(SECRET), copies: 4 };
    let options = SandboxServerOptions { callbacks: Some(callbacks), ..SandboxServerOptions::default() };
    let provider = SandboxServer::start(sandbox.clone(), "127.0.0.1:0", options).await.unwrap();
    let url = provider.url();
    let server = TestServer::start_with(|settings| {
        settings.listen = address.to_string();
        settings.gateway.url = url;
        settings.gateway.callback_secret = Secret::new(SECRET);
    })
    .await;
    let late = Behaviour { late_answer_ms: 4000, ..Behaviour::default() };
    sandbox.behave(late).unwrap();
    let alice = server.customer("alice");
    let product = server.shop("phone").lists("phone", "Cable", 100, None).await;
    let begun = Instant::now();
    let orders = join_all((0..6).map(|n| {
        let mut order = order_of("phone", &product, 1);
        order["payment_method"] = json!(if n == 5 { "tok_declined" } else { "tok_ok" });
        let alice = alice.clone();
        async move { alice.post("/v1/orders", order).await }
    }))
    .await;
    assert!(begun.elapsed() < Duration::from_millis(1900), "after {:?}", begun.elapsed());
    assert!(orders[..5].iter().all(|order| order.status == 201), "{orders:?}");
    assert_eq!(orders[5].status, 402);
    // Given back as soon as the provider's books say so, too.
    sandbox.behave(Behaviour::default()).unwrap();
    let path = format!("/v1/orders/{}", text(&orders[0].body, "order_id"));
    alice.act(&format!("{path}/cancel")).await;
    alice.sees(&path, |order| order["status"] == "cancelled").await;
    let payment = text(&orders[0].body["payment"], "payment_id");
    assert_eq!(events(&server, payment, "payment.captured").await, 1);
    assert_eq!(events(&server, payment, "payment.refunded").await, 1);
    server.stop().await;
    provider.stop().await;
    sandbox.close().await;
}
