use serde_json::{Value, json};

use crate::{
    common::{TestServer, krw, text},
    staging::{
        ABSENT, PIZZA, Quiet, eaten, is_done_once, ordered, path_of, refund, refunds_path,
        refuses_wrong_queries, saves_the_body, steps, walked, wish,
    },
};

#[tokio::test]
async fn a_refund_is_seen_by_its_customer_and_its_shop_and_nobody_else() {
    let server = TestServer::start().await;
    let order = eaten(&server, 2).await;
    let asked = refund(&server, &order, Some(1)).await;
    let path = path_of("refund", &asked);
    let delivery = path_of("delivery", &order["delivery"]);
    let quiet = Quiet::of(&server).await;
    let strangers = [("nobody", 401), ("henry", 404), ("kitchen", 404), ("courier", 404), ("mira", 404)];
    let theirs = [("grace", 200), ("pizza", 200), ("admin", 200)];
    quiet.answers(&[&strangers[..], &theirs].concat(), async |who| who.get(&path).await).await;
    let lists = [("nobody", 401), ("courier", 403), ("mira", 403)];
    quiet.answers(&lists, async |who| who.get("/v1/refunds").await).await;
    for stranger in [server.customer("henry"), server.shop("kitchen")] {
        let page = stranger.get("/v1/refunds?shop_id=pizza").await.expect(200);
        assert_eq!(page["data"], json!([]));
    }
    let roles = [("nobody", 401), ("henry", 404), ("pizza", 403), ("courier", 403), ("mira", 403)];
    quiet.answers(&roles, async |who| who.post(&refunds_path(&order), wish(&order, None)).await).await;
    quiet.answers(&roles, async |who| who.act(&format!("{path}/cancel")).await).await;
    let receivers = [("nobody", 401), ("grace", 403), ("kitchen", 404), ("courier", 403), ("mira", 403)];
    quiet.answers(&receivers, async |who| who.act(&format!("{delivery}/receive-return")).await).await;
    let turners = [("nobody", 401), ("grace", 403), ("kitchen", 404), ("mira", 403)];
    quiet.answers(&turners, async |who| who.act(&format!("{delivery}/cancel-return")).await).await;
    server.admin().act(&format!("{path}/cancel")).await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn a_refund_and_its_cancellation_are_done_once_under_their_keys() {
    let server = TestServer::start().await;
    let (grace, pizza) = (server.customer("grace"), server.shop("pizza"));
    let order = eaten(&server, 3).await;
    let asks = refunds_path(&order);
    let first = is_done_once(&grace, &asks, wish(&order, Some(1)), 201, (&asks, wish(&order, Some(2)))).await;
    assert_eq!(walked(&grace, "/v1/refunds", "refund_id").await, [text(&first, "refund_id")]);
    let cancel = format!("{}/cancel", path_of("refund", &first));
    let key = ("idempotency-key", "off");
    let cancelled = grace.post_with(&cancel, key, json!({})).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    let quiet = Quiet::of(&server).await;
    let again = grace.post_with(&cancel, key, json!({})).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.expect(200), cancelled);
    let other = grace.post_with(&asks, key, wish(&order, Some(1)));
    quiet.refuses(other, 422, "idempotency_key_reused").await;
    quiet.refuses(grace.act(&cancel), 409, "already_cancelled").await;
    // The return is over: there is nothing to receive.
    let receive = format!("{}/receive-return", path_of("delivery", &order["delivery"]));
    quiet.refuses(pizza.act(&receive), 409, "no_open_return").await;
    let back = grace.get(&path_of("order", &order)).await.expect(200);
    assert_eq!(back["payment"]["refunded"], krw(0));
    server.stop().await;
}

#[tokio::test]
async fn an_etag_of_a_refund_saves_its_body_and_guards_its_cancellation() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let order = eaten(&server, 2).await;
    let asked = grace.post(&refunds_path(&order), wish(&order, Some(1))).await;
    let (path, at) = (asked.header("location"), asked.header("orderstream-position"));
    assert_eq!(path, path_of("refund", &asked.body));
    let seen = grace.get(&format!("{path}?min_position={at}")).await.expect(200);
    assert_eq!((&seen["status"], &seen["amount"]), (&json!("returning"), &krw(PIZZA)));
    let quiet = Quiet::of(&server).await;
    let tag = saves_the_body(&grace, &path).await;
    let cancel = |tag: &str| {
        let (grace, path, tag) = (grace.clone(), format!("{path}/cancel"), tag.to_owned());
        async move { grace.post_with(&path, ("if-match", &tag), json!({})).await }
    };
    quiet.refuses(cancel("\"1-0.1\""), 412, "version_mismatch").await;
    quiet.refuses(cancel("rubbish"), 400, "invalid_header").await;
    assert_eq!(cancel(&tag).await.expect(200)["status"], "cancelled");
    server.stop().await;
}

#[tokio::test]
async fn each_wrong_refund_has_its_own_problem_and_appends_nothing() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let order = eaten(&server, 2).await;
    let with = |name: &str, value: Value| {
        let mut body = wish(&order, Some(1));
        body[name] = value;
        body
    };
    let pizza = &order["lines"][0]["product_id"];
    let line = |product: &Value, quantity: Value| {
        with("lines", json!([{"product_id": product, "quantity": quantity}]))
    };
    let twice = json!([{"product_id": pizza, "quantity": 2}, {"product_id": pizza, "quantity": 1}]);
    let cases = [
        ("more than was bought", line(pizza, json!(3)), 409, "more_than_delivered"),
        ("more than was bought, in two lines", with("lines", twice), 409, "more_than_delivered"),
        ("what was never bought", line(&json!(ABSENT), json!(1)), 409, "more_than_delivered"),
        ("no pieces", line(pizza, json!(0)), 422, "invalid_body"),
        ("less than no pieces", line(pizza, json!(-1)), 422, "invalid_body"),
        ("half a piece", line(pizza, json!(0.5)), 422, "invalid_body"),
        ("no lines", with("lines", json!([])), 422, "invalid_body"),
        (
            "101 lines",
            with("lines", json!(vec![json!({"product_id": pizza, "quantity": 1}); 101])),
            422,
            "invalid_body",
        ),
        ("no reason", with("reason", Value::Null), 422, "invalid_body"),
        ("a blank reason", with("reason", json!("  ")), 422, "invalid_body"),
        ("a reason without end", with("reason", json!("x".repeat(501))), 422, "invalid_body"),
        ("an amount", with("amount", krw(1)), 422, "unknown_field"),
        ("a status", with("status", json!("completed")), 422, "unknown_field"),
    ];
    let quiet = Quiet::of(&server).await;
    for (what, body, status, code) in cases {
        println!("{what}");
        quiet.refuses(grace.post(&refunds_path(&order), body), status, code).await;
    }
    let absent = format!("/v1/orders/{ABSENT}/refunds");
    quiet.refuses(grace.post(&absent, wish(&order, None)), 404, "order_not_found").await;
    quiet.refuses(grace.get(&format!("/v1/refunds/{ABSENT}")), 404, "refund_not_found").await;
    quiet.refuses(grace.act(&format!("/v1/refunds/{ABSENT}/cancel")), 404, "refund_not_found").await;
    assert_eq!(grace.get("/v1/refunds").await.expect(200)["data"], json!([]));
    server.stop().await;
}

#[tokio::test]
async fn goods_go_back_after_they_arrived_one_return_at_a_time_and_each_piece_once() {
    let server = TestServer::start().await;
    let (grace, pizza) = (server.customer("grace"), server.shop("pizza"));
    let order = ordered(&server, "pizza", "Four Cheese", 2).await;
    let delivery = path_of("delivery", &order["delivery"]);
    let asks = refunds_path(&order);
    let ask = |pieces| grace.post(&asks, wish(&order, pieces));
    let quiet = Quiet::of(&server).await;
    quiet.refuses(ask(None), 409, "not_delivered").await;
    for step in ["receive-return", "cancel-return"] {
        quiet.refuses(pizza.act(&format!("{delivery}/{step}")), 409, "illegal_transition").await;
    }
    steps(&server, &order, &["accept", "prepare", "ship", "complete"]).await;
    let first = refund(&server, &order, Some(1)).await;
    let quiet = Quiet::of(&server).await;
    quiet.refuses(ask(Some(1)), 409, "return_open").await;
    steps(&server, &order, &["receive-return"]).await;
    grace.sees(&path_of("refund", &first), |refund| refund["status"] == "completed").await;
    let quiet = Quiet::of(&server).await;
    quiet.refuses(ask(Some(2)), 409, "more_than_delivered").await;
    let cancel = format!("{}/cancel", path_of("refund", &first));
    quiet.refuses(grace.act(&cancel), 409, "illegal_transition").await;
    let rest = refund(&server, &order, None).await;
    steps(&server, &order, &["receive-return"]).await;
    grace.sees(&path_of("refund", &rest), |refund| refund["status"] == "completed").await;
    let quiet = Quiet::of(&server).await;
    quiet.refuses(ask(None), 409, "more_than_delivered").await;
    quiet.refuses(pizza.act(&format!("{delivery}/receive-return")), 409, "already_received").await;
    let order_path = path_of("order", &order);
    let order = grace.get(&order_path).await.expect(200);
    assert_eq!(order["payment"]["refunded"], order["total"]);
    quiet.refuses(grace.act(&format!("{order_path}/cancel")), 409, "too_late_to_cancel").await;
    server.stop().await;
}

#[tokio::test]
async fn nothing_goes_back_after_the_window_or_to_a_shop_that_takes_nothing_back() {
    let server = TestServer::start().await;
    let (grace, admin) = (server.customer("grace"), server.admin());
    let mut shop = admin.sees("/v1/shops/pizza", |_| true).await;
    shop["policy"]["refund_window_secs"] = json!(1);
    let hasty = json!({"name": shop["name"], "policy": shop["policy"]});
    admin.put("/v1/shops/pizza", hasty).await.expect(200);
    let late = eaten(&server, 1).await;
    let never = ordered(&server, "phone", "Charger", 1).await;
    steps(&server, &never, &["accept", "ship", "complete"]).await;
    let timeline = format!("{}/timeline?limit=100", path_of("order", &late));
    let closed = |page: &Value| {
        page["data"].as_array().unwrap().iter().any(|step| step["what"] == "delivery.return_window_closed")
    };
    grace.sees(&timeline, closed).await;
    let quiet = Quiet::of(&server).await;
    quiet.refuses(grace.post(&refunds_path(&late), wish(&late, None)), 409, "window_over").await;
    quiet.refuses(grace.post(&refunds_path(&never), wish(&never, None)), 409, "no_returns").await;
    server.stop().await;
}

#[tokio::test]
async fn refunds_are_listed_page_by_page_by_order_by_shop_and_by_status() {
    let server = TestServer::start().await;
    let (grace, pizza) = (server.customer("grace"), server.shop("pizza"));
    let order = eaten(&server, 3).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let asked = refund(&server, &order, Some(1)).await;
        ids.insert(0, text(&asked, "refund_id").to_owned());
        steps(&server, &order, &["receive-return"]).await;
        grace.sees(&path_of("refund", &asked), |refund| refund["status"] == "completed").await;
    }
    let second = eaten(&server, 1).await;
    let open = refund(&server, &second, None).await;
    let of_order = format!("/v1/refunds?order_id={}", text(&order, "order_id"));
    assert_eq!(walked(&grace, &of_order, "refund_id").await, ids);
    assert_eq!(walked(&pizza, "/v1/refunds?status=completed", "refund_id").await, ids);
    assert_eq!(walked(&grace, "/v1/refunds?status=returning", "refund_id").await, [text(&open, "refund_id")]);
    assert_eq!(walked(&server.admin(), "/v1/refunds?shop_id=pizza", "refund_id").await.len(), 4);
    assert_eq!(walked(&server.admin(), "/v1/refunds?shop_id=phone", "refund_id").await, [""; 0]);
    refuses_wrong_queries(&grace, "/v1/refunds").await;
    server.stop().await;
}
