use serde_json::json;

use crate::common::{Client, TestServer, text};

async fn delivery(server: &TestServer, shop: &str, product: &str) -> (Client, String, String) {
    let alice = server.customer("alice");
    let product = alice.product(shop, product).await;
    let order = alice.buys(shop, &product, 1).await;
    let order_path = format!("/v1/orders/{}", text(&order, "order_id"));
    let order = alice.sees(&order_path, |order| order["delivery"].is_object()).await;
    let path = format!("/v1/deliveries/{}", text(&order["delivery"], "delivery_id"));
    (alice, order_path, path)
}

#[tokio::test]
async fn a_delivery_goes_step_by_step_and_every_wrong_step_says_why() {
    let server = TestServer::start().await;
    let (alice, order_path, path) = delivery(&server, "kitchen", "Margherita").await;
    let (kitchen, courier) = (server.shop("kitchen"), server.courier());
    kitchen.sees("/v1/deliveries?status=requested", |page| page["data"].as_array().unwrap().len() == 1).await;
    kitchen.act(&format!("{path}/ship")).await.problem(409, "illegal_transition");
    courier.act(&format!("{path}/accept")).await.problem(403, "forbidden");
    alice.act(&format!("{path}/accept")).await.problem(403, "forbidden");
    let accepted = kitchen.act(&format!("{path}/accept")).await;
    assert!(accepted.header("etag").starts_with("\"2-"), "{}", accepted.header("etag"));
    assert_eq!(accepted.expect(200)["status"], "accepted");
    kitchen.act(&format!("{path}/accept")).await.problem(409, "already_accepted");
    kitchen.act(&format!("{path}/ship")).await.problem(409, "not_prepared");
    assert_eq!(kitchen.act(&format!("{path}/prepare")).await.expect(200)["status"], "preparing");
    kitchen.act(&format!("{path}/prepare")).await.problem(409, "already_preparing");
    assert_eq!(courier.act(&format!("{path}/ship")).await.expect(200)["status"], "shipped");
    courier.act(&format!("{path}/ship")).await.problem(409, "already_shipped");
    kitchen.act(&format!("{path}/cancel")).await.problem(409, "illegal_transition");
    assert_eq!(courier.act(&format!("{path}/complete")).await.expect(200)["status"], "delivered");
    courier.act(&format!("{path}/complete")).await.problem(409, "already_completed");
    courier.act(&format!("{path}/fail")).await.problem(409, "illegal_transition");
    let order = alice.sees(&order_path, |order| order["status"] == "completed").await;
    assert_eq!(order["delivery"]["status"], "delivered");
    server.stop().await;
}

#[tokio::test]
async fn a_shop_without_a_kitchen_prepares_nothing() {
    let server = TestServer::start().await;
    let (_, _, path) = delivery(&server, "phone", "Charger").await;
    let phone = server.shop("phone");
    phone.act(&format!("{path}/accept")).await.expect(200);
    phone.act(&format!("{path}/prepare")).await.problem(409, "no_preparation");
    server.stop().await;
}

#[tokio::test]
async fn a_delivery_that_the_shop_cancels_cancels_the_order_with_a_full_refund() {
    let server = TestServer::start().await;
    let (alice, order_path, path) = delivery(&server, "books", "Collected Poems").await;
    let cancelled =
        server.shop("books").post(&format!("{path}/cancel"), json!({"reason": "out of print"})).await;
    let cancelled = cancelled.expect(200);
    assert_eq!((&cancelled["status"], &cancelled["reason"]), (&json!("cancelled"), &json!("out of print")));
    server.shop("books").act(&format!("{path}/cancel")).await.problem(409, "already_cancelled");
    let order = alice.sees(&order_path, |order| order["status"] == "cancelled").await;
    assert_eq!(order["cancellation"]["cause"], "shop_cancelled_delivery");
    alice.sees(&order_path, |order| order["payment"]["status"] == "refunded").await;
    server.stop().await;
}

#[tokio::test]
async fn a_delivery_that_fails_on_the_way_cancels_the_order() {
    let server = TestServer::start().await;
    let (alice, order_path, path) = delivery(&server, "books", "Collected Poems").await;
    server.shop("books").act(&format!("{path}/accept")).await.expect(200);
    server.courier().act(&format!("{path}/ship")).await.expect(200);
    let failed = server.courier().post(&format!("{path}/fail"), json!({"reason": "dog"})).await.expect(200);
    assert_eq!((&failed["status"], &failed["reason"]), (&json!("failed"), &json!("dog")));
    server.courier().act(&format!("{path}/fail")).await.problem(409, "already_failed");
    alice.sees(&order_path, |order| order["status"] == "cancelled").await;
    server.stop().await;
}
