use serde_json::{Value, json};

use crate::common::{Client, TestServer, order_of, text};

/// An order in a shop that lets customers pay later; its payment's path.
async fn deferred(server: &TestServer, pay_within_secs: u32) -> (Client, Value, String) {
    let policy = json!({
        "payment": {"when": "deferred", "pay_within_secs": pay_within_secs}, "cancellable_until": "accepted",
    });
    server.admin().put("/v1/shops/later", json!({"name": "Later", "policy": policy})).await.expect(201);
    let product = server.shop("later").lists("later", "Sofa", 500, Some(5)).await;
    let alice = server.customer("alice");
    let order = alice.post("/v1/orders", order_of("later", &product, 1)).await.expect(201);
    assert_eq!(order["status"], "awaiting_payment");
    let path = format!("/v1/payments/{}", text(&order["payment"], "payment_id"));
    (alice, order, path)
}

#[tokio::test]
async fn a_deferred_payment_is_made_as_a_step_of_its_own() {
    let server = TestServer::start().await;
    let (alice, order, path) = deferred(&server, 3600).await;
    let payment = alice.get(&path).await.expect(200);
    assert_eq!((&payment["status"], &payment["timing"]), (&json!("requested"), &json!("deferred")));
    assert!(payment["due_at"].is_string());
    let pay_path = format!("{path}/pay");
    let pay = |method: &str| alice.post(&pay_path, json!({"payment_method": method}));
    pay("card").await.problem(422, "invalid_body");
    let problem = pay("tok_declined").await.problem(402, "payment_declined");
    assert_eq!(problem["decline_code"], "card_declined");
    let paid = pay("tok_ok").await.expect(200);
    assert_eq!(paid["status"], "captured");
    pay("tok_ok").await.problem(409, "already_captured");
    let order_path = format!("/v1/orders/{}", text(&order, "order_id"));
    alice.sees(&order_path, |order| order["status"] == "confirmed").await;
    let mine = alice.get("/v1/payments?status=captured").await.expect(200);
    assert_eq!(mine["data"].as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_payment_under_a_key_is_made_once() {
    let server = TestServer::start().await;
    let (alice, _, path) = deferred(&server, 3600).await;
    let pay = || {
        let body = json!({"payment_method": "tok_ok"});
        let path = format!("{path}/pay");
        let alice = alice.clone();
        async move { alice.post_with(&path, ("idempotency-key", "p"), body).await }
    };
    let first = pay().await.expect(200);
    assert_eq!(pay().await.expect(200), first);
    server.stop().await;
}

#[tokio::test]
async fn waiting_for_payment_ends_at_its_deadline() {
    let server = TestServer::start().await;
    let (alice, order, path) = deferred(&server, 1).await;
    let order_path = format!("/v1/orders/{}", text(&order, "order_id"));
    let order = alice.sees(&order_path, |order| order["status"] == "rejected").await;
    assert_eq!(order["rejection"]["code"], "payment_expired");
    let body = json!({"payment_method": "tok_ok"});
    let late = alice.post(&format!("{path}/pay"), body).await.problem(409, "payment_expired");
    assert!(text(&late, "detail").contains("order anew"), "{late}");
    assert_eq!(late["order_id"], order["order_id"]);
    server.stop().await;
}

#[tokio::test]
async fn a_payment_that_was_called_off_cannot_be_made() {
    let server = TestServer::start().await;
    let (alice, order, path) = deferred(&server, 3600).await;
    let order_path = format!("/v1/orders/{}", text(&order, "order_id"));
    alice.act(&format!("{order_path}/cancel")).await.expect(200);
    alice.sees(&path, |payment| payment["status"] == "voided").await;
    let body = json!({"payment_method": "tok_ok"});
    alice.post(&format!("{path}/pay"), body).await.problem(409, "illegal_transition");
    server.stop().await;
}

#[tokio::test]
async fn a_payment_within_the_order_call_cannot_be_paid_again() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    let order = alice.buys("phone", &product, 1).await;
    let path = format!("/v1/payments/{}/pay", text(&order["payment"], "payment_id"));
    let body = json!({"payment_method": "tok_ok"});
    alice.post(&path, body.clone()).await.problem(409, "already_captured");
    server.customer("bob").post(&path, body.clone()).await.problem(404, "payment_not_found");
    server.shop("phone").post(&path, body).await.problem(403, "forbidden");
    server.stop().await;
}
