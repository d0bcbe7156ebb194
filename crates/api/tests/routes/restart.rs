use std::time::Duration;

use orderstream::{Platform, Settings};
use reqwest::Method;
use serde_json::json;

use crate::common::{TestServer, order_of, text};

#[tokio::test]
async fn a_second_platform_on_the_same_folder_is_refused_and_told_who_holds_it() {
    let server = TestServer::start().await;
    let refused = Platform::start(Settings::scratch(server.folder.path())).await;
    let text = refused.err().unwrap().to_string();
    assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
    assert!(text.contains(&server.server.address().to_string()), "{text}");
    server.nobody().get("/livez").await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn a_restart_keeps_everything_and_loads_no_shop_twice() {
    let server = TestServer::start().await;
    let (alice, admin) = (server.customer("alice"), server.admin());
    let product = alice.product("phone", "Galaxy S").await;
    let place = || alice.post_with("/v1/orders", ("idempotency-key", "k"), order_of("phone", &product, 1));
    let order = place().await.expect(201);
    let path = format!("/v1/orders/{}", text(&order, "order_id"));
    alice.sees(&path, |order| order["delivery"].is_object()).await;
    let policy = json!({"payment": {"when": "at_order"}, "cancellable_until": "requested"});
    admin.put("/v1/shops/phone", json!({"name": "Phones", "policy": policy})).await.expect(200);
    server.shop("phone").patch(&format!("/v1/products/{product}"), json!({"name": "S"})).await.expect(200);
    let before = alice.get(&path).await.expect(200);
    let timeline = format!("{path}/timeline?limit=100");
    let steps = alice.get(&timeline).await.expect(200);

    let server = server.restart_with(|_| {}).await;
    let alice = server.customer("alice");
    let head = server.head().await;
    let shop = alice.get("/v1/shops/phone").await.expect(200);
    assert_eq!((&shop["name"], &shop["version"]), (&json!("Phones"), &json!(2)));
    assert_eq!(alice.get(&format!("/v1/products/{product}")).await.expect(200)["name"], "S");
    assert_eq!(alice.get(&path).await.expect(200), before);
    let after = alice.get(&timeline).await.expect(200);
    assert!(after["data"].as_array().unwrap().len() >= steps["data"].as_array().unwrap().len());
    let again = alice.post_with("/v1/orders", ("idempotency-key", "k"), order_of("phone", &product, 1)).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.expect(201)["order_id"], order["order_id"]);
    assert_eq!(server.head().await, head, "a restart appended something");
    server.stop().await;
}

#[tokio::test]
async fn an_order_that_waits_goes_on_when_its_process_manager_is_back() {
    let server = TestServer::start_with(|settings| {
        settings.except = vec!["checkout".to_owned()];
        settings.order_wait_ms = 100;
    });
    let server = server.await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    let keyed = ("idempotency-key", "w");
    let answer = alice.post_with("/v1/orders", keyed, order_of("phone", &product, 1)).await;
    let path = answer.header("location");
    answer.expect(202);
    assert_eq!(alice.get(&path).await.expect(200)["status"], "awaiting_payment");
    let server = server.restart_with(|_| {}).await;
    let alice = server.customer("alice");
    alice.sees(&path, |order| order["status"] == "confirmed").await;
    server.stop().await;
}

#[tokio::test]
async fn a_request_that_died_half_way_goes_on_under_its_key_and_charges_once() {
    let server = TestServer::start_with(|settings| settings.shutdown_wait_ms = 0).await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Galaxy S").await;
    let mut body = order_of("phone", &product, 1);
    body["payment_method"] = json!("tok_slow");
    let request = alice.request(Method::POST, "/v1/orders").header("idempotency-key", "half").json(&body);
    let hung_up = request.timeout(Duration::from_millis(300)).send().await;
    assert!(hung_up.is_err_and(|error| error.is_timeout()));
    let server = server.restart_with(|_| {}).await;
    let alice = server.customer("alice");
    let order = alice.post_with("/v1/orders", ("idempotency-key", "half"), body).await.expect(201);
    assert_eq!((&order["status"], &order["payment"]["status"]), (&json!("confirmed"), &json!("captured")));
    let orders = alice.get("/v1/orders").await.expect(200);
    assert_eq!(orders["data"].as_array().unwrap().len(), 1);
    assert_eq!(orders["data"][0]["order_id"], order["order_id"]);
    assert_eq!(server.server.platform().sandbox().entries().await.unwrap().len(), 1);
    server.stop().await;
}
