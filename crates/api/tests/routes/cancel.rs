use serde_json::json;

use crate::common::{TestServer, text};

#[tokio::test]
async fn a_cancelled_order_gives_money_and_stock_back_and_shows_why() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Galaxy S").await;
    let order = alice.buys("phone", &product, 2).await;
    let path = format!("/v1/orders/{}", text(&order, "order_id"));
    let cancelled = alice.post(&format!("{path}/cancel"), json!({"reason": "changed my mind"})).await;
    assert!(cancelled.header("orderstream-position").starts_with("0."));
    let cancelled = cancelled.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["cancellation"]["reason"], "changed my mind");
    assert_eq!(cancelled["cancellation"]["by"], "customer:alice");
    let order = alice.sees(&path, |order| order["payment"]["status"] == "refunded").await;
    assert_eq!(order["payment"]["refunded"], order["total"]);
    alice.sees(&format!("/v1/products/{product}"), |product| product["stock"] == 1000).await;
    alice.act(&format!("{path}/cancel")).await.problem(409, "already_cancelled");
    server.stop().await;
}

#[tokio::test]
async fn a_cancel_that_comes_too_late_appends_nothing() {
    let server = TestServer::start().await;
    let (alice, phone) = (server.customer("alice"), server.shop("phone"));
    let product = alice.product("phone", "Charger").await;
    let order = alice.buys("phone", &product, 1).await;
    let path = format!("/v1/orders/{}", text(&order, "order_id"));
    let order = alice.sees(&path, |order| order["delivery"].is_object()).await;
    let delivery = format!("/v1/deliveries/{}", text(&order["delivery"], "delivery_id"));
    phone.act(&format!("{delivery}/accept")).await.expect(200);
    phone.act(&format!("{delivery}/ship")).await.expect(200);
    let before = alice.get(&path).await.expect(200)["version"].clone();
    alice.act(&format!("{path}/cancel")).await.problem(409, "too_late_to_cancel");
    phone.act(&format!("{delivery}/complete")).await.expect(200);
    let order = alice.sees(&path, |order| order["status"] == "completed").await;
    alice.act(&format!("{path}/cancel")).await.problem(409, "too_late_to_cancel");
    assert_eq!(order["version"].as_u64(), before.as_u64().map(|version| version + 1));
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_reason_or_role_is_refused() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    let order = alice.buys("phone", &product, 1).await;
    let path = format!("/v1/orders/{}/cancel", text(&order, "order_id"));
    alice.post(&path, json!({"reason": "x".repeat(501)})).await.problem(422, "invalid_body");
    alice.post(&path, json!({"reason": "\0"})).await.problem(422, "invalid_body");
    alice.post(&path, json!({"status": "cancelled"})).await.problem(422, "unknown_field");
    server.shop("phone").act(&path).await.problem(403, "forbidden");
    server.courier().act(&path).await.problem(403, "forbidden");
    server.admin().act(&path).await.expect(200);
    server.stop().await;
}
