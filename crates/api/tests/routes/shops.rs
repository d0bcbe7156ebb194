use serde_json::{Value, json};

use crate::common::{TestServer, order_of};

#[tokio::test]
async fn a_shop_is_opened_changed_closed_and_reopened() {
    let server = TestServer::start().await;
    let (admin, nobody) = (server.admin(), server.nobody());
    let body = |name: &str| json!({"name": name, "policy": {"payment": {"when": "at_order"}, "cancellable_until": "requested"}});
    let opened = admin.put("/v1/shops/tea", body("Tea")).await.expect(201);
    assert_eq!((&opened["name"], &opened["status"]), (&json!("Tea"), &json!("open")));
    assert_eq!(nobody.get("/v1/shops/tea").await.expect(200), opened);
    assert_eq!(admin.put("/v1/shops/tea", body("Tea")).await.expect(200)["version"], 1);
    assert_eq!(admin.put("/v1/shops/tea", body("Tea House")).await.expect(200)["name"], "Tea House");
    let tea = server.shop("tea").lists("tea", "Green", 3, None).await;
    let alice = server.customer("alice");
    alice.buys("tea", &tea, 1).await;
    assert_eq!(admin.act("/v1/shops/tea/close").await.expect(200)["status"], "closed");
    admin.act("/v1/shops/tea/close").await.problem(409, "already_closed");
    alice.post("/v1/orders", order_of("tea", &tea, 1)).await.problem(409, "shop_closed");
    assert_eq!(admin.act("/v1/shops/tea/reopen").await.expect(200)["status"], "open");
    admin.act("/v1/shops/tea/reopen").await.problem(409, "already_open");
    alice.buys("tea", &tea, 1).await;
    server.stop().await;
}

#[tokio::test]
async fn the_sample_shops_are_there_from_the_start() {
    let server = TestServer::start().await;
    let all = |page: &Value| page["data"].as_array().is_some_and(|shops| shops.len() >= 4);
    let page = server.nobody().sees("/v1/shops", all).await;
    let shops: Vec<&str> =
        page["data"].as_array().unwrap().iter().map(|s| s["shop_id"].as_str().unwrap()).collect();
    assert_eq!(shops.len(), 4);
    for shop in ["phone", "books", "kitchen", "pizza"] {
        assert!(shops.contains(&shop), "{shop} is missing");
    }
    server.stop().await;
}
