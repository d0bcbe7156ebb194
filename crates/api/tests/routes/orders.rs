use futures::future::join_all;
use serde_json::json;

use crate::common::{TestServer, krw, order_of, recipient, text};

#[tokio::test]
async fn an_order_is_paid_and_a_deal_within_the_call() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let (phone, charger) =
        (alice.product("phone", "Galaxy S").await, alice.product("phone", "Charger").await);
    let body = json!({
        "shop_id": "phone", "recipient": recipient(), "payment_method": "tok_ok", "expected_total": krw(2_339_000),
        "lines": [{"product_id": phone, "quantity": 2}, {"product_id": charger, "quantity": 1, "option": "white"}],
    });
    let answer = alice.post("/v1/orders", body).await;
    assert!(answer.header("etag").starts_with("\"2-0."));
    let path = answer.header("location");
    let order = answer.expect(201);
    assert_eq!(path, format!("/v1/orders/{}", text(&order, "order_id")));
    assert_eq!((&order["status"], &order["total"]), (&json!("confirmed"), &krw(2_339_000)));
    assert_eq!(order["payment"]["captured"], order["total"]);
    assert_eq!(order["lines"][1]["option"], "white");
    assert_eq!(order["recipient"], recipient());
    assert!(order.get("internal").is_none());
    let stock = alice.sees(&format!("/v1/products/{phone}"), |product| product["stock"] == 998).await;
    assert_eq!(stock["reserved"], 2);
    server.stop().await;
}

#[tokio::test]
async fn a_declined_payment_is_402_and_leaves_the_stock_as_it_was() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Galaxy S").await;
    let mut body = order_of("phone", &product, 3);
    body["payment_method"] = json!("tok_declined");
    let problem = alice.post("/v1/orders", body.clone()).await.problem(402, "payment_declined");
    assert_eq!(problem["decline_code"], "card_declined");
    let path = format!("/v1/orders/{}", text(&problem, "order_id"));
    let order = alice.sees(&path, |order| order["status"] == "rejected").await;
    assert_eq!(order["rejection"]["code"], "payment_declined");
    alice.sees(&format!("/v1/products/{product}"), |product| product["stock"] == 1000).await;
    body["payment_method"] = json!("tok_that_nobody_knows");
    let problem = alice.post("/v1/orders", body).await.problem(402, "payment_declined");
    assert_eq!(problem["decline_code"], "unknown_payment_method");
    server.stop().await;
}

#[tokio::test]
async fn the_last_pieces_are_sold_once_however_many_want_them() {
    let server = TestServer::start().await;
    let (alice, shop) = (server.customer("alice"), server.shop("phone"));
    let product = shop.lists("phone", "Rare", 100, Some(3)).await;
    let answers = join_all((0..12).map(|_| alice.post("/v1/orders", order_of("phone", &product, 1)))).await;
    let mut sold = 0;
    for answer in answers {
        if answer.status == 201 {
            sold += 1;
        } else {
            answer.problem(409, "out_of_stock");
        }
    }
    assert_eq!(sold, 3);
    let left = alice.sees(&format!("/v1/products/{product}"), |product| product["reserved"] == 3).await;
    assert_eq!(left["stock"], 0);
    server.stop().await;
}

#[tokio::test]
async fn an_order_can_be_seen_as_it_was() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    let order = alice.buys("phone", &product, 1).await;
    let (path, then) = (format!("/v1/orders/{}", text(&order, "order_id")), text(&order, "position"));
    let confirmed_at = text(&order, "updated_at");
    let cancelled = alice.act(&format!("{path}/cancel")).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    let past = alice.get(&format!("{path}?at_position={then}")).await.expect(200);
    assert_eq!((&past["status"], &past["version"]), (&json!("confirmed"), &json!(2)));
    let past = alice.get(&format!("{path}?at={confirmed_at}")).await.expect(200);
    assert_eq!(past["status"], "confirmed");
    alice.get(&format!("{path}?at=2020-01-01T00:00:00Z")).await.problem(404, "order_not_found");
    alice.get(&format!("{path}?at_position=0.1")).await.problem(404, "order_not_found");
    alice.get(&format!("{path}?at_position=0.1&at=2020-01-01T00:00:00Z")).await.problem(400, "invalid_query");
    alice.get(&format!("{path}?at_position=x")).await.problem(400, "invalid_position");
    server.stop().await;
}

#[tokio::test]
async fn an_answer_that_got_lost_at_the_provider_is_found_and_charged_once() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    let mut body = order_of("phone", &product, 1);
    body["payment_method"] = json!("tok_timeout_then_captured");
    let order = alice.post("/v1/orders", body).await.expect(201);
    assert_eq!(order["payment"]["status"], "captured");
    let entries = server.server.platform().sandbox().entries().await.unwrap();
    assert_eq!(entries.len(), 1, "{entries:?}");
    server.stop().await;
}
