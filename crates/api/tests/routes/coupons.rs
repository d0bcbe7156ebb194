use serde_json::{Value, json};

use crate::{
    common::{TestServer, krw, order_of, text},
    staging::{
        ABSENT, PIZZA, Quiet, eaten, path_of, refund, refuses_wrong_queries, saves_the_body, walked,
        with_coupon,
    },
};

/// What the coupon of the pizza shop takes off.
const WORTH: i64 = 3_000;

#[tokio::test]
async fn a_coupon_is_seen_by_its_customer_and_its_shop_and_nobody_else() {
    let server = TestServer::start().await;
    let order = eaten(&server, 1).await;
    let path = path_of("coupon", &order["coupon_issued"]);
    let quiet = Quiet::of(&server).await;
    let readers = [
        ("nobody", 401),
        ("henry", 404),
        ("phone", 404),
        ("courier", 404),
        ("mira", 404),
        ("grace", 200),
        ("pizza", 200),
        ("admin", 200),
    ];
    quiet.answers(&readers, async |who| who.get(&path).await).await;
    let lists = [("nobody", 401), ("courier", 403), ("mira", 403)];
    quiet.answers(&lists, async |who| who.get("/v1/coupons").await).await;
    for stranger in [server.customer("henry"), server.shop("phone")] {
        let page = stranger.get("/v1/coupons?shop_id=pizza").await.expect(200);
        assert_eq!(page["data"], json!([]));
    }
    // Nobody makes, changes or takes away a coupon but the platform.
    let admin = server.admin();
    quiet.refuses(admin.post("/v1/coupons", json!({})), 405, "method_not_allowed").await;
    quiet.refuses(admin.delete(&path), 405, "method_not_allowed").await;
    quiet.refuses(admin.patch(&path, json!({"status": "issued"})), 405, "method_not_allowed").await;
    server.stop().await;
}

#[tokio::test]
async fn a_coupon_that_cannot_be_used_refuses_the_order_and_appends_nothing() {
    let server = TestServer::start().await;
    let (grace, henry) = (server.customer("grace"), server.customer("henry"));
    let (spent, taken) = (eaten(&server, 1).await, eaten(&server, 1).await);
    let (spent, taken_id) =
        (spent["coupon_issued"]["coupon_id"].clone(), taken["coupon_issued"]["coupon_id"].clone());
    refund(&server, &taken, None).await;
    grace.sees(&path_of("coupon", &taken["coupon_issued"]), |coupon| coupon["status"] == "revoked").await;
    let good = with_coupon(&grace, &spent, "tok_ok").await;
    let mut elsewhere = order_of("phone", &grace.product("phone", "Charger").await, 1);
    elsewhere["coupon_id"] = spent.clone();
    let quiet = Quiet::of(&server).await;
    quiet.refuses(henry.post("/v1/orders", good.clone()), 404, "coupon_not_found").await;
    let refused = quiet.refuses(grace.post("/v1/orders", elsewhere), 409, "coupon_refused").await;
    assert_eq!(refused["reason"], "other_shop");
    let with = |id: Value| {
        let mut body = good.clone();
        body["coupon_id"] = id;
        grace.post("/v1/orders", body)
    };
    let refused = quiet.refuses(with(taken_id), 409, "coupon_refused").await;
    assert_eq!(refused["reason"], "revoked");
    quiet.refuses(with(json!(ABSENT)), 404, "coupon_not_found").await;
    quiet.refuses(with(json!("SAVE10")), 422, "invalid_body").await;
    let mut dearer = good.clone();
    dearer["expected_total"] = krw(PIZZA);
    quiet.refuses(grace.post("/v1/orders", dearer), 409, "price_changed").await;

    let mut agreed = good.clone();
    agreed["expected_total"] = krw(PIZZA - WORTH);
    let cheaper = grace.post("/v1/orders", agreed).await.expect(201);
    assert_eq!(cheaper["payment"]["captured"], krw(PIZZA - WORTH));
    let quiet = Quiet::of(&server).await;
    let refused = quiet.refuses(grace.post("/v1/orders", good), 409, "coupon_refused").await;
    assert_eq!(refused["reason"], "already_redeemed");
    server.stop().await;
}

#[tokio::test]
async fn an_order_with_a_coupon_is_placed_once_under_its_key() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let earned = eaten(&server, 1).await;
    let coupon = path_of("coupon", &earned["coupon_issued"]);
    let body = with_coupon(&grace, &earned["coupon_issued"]["coupon_id"], "tok_ok").await;
    let place = || grace.post_with("/v1/orders", ("idempotency-key", "cheap"), body.clone());
    let first = place().await.expect(201);
    let quiet = Quiet::of(&server).await;
    assert_eq!(place().await.expect(201), first);
    let mut other = body.clone();
    other.as_object_mut().unwrap().remove("coupon_id");
    let other = grace.post_with("/v1/orders", ("idempotency-key", "cheap"), other);
    quiet.refuses(other, 422, "idempotency_key_reused").await;
    let used = grace.get(&coupon).await.expect(200);
    assert_eq!((&used["status"], &used["used_by"]["order_id"]), (&json!("redeemed"), &first["order_id"]));
    server.stop().await;
}

#[tokio::test]
async fn coupons_are_listed_page_by_page_and_by_status_and_saved_by_their_etags() {
    let server = TestServer::start().await;
    let (grace, pizza) = (server.customer("grace"), server.shop("pizza"));
    let mut ids = Vec::new();
    for _ in 0..3 {
        let order = eaten(&server, 1).await;
        ids.insert(0, text(&order["coupon_issued"], "coupon_id").to_owned());
    }
    assert_eq!(walked(&grace, "/v1/coupons", "coupon_id").await, ids);
    let path = format!("/v1/coupons/{}", ids[1]);
    let tag = saves_the_body(&grace, &path).await;
    let body = with_coupon(&grace, &json!(ids[1]), "tok_ok").await;
    let placed = grace.post("/v1/orders", body).await;
    let at = placed.header("orderstream-position");
    let seen =
        grace.get_with(&format!("{path}?min_position={at}"), ("if-none-match", &tag)).await.expect(200);
    assert_eq!((&seen["status"], &seen["used_by"]["discount"]), (&json!("redeemed"), &krw(WORTH)));
    assert_eq!(walked(&pizza, "/v1/coupons?status=redeemed", "coupon_id").await, ids[1..2]);
    assert_eq!(walked(&server.admin(), "/v1/coupons?shop_id=pizza", "coupon_id").await, ids);
    assert_eq!(walked(&server.admin(), "/v1/coupons?shop_id=phone", "coupon_id").await, [""; 0]);
    refuses_wrong_queries(&grace, "/v1/coupons").await;
    server.stop().await;
}
