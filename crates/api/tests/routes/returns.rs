use serde_json::{Value, json};

use crate::{
    common::{Answer, Client, TestServer, text},
    staging::{ABSENT, Quiet, eaten, path_of, refund, refunds_path, wish},
};

async fn if_match(who: &Client, path: &str, tag: &str, body: Value) -> Answer {
    who.post_with(path, ("if-match", tag), body).await
}

#[tokio::test]
async fn a_refund_is_asked_for_and_called_off_only_at_the_version_that_was_seen() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let order = eaten(&server, 2).await;
    let asks = refunds_path(&order);
    let quiet = Quiet::of(&server).await;
    let stale = |path: &str, body: Value| {
        let (grace, path) = (grace.clone(), path.to_owned());
        async move { if_match(&grace, &path, "\"1-0.1\"", body).await }
    };
    quiet.refuses(stale(&asks, wish(&order, Some(1))), 412, "version_mismatch").await;
    let tag = grace.get(&path_of("order", &order)).await.header("etag");
    let asked = if_match(&grace, &asks, &tag, wish(&order, Some(1))).await.expect(201);
    let cancel = format!("{}/cancel", path_of("refund", &asked));
    let quiet = Quiet::of(&server).await;
    quiet.refuses(stale(&cancel, json!({})), 412, "version_mismatch").await;
    let tag = grace.get(&path_of("refund", &asked)).await.header("etag");
    assert_eq!(if_match(&grace, &cancel, &tag, json!({})).await.expect(200)["status"], "cancelled");
    let any = if_match(&grace, &asks, "*", wish(&order, Some(1))).await;
    assert_eq!(any.expect(201)["status"], "returning");
    server.stop().await;
}

#[tokio::test]
async fn a_click_that_names_its_return_never_ends_the_next_one() {
    let server = TestServer::start().await;
    let pizza = server.shop("pizza");
    let order = eaten(&server, 4).await;
    let delivery = path_of("delivery", &order["delivery"]);
    let act = |step: &str, refund_id: &Value| {
        let (pizza, path, refund_id) = (pizza.clone(), format!("{delivery}/{step}"), refund_id.clone());
        async move { pizza.post(&path, json!({"refund_id": refund_id})).await }
    };
    let [receive, call_off] = ["receive-return", "cancel-return"];
    let first = refund(&server, &order, Some(1)).await;
    act(receive, &first["refund_id"]).await.expect(200);
    let second = refund(&server, &order, Some(1)).await;
    let quiet = Quiet::of(&server).await;
    quiet.refuses(act(receive, &first["refund_id"]), 409, "already_received").await;
    quiet.refuses(act(call_off, &first["refund_id"]), 409, "illegal_transition").await;
    for step in [receive, call_off] {
        quiet.refuses(act(step, &json!(ABSENT)), 409, "no_open_return").await;
        quiet.refuses(act(step, &json!("x")), 422, "invalid_body").await;
        let path = format!("{delivery}/{step}");
        let unknown = pizza.post(&path, json!({"refund": ABSENT}));
        quiet.refuses(unknown, 422, "unknown_field").await;
    }
    act(call_off, &second["refund_id"]).await.expect(200);
    let third = refund(&server, &order, Some(1)).await;
    let quiet = Quiet::of(&server).await;
    quiet.refuses(act(call_off, &second["refund_id"]), 409, "already_cancelled").await;
    quiet.refuses(act(receive, &second["refund_id"]), 409, "illegal_transition").await;
    assert_eq!(act(receive, &third["refund_id"]).await.expect(200)["status"], "delivered");
    server.stop().await;
}

#[tokio::test]
async fn who_wants_to_give_back_too_much_is_told_how_much_is_left() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let order = eaten(&server, 3).await;
    let product = text(&order["lines"][0], "product_id");
    let asks = refunds_path(&order);
    let first = refund(&server, &order, Some(1)).await;
    let receive = format!("{}/receive-return", path_of("delivery", &order["delivery"]));
    server.shop("pizza").act(&receive).await.expect(200);
    grace.sees(&path_of("refund", &first), |refund| refund["status"] == "completed").await;
    let quiet = Quiet::of(&server).await;
    let refused = quiet.refuses(grace.post(&asks, wish(&order, Some(3))), 409, "more_than_delivered").await;
    assert_eq!((&refused["product_id"], &refused["left"]), (&json!(product), &json!(2)));
    let mut strange = wish(&order, Some(1));
    strange["lines"][0]["product_id"] = json!(ABSENT);
    let refused = quiet.refuses(grace.post(&asks, strange), 409, "more_than_delivered").await;
    assert_eq!((&refused["product_id"], &refused["left"]), (&json!(ABSENT), &json!(0)));
    server.stop().await;
}
