use serde_json::{Value, json};

use crate::common::{TestServer, krw, order_of, text};

#[tokio::test]
async fn a_read_after_a_write_sees_it() {
    let server = TestServer::start().await;
    let (alice, shop) = (server.customer("alice"), server.shop("phone"));
    let product = alice.product("phone", "Galaxy S").await;
    let placed = alice.post("/v1/orders", order_of("phone", &product, 1)).await;
    let position = placed.header("orderstream-position");
    let path = placed.header("location");
    let seen = alice.get(&format!("{path}?min_position={position}")).await.expect(200);
    assert_eq!(seen["status"], "confirmed");
    assert_eq!(seen["recipient"], placed.body["recipient"]);
    let fields = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&seen), fields(&placed.body), "the answer to the command has another shape");
    alice.get_with(&path, ("orderstream-min-position", &position)).await.expect(200);
    for price in 0..20 {
        shop.patch(&format!("/v1/products/{product}"), json!({"price": krw(price)})).await.expect(200);
        let seen = alice.get(&format!("/v1/products/{product}")).await.expect(200);
        assert_eq!(seen["price"], krw(price));
    }
    server.stop().await;
}

#[tokio::test]
async fn a_position_that_the_view_does_not_reach_is_503_after_a_bounded_wait() {
    let server = TestServer::start_with(|settings| {
        settings.view_wait_ms = 50;
        settings.except = vec!["view:orders".to_owned()];
    })
    .await;
    let alice = server.customer("alice");
    let head = server.head().await;
    let answer = alice.get(&format!("/v1/orders?min_position=0.{head}")).await;
    assert_eq!(answer.header("retry-after"), "1");
    answer.problem(503, "view_behind");
    // What nobody can have been answered with is no reason to wait.
    alice.get("/v1/orders?min_position=0.999999").await.problem(400, "invalid_position");
    alice
        .get_with("/v1/products", ("orderstream-min-position", "rubbish"))
        .await
        .problem(400, "invalid_position");
    server.stop().await;
}

#[tokio::test]
async fn an_etag_saves_the_body_and_guards_a_change() {
    let server = TestServer::start().await;
    let (alice, shop) = (server.customer("alice"), server.shop("phone"));
    let product = alice.product("phone", "Galaxy S").await;
    let path = format!("/v1/products/{product}");
    let tag = alice.get(&path).await.header("etag");
    let unchanged = alice.get_with(&path, ("if-none-match", &tag)).await;
    assert_eq!((unchanged.status, unchanged.header("etag")), (304, tag.clone()));
    let patch = |tag: &str, price: i64| {
        let request = shop.request(reqwest::Method::PATCH, &path).header("if-match", tag);
        shop.send(request.json(&json!({"price": krw(price)})))
    };
    let changed = patch(&tag, 7).await;
    let newer = changed.header("etag");
    changed.expect(200);
    assert_ne!(newer, tag);
    let head = server.head().await;
    patch(&tag, 8).await.problem(412, "version_mismatch");
    assert_eq!(server.head().await, head);
    patch(&newer, 8).await.expect(200);
    patch("*", 9).await.expect(200);
    alice.get_with(&path, ("if-none-match", &tag)).await.expect(200);

    let order = alice.buys("phone", &product, 1).await;
    let path = format!("/v1/orders/{}/cancel", text(&order, "order_id"));
    alice.post_with(&path, ("if-match", "\"1-0.1\""), json!({})).await.problem(412, "version_mismatch");
    alice.post_with(&path, ("if-match", "\"2-0.1\""), json!({})).await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn a_list_is_walked_by_cursor_and_stays_stable_while_new_rows_come() {
    let server = TestServer::start().await;
    let (alice, shop) = (server.customer("alice"), server.shop("phone"));
    let product = alice.product("phone", "Charger").await;
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(text(&alice.buys("phone", &product, 1).await, "order_id").to_owned());
    }
    placed.reverse();
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let at = cursor.as_ref().map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = shop.get(&format!("/v1/orders?limit=2{at}")).await.expect(200);
        seen.extend(page["data"].as_array().unwrap().iter().map(|order| text(order, "order_id").to_owned()));
        assert_eq!(page["has_more"], json!(page["next_cursor"].is_string()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
        alice.buys("phone", &product, 1).await;
    }
    assert_eq!(seen, placed);
    let confirmed = alice.get("/v1/orders?status=confirmed&limit=100").await.expect(200);
    assert!(confirmed["data"].as_array().unwrap().len() >= 7);
    assert_eq!(alice.get("/v1/orders?status=rejected").await.expect(200)["data"], json!([]));
    assert_eq!(server.admin().get("/v1/orders?shop_id=books").await.expect(200)["data"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn a_request_id_and_a_trace_are_echoed_and_the_trace_is_on_the_events() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = alice.request(reqwest::Method::POST, "/v1/orders").header("traceparent", trace);
    let request = request.header("x-request-id", "mine-1").json(&order_of("phone", &product, 1));
    let answer = alice.send(request).await;
    assert_eq!(
        (answer.header("traceparent"), answer.header("x-request-id")),
        (trace.to_owned(), "mine-1".to_owned())
    );
    let order_id = answer.expect(201)["order_id"].as_str().unwrap().to_owned();
    let events = server.admin().get(&format!("/v1/admin/events?stream=order/{order_id}")).await.expect(200);
    for event in events["data"].as_array().unwrap() {
        assert_eq!(event["metadata"]["traceparent"], trace);
        assert_eq!(event["metadata"]["correlation_id"], order_id.as_str());
    }
    assert!(!alice.get("/v1/orders").await.header("x-request-id").is_empty());
    server.stop().await;
}
