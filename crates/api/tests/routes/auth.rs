use std::time::Duration;

use orderstream::auth::{Keys, Role, TokenRequest};

use crate::common::{TestServer, order_of, text};

#[tokio::test]
async fn without_a_good_token_the_answer_is_401_and_says_why() {
    let server = TestServer::start().await;
    let answer = server.nobody().get("/v1/orders").await;
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
    answer.problem(401, "token_missing");

    let mut forged = server.nobody();
    forged.token = Some("rubbish".to_owned());
    let answer = forged.get("/v1/orders").await;
    assert!(answer.header("www-authenticate").contains("invalid_token"));
    answer.problem(401, "token_invalid");

    let keys = Keys::open_or_create(server.folder.path()).unwrap();
    let request = TokenRequest {
        sub: "alice".to_owned(),
        role: Role::Customer,
        shop: None,
        ttl: Duration::from_secs(1),
    };
    forged.token = Some(keys.issue(&request, chrono::Utc::now() - chrono::Duration::hours(1)).unwrap());
    forged.get("/v1/orders").await.problem(401, "token_expired");

    forged.token = Some(Keys::from_secret(&[1; 32]).issue(&request, chrono::Utc::now()).unwrap());
    forged.get("/v1/orders").await.problem(401, "token_invalid");
    let basic =
        server.nobody().request(reqwest::Method::GET, "/v1/orders").header("authorization", "Basic YTpi");
    server.nobody().send(basic).await.problem(401, "token_invalid");
    server.stop().await;
}

#[tokio::test]
async fn a_role_does_what_its_commands_say_and_nothing_else() {
    let server = TestServer::start().await;
    let (alice, phone, courier, admin) =
        (server.customer("alice"), server.shop("phone"), server.courier(), server.admin());
    let product = alice.product("phone", "Charger").await;
    let head = server.head().await;
    admin.post("/v1/orders", order_of("phone", &product, 1)).await.problem(403, "forbidden");
    phone.post("/v1/orders", order_of("phone", &product, 1)).await.problem(403, "forbidden");
    let policy = serde_json::json!({"name": "X", "policy": {"payment": {"when": "at_order"}, "cancellable_until": "accepted"}});
    phone.put("/v1/shops/phone", policy).await.problem(403, "forbidden");
    alice.act("/v1/shops/phone/close").await.problem(403, "forbidden");
    let new = serde_json::json!({"name": "X", "price": crate::common::krw(1)});
    alice.post("/v1/shops/phone/products", new.clone()).await.problem(403, "forbidden");
    phone.post("/v1/shops/books/products", new).await.problem(403, "forbidden");
    alice.delete(&format!("/v1/products/{product}")).await.problem(403, "forbidden");
    courier.get("/v1/orders").await.problem(403, "forbidden");
    courier.get("/v1/payments").await.problem(403, "forbidden");
    alice.get("/v1/admin/sagas").await.problem(403, "forbidden");
    phone.get("/v1/admin/events").await.problem(403, "forbidden");
    alice.act("/v1/admin/projections/orders/rebuild").await.problem(403, "forbidden");
    assert_eq!(server.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn what_belongs_to_somebody_else_does_not_exist() {
    let server = TestServer::start().await;
    let (alice, bob) = (server.customer("alice"), server.customer("bob"));
    let (phone, books) = (server.shop("phone"), server.shop("books"));
    let product = alice.product("phone", "Charger").await;
    let order = alice.buys("phone", &product, 1).await;
    let id = text(&order, "order_id");
    let path = format!("/v1/orders/{id}");
    let payment = format!("/v1/payments/{}", text(&order["payment"], "payment_id"));
    let seen = phone.sees(&path, |order| order["delivery"].is_object()).await;
    assert_eq!(seen["recipient"]["name"], "Kim Min-ji");
    let delivery = format!("/v1/deliveries/{}", text(&seen["delivery"], "delivery_id"));
    for stranger in [&bob, &books] {
        stranger.get(&path).await.problem(404, "order_not_found");
        stranger.get(&format!("{path}/timeline")).await.problem(404, "order_not_found");
        stranger.get(&format!("{path}/stream")).await.problem(404, "order_not_found");
        stranger.get(&payment).await.problem(404, "payment_not_found");
        stranger.get(&delivery).await.problem(404, "delivery_not_found");
        assert_eq!(stranger.get("/v1/orders").await.expect(200)["data"], serde_json::json!([]));
        assert_eq!(stranger.get("/v1/payments").await.expect(200)["data"], serde_json::json!([]));
        assert_eq!(stranger.get("/v1/notifications").await.expect(200)["data"], serde_json::json!([]));
        assert_eq!(stranger.get("/v1/deliveries").await.expect(200)["data"], serde_json::json!([]));
    }
    let head = server.head().await;
    bob.act(&format!("{path}/cancel")).await.problem(404, "order_not_found");
    books.act(&format!("{delivery}/accept")).await.problem(404, "delivery_not_found");
    books.act(&format!("/v1/products/{product}")).await.problem(405, "method_not_allowed");
    books.delete(&format!("/v1/products/{product}")).await.problem(404, "product_not_found");
    bob.get("/v1/customers/alice/timeline").await.problem(404, "not_found");
    bob.delete("/v1/customers/alice/contacts").await.problem(404, "not_found");
    assert_eq!(server.head().await, head, "a stranger's call left a trace");
    for reader in [&alice, &phone, &server.admin()] {
        reader.get(&path).await.expect(200);
        reader.get(&payment).await.expect(200);
        reader.get(&delivery).await.expect(200);
    }
    server.courier().get(&delivery).await.expect(200);
    server.stop().await;
}
