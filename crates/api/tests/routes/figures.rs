use serde_json::{Value, json};

use crate::{
    common::{TestServer, krw, text},
    staging::{
        PIZZA, Quiet, eaten, paid_stay, path_of, refund, refuses_wrong_queries, resort, settled, stay, steps,
    },
};

const FIGURES: &str = "/v1/admin/figures";

/// The sums of a field (a JSON pointer) over the days: a test may run at midnight.
async fn sum(server: &TestServer, query: &str, field: &str) -> i64 {
    let page = server.admin().get(&format!("{FIGURES}?{query}")).await.expect(200);
    let value = |row: &Value| row.pointer(field).and_then(Value::as_i64).unwrap_or_default();
    page["data"].as_array().unwrap().iter().map(value).sum()
}

#[tokio::test]
async fn figures_are_the_operators_alone() {
    let server = TestServer::start().await;
    let quiet = Quiet::of(&server).await;
    let roles =
        [("nobody", 401), ("grace", 403), ("phone", 403), ("courier", 403), ("mira", 403), ("admin", 200)];
    quiet.answers(&roles, async |who| who.get(FIGURES).await).await;
    let admin = server.admin();
    refuses_wrong_queries(&admin, FIGURES).await;
    admin.get(&format!("{FIGURES}?day=yesterday")).await.problem(400, "invalid_query");
    admin.get(&format!("{FIGURES}?resort_id=seaside")).await.problem(400, "invalid_query");
    server.stop().await;
}

#[tokio::test]
async fn a_day_adds_up_for_shops_and_resorts() {
    let server = TestServer::start().await;
    let (grace, admin) = (server.customer("grace"), server.admin());
    let resort = resort(&server, json!({})).await;
    paid_stay(&server, &resort, 3, 5).await;
    let off = paid_stay(&server, &resort, 7, 8).await;
    grace.act(&format!("{}/cancel", path_of("reservation", &off))).await.expect(200);
    grace.post("/v1/reservations", stay(&resort, 10, 11)).await.expect(201);
    let order = eaten(&server, 2).await;
    refund(&server, &order, Some(1)).await;
    steps(&server, &order, &["receive-return"]).await;
    let pizza = grace.product("pizza", "Four Cheese").await;
    let mut declined = crate::common::order_of("pizza", &pizza, 1);
    declined["payment_method"] = json!("tok_declined");
    grace.post("/v1/orders", declined).await.problem(402, "payment_declined");
    let head = settled(&server).await;

    let here = format!("min_position=0.{head}&resort_id={}", text(&resort, "resort_id"));
    let counted = [("requested", 3), ("confirmed", 3), ("paid", 2), ("cancelled", 1), ("expired", 0)];
    for (what, count) in counted {
        assert_eq!(sum(&server, &here, &format!("/reservations/{what}")).await, count, "{what}");
    }
    assert_eq!(sum(&server, &here, "/revenue/0/amount_minor").await, 360_000);
    assert_eq!(sum(&server, &here, "/refunded/0/amount_minor").await, 120_000);
    let counted = [("placed", 2), ("confirmed", 1), ("rejected", 1), ("completed", 1), ("cancelled", 0)];
    for (what, count) in counted {
        assert_eq!(sum(&server, "shop_id=pizza", &format!("/orders/{what}")).await, count, "{what}");
    }
    assert_eq!(sum(&server, "shop_id=pizza", "/coupons/issued").await, 1);
    assert_eq!(sum(&server, "shop_id=pizza", "/coupons/revoked").await, 0);
    assert_eq!(sum(&server, "shop_id=pizza", "/revenue/0/amount_minor").await, 2 * PIZZA);
    assert_eq!(sum(&server, "shop_id=pizza", "/refunded/0/amount_minor").await, PIZZA);
    assert_eq!(sum(&server, "shop_id=pizza", "/refunds").await, 1);
    assert_eq!(admin.get(&format!("{FIGURES}?day=2020-01-01")).await.expect(200)["data"], json!([]));
    assert_eq!(admin.get(&format!("{FIGURES}?shop_id=books")).await.expect(200)["data"], json!([]));
    let first = admin.get(&format!("{FIGURES}?limit=1")).await.expect(200);
    assert_eq!((first["data"].as_array().unwrap().len(), &first["has_more"]), (1, &json!(true)));
    assert_eq!(first["data"][0]["revenue"][0]["currency"], krw(0)["currency"]);
    let next = format!("{FIGURES}?limit=1&cursor={}", text(&first, "next_cursor"));
    assert_ne!(admin.get(&next).await.expect(200)["data"], first["data"]);
    server.stop().await;
}
