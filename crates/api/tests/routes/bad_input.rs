//! Whatever is wrong with a request has its own clear answer and leaves no trace in the log.

use serde_json::{Value, json};

use crate::common::{TestServer, krw, order_of, recipient};

const ABSENT: &str = "01900000-0000-7000-8000-000000000000";

#[tokio::test]
async fn each_wrong_order_has_its_own_problem_and_appends_nothing() {
    let server = TestServer::start().await;
    let (alice, shop, admin) = (server.customer("alice"), server.shop("phone"), server.admin());
    let good = alice.product("phone", "Charger").await;
    let book = alice.product("books", "Collected Poems").await;
    let withdrawn = shop.lists("phone", "Old", 1, None).await;
    shop.delete(&format!("/v1/products/{withdrawn}")).await.expect(204);
    let scarce = shop.lists("phone", "Scarce", 10, Some(2)).await;
    let euro = shop.post(
        "/v1/shops/phone/products",
        json!({"name": "Euro", "price": {"amount_minor": 5, "currency": "EUR"}}),
    );
    let euro = euro.await.expect(201)["product_id"].as_str().unwrap().to_owned();
    let dear = shop.lists("phone", "Dear", (1 << 53) - 1, None).await;
    let policy = json!({"payment": {"when": "at_order"}, "cancellable_until": "accepted"});
    admin.put("/v1/shops/shut", json!({"name": "Shut", "policy": policy})).await.expect(201);
    admin.act("/v1/shops/shut/close").await.expect(200);

    let with = |name: &str, value: Value| {
        let mut body = order_of("phone", &good, 1);
        body[name] = value;
        body
    };
    let line = |product: &str, quantity: Value| {
        with("lines", json!([{"product_id": product, "quantity": quantity}]))
    };
    let to = |name: &str, value: Value| {
        let mut recipient = recipient();
        recipient[name] = value;
        with("recipient", recipient)
    };
    let many = |count: usize| with("lines", json!(vec![json!({"product_id": good, "quantity": 1}); count]));
    let cases = [
        ("an unknown product", line(ABSENT, json!(1)), 422, "unknown_product"),
        ("a product of another shop", line(&book, json!(1)), 422, "unknown_product"),
        ("a withdrawn product", line(&withdrawn, json!(1)), 409, "product_withdrawn"),
        ("more than there is", line(&scarce, json!(3)), 409, "out_of_stock"),
        ("no pieces", line(&good, json!(0)), 422, "invalid_body"),
        ("less than no pieces", line(&good, json!(-1)), 422, "invalid_body"),
        ("too many pieces", line(&good, json!(10_001)), 422, "invalid_body"),
        ("pieces beyond all numbers", line(&good, json!(u64::MAX)), 422, "invalid_body"),
        ("half a piece", line(&good, json!(0.5)), 422, "invalid_body"),
        ("a text for a number", line(&good, json!("1")), 422, "invalid_body"),
        ("an amount that overflows", line(&dear, json!(10_000)), 422, "amount_out_of_range"),
        ("an id that is none", line("first", json!(1)), 422, "invalid_body"),
        ("no lines", many(0), 422, "invalid_body"),
        ("101 lines", many(101), 422, "invalid_body"),
        ("10,000 lines", many(10_000), 422, "invalid_body"),
        ("a status", with("status", json!("confirmed")), 422, "unknown_field"),
        ("an unknown field", with("colour", json!("red")), 422, "unknown_field"),
        ("an unknown field inside", to("colour", json!("red")), 422, "unknown_field"),
        ("a missing field", to("name", Value::Null), 422, "invalid_body"),
        ("a NUL in a name", to("name", json!("a\0b")), 422, "invalid_body"),
        ("a line break in a phone", to("phone", json!("1\n2")), 422, "invalid_body"),
        ("a blank address", to("address", json!("   ")), 422, "invalid_body"),
        ("a name without end", to("name", json!("x".repeat(201))), 422, "invalid_body"),
        ("a card number", with("payment_method", json!("4111111111111111")), 422, "invalid_body"),
        ("an unknown shop", with("shop_id", json!("nowhere")), 404, "shop_not_found"),
        ("a shop that is no slug", with("shop_id", json!("No Where")), 422, "invalid_body"),
        ("a closed shop", with("shop_id", json!("shut")), 409, "shop_closed"),
        ("another price", with("expected_total", krw(1)), 409, "price_changed"),
        ("a price below zero", with("expected_total", krw(-1)), 422, "invalid_body"),
        (
            "no currency",
            with("expected_total", json!({"amount_minor": 1, "currency": "XXQ"})),
            422,
            "invalid_body",
        ),
        ("a list for an object", json!([]), 422, "invalid_body"),
        ("a list for an object inside", with("recipient", json!(["a", "b", "c"])), 422, "invalid_body"),
        ("a list for a line", with("lines", json!([[good, 1]])), 422, "invalid_body"),
    ];
    let head = server.head().await;
    for (what, body, status, code) in cases {
        let problem = alice.post("/v1/orders", body).await;
        assert_eq!(
            (problem.status, problem.body["code"].as_str()),
            (status, Some(code)),
            "{what}: {}",
            problem.body
        );
        problem.problem(status, code);
        assert_eq!(server.head().await, head, "{what} left a trace");
    }
    let mixed = json!([{"product_id": good, "quantity": 1}, {"product_id": euro, "quantity": 1}]);
    alice.post("/v1/orders", with("lines", mixed)).await.problem(422, "mixed_currencies");
    let twice = json!([{"product_id": scarce, "quantity": 2}, {"product_id": scarce, "quantity": 1}]);
    let problem = alice.post("/v1/orders", with("lines", twice)).await.problem(409, "out_of_stock");
    assert_eq!((&problem["available"], &problem["product_id"]), (&json!(2), &json!(scarce)));
    assert_eq!(server.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_told_apart_from_one_that_is_wrong() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    let good = order_of("phone", &product, 1).to_string();
    let head = server.head().await;
    let raw = |body: &[u8]| alice.post_raw("/v1/orders", body.to_vec());
    raw(b"").await.problem(400, "malformed_json");
    raw(b"{").await.problem(400, "malformed_json");
    raw(b"{\0}").await.problem(400, "malformed_json");
    raw(format!("{good}{good}").as_bytes()).await.problem(400, "malformed_json");
    raw(b"{\"shop_id\":\"\xff\xfe\"}").await.problem(400, "invalid_utf8");
    raw("[".repeat(100_000).as_bytes()).await.problem(422, "invalid_body");
    raw(good.replace("\"quantity\"", "\"product_id\":\"x\",\"quantity\"").as_bytes())
        .await
        .problem(422, "invalid_body");
    let huge = format!("{{\"shop_id\":\"{}\"}}", "x".repeat(10 << 20));
    raw(huge.as_bytes()).await.problem(413, "payload_too_large");
    server.nobody().post_raw("/v1/orders", huge.into_bytes()).await.problem(401, "token_missing");
    let typed = |kind: &str| {
        let request = alice.request(reqwest::Method::POST, "/v1/orders").header("content-type", kind);
        alice.send(request.body(good.clone()))
    };
    typed("text/plain").await.problem(415, "unsupported_media_type");
    typed("application/x-www-form-urlencoded").await.problem(415, "unsupported_media_type");
    assert_eq!(server.head().await, head);
    server.stop().await;
}

#[tokio::test]
async fn addresses_methods_ids_and_parameters_that_are_wrong_have_their_problems() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    alice.get("/nowhere").await.problem(404, "no_such_route");
    alice.get("/v1/order").await.problem(404, "no_such_route");
    let answer = alice.delete("/v1/orders").await;
    assert!(answer.header("allow").contains("POST"), "{answer:?}");
    answer.problem(405, "method_not_allowed");
    alice.get("/v1/orders/first").await.problem(404, "not_found");
    alice.get(&format!("/v1/orders/{ABSENT}")).await.problem(404, "order_not_found");
    alice.get(&format!("/v1/orders/{ABSENT}/timeline")).await.problem(404, "order_not_found");
    alice.get("/v1/shops/No%20Where").await.problem(404, "not_found");
    alice.get("/v1/shops/%ff").await.problem(404, "not_found");
    alice.get(&format!("/v1/products/{ABSENT}")).await.problem(404, "product_not_found");
    alice.get(&format!("/v1/payments/{ABSENT}")).await.problem(404, "payment_not_found");
    alice.get(&format!("/v1/deliveries/{ABSENT}")).await.problem(404, "delivery_not_found");
    server
        .shop("phone")
        .act(&format!("/v1/deliveries/{ABSENT}/accept"))
        .await
        .problem(404, "delivery_not_found");
    alice.act(&format!("/v1/orders/{ABSENT}/cancel")).await.problem(404, "order_not_found");
    for query in ["limit=0", "limit=101", "limit=x", "limit=-1", "colour=red", "limit=1&limit=2"] {
        alice.get(&format!("/v1/orders?{query}")).await.problem(400, "invalid_query");
    }
    alice.get("/v1/orders?cursor=rubbish").await.problem(400, "invalid_cursor");
    alice.get("/v1/orders?min_position=rubbish").await.problem(400, "invalid_position");
    alice.get(&format!("/v1/orders/{ABSENT}?at=yesterday")).await.problem(400, "invalid_query");
    alice.get("/v1/notifications?order_id=x").await.problem(400, "invalid_query");
    for key in ["two words", &"x".repeat(256)] {
        let keyed = alice.post_with("/v1/orders", ("idempotency-key", key), json!({}));
        keyed.await.problem(400, "invalid_header");
    }
    let tagged = alice.post_with("/v1/orders", ("if-match", "yes"), json!({}));
    tagged.await.problem(400, "invalid_header");
    server.stop().await;
}

#[tokio::test]
async fn a_wrong_shop_or_product_is_refused_and_appends_nothing() {
    let server = TestServer::start().await;
    let (admin, shop) = (server.admin(), server.shop("phone"));
    let product = admin.product("phone", "Galaxy S").await;
    let made = admin.product("phone", "Charger").await;
    let head = server.head().await;
    let put = |policy: Value| admin.put("/v1/shops/new", json!({"name": "New", "policy": policy}));
    put(json!({"payment": {"when": "never"}, "cancellable_until": "accepted"}))
        .await
        .problem(422, "invalid_body");
    put(json!({"payment": {"when": "at_order"}, "cancellable_until": "preparing"}))
        .await
        .problem(422, "invalid_policy");
    put(json!({"payment": {"when": "at_order"}, "cancellable_until": "accepted", "x": 1}))
        .await
        .problem(422, "unknown_field");
    put(json!({"payment": {"when": "deferred", "pay_within_secs": 0}, "cancellable_until": "accepted"}))
        .await
        .problem(422, "invalid_policy");
    let list = |body: Value| shop.post("/v1/shops/phone/products", body);
    list(json!({"name": "", "price": krw(1)})).await.problem(422, "invalid_body");
    list(json!({"name": "x\u{7}", "price": krw(1)})).await.problem(422, "invalid_body");
    list(json!({"name": "x", "price": krw(-1)})).await.problem(422, "invalid_body");
    list(json!({"name": "x", "price": 5})).await.problem(422, "invalid_body");
    list(json!({"name": "x", "price": krw(1), "status": "listed"})).await.problem(422, "unknown_field");
    list(json!({"name": "x", "price": krw(1), "stock": u64::MAX})).await.problem(422, "invalid_quantity");
    let path = format!("/v1/products/{product}");
    shop.patch(&path, json!({})).await.problem(422, "invalid_body");
    shop.patch(&path, json!({"price": {"amount_minor": 1, "currency": "EUR"}}))
        .await
        .problem(422, "currency_mismatch");
    shop.patch(&path, json!({"status": "withdrawn"})).await.problem(422, "unknown_field");
    shop.post(&format!("{path}/restock"), json!({"quantity": 0})).await.problem(422, "invalid_body");
    shop.post(&format!("{path}/restock"), json!({"quantity": -1})).await.problem(422, "invalid_body");
    shop.post(&format!("/v1/products/{made}/restock"), json!({"quantity": 1}))
        .await
        .problem(409, "stock_not_kept");
    admin
        .post("/v1/shops/nowhere/products", json!({"name": "x", "price": krw(1)}))
        .await
        .problem(404, "shop_not_found");
    admin.act("/v1/shops/nowhere/close").await.problem(404, "shop_not_found");
    assert_eq!(server.head().await, head);
    server.stop().await;
}
