//! Pizza with refunds and coupons, scenario by scenario, over HTTP.
#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use futures::future::{join, join_all};
use serde_json::{Value, json};
use world::{Answer, Person, World, assert_in_order, entry, order_of, text};

const SHOP: &str = "pizza";
const FOUR_CHEESE: i64 = 20_900;
const COUPON: i64 = 3_000;

fn won(amount_minor: i64) -> Value {
    json!({"amount_minor": amount_minor, "currency": "KRW"})
}

async fn erin_orders(world: &World, quantity: u32) -> (Person, Value) {
    let erin = world.customer("erin");
    let pizza = erin.product(SHOP, "Four Cheese").await;
    let order = erin.buys(SHOP, &pizza, quantity).await;
    (erin, order)
}

/// Brings the order to the door and returns the delivery's id.
async fn delivered(world: &World, order: &Value) -> String {
    let seller = world.shop(SHOP);
    let delivery = seller.delivery_of(SHOP, order).await;
    for step in ["accept", "prepare", "ship", "complete"] {
        seller.moves(&delivery, step).await;
    }
    delivery
}

/// An order that has arrived and earned its coupon.
async fn eaten(world: &World, quantity: u32) -> (Person, Value, String) {
    let (erin, order) = erin_orders(world, quantity).await;
    let delivery = delivered(world, &order).await;
    let order = erin.sees_order(&order, "/coupon_issued/status", "issued").await;
    (erin, order, delivery)
}

async fn refund(who: &Person, order: &Value, body: Value) -> Answer {
    who.post(&format!("/v1/orders/{}/refunds", text(order, "order_id")), body).await
}

async fn refund_is(who: &Person, refund: &Value, status: &str) -> Value {
    let path = format!("/v1/refunds/{}", text(refund, "refund_id"));
    who.sees(&path, |refund| refund["status"] == status).await
}

async fn coupon_is(who: &Person, order: &Value, status: &str) -> Value {
    let path = format!("/v1/coupons/{}", text(&order["coupon_issued"], "coupon_id"));
    who.sees(&path, |coupon| coupon["status"] == status).await
}

async fn with_coupon(who: &Person, coupon_id: &str, quantity: u32, token: &str) -> Answer {
    let pizza = who.product(SHOP, "Four Cheese").await;
    let mut body = order_of(SHOP, &pizza, quantity, token);
    body["coupon_id"] = json!(coupon_id);
    who.post("/v1/orders", body).await
}

#[tokio::test]
async fn pizza_01_order_a_pizza() {
    let world = World::start().await;
    let (_, order) = erin_orders(&world, 2).await;
    assert_eq!(
        (&order["lines"][0]["name"], &order["lines"][0]["quantity"]),
        (&json!("Four Cheese"), &json!(2))
    );
    assert_eq!(order["total"], won(2 * FOUR_CHEESE));
    world.stop().await;
}

#[tokio::test]
async fn pizza_02_pay() {
    let world = World::start().await;
    let (erin, order) = erin_orders(&world, 1).await;
    assert_eq!(order["payment"]["status"], "captured");
    let pizza = text(&order["lines"][0], "product_id");
    erin.order(SHOP, &pizza, 1, "tok_declined").await.problem(402, "payment_declined");
    world.stop().await;
}

#[tokio::test]
async fn pizza_03_paid_starts_the_delivery() {
    let world = World::start().await;
    let (erin, order) = erin_orders(&world, 1).await;
    world.shop(SHOP).delivery_of(SHOP, &order).await;
    erin.sees_order(&order, "/delivery/status", "requested").await;
    world.stop().await;
}

#[tokio::test]
async fn pizza_04_cancel() {
    let world = World::start().await;
    let (erin, order) = erin_orders(&world, 1).await;
    erin.cancels(&order).await.expect(200);
    erin.sees_order(&order, "/delivery/status", "cancelled").await;
    // Once the oven is on it is too late.
    let (erin, order) = erin_orders(&world, 1).await;
    let seller = world.shop(SHOP);
    let delivery = seller.delivery_of(SHOP, &order).await;
    seller.moves(&delivery, "accept").await;
    seller.moves(&delivery, "prepare").await;
    erin.cancels(&order).await.problem(409, "too_late_to_cancel");
    world.stop().await;
}

#[tokio::test]
async fn pizza_05_cancel_cancels_the_payment() {
    let world = World::start().await;
    let (erin, order) = erin_orders(&world, 1).await;
    erin.cancels(&order).await.expect(200);
    let order = erin.sees_order(&order, "/payment/status", "refunded").await;
    assert_eq!(order["payment"]["refunded"], order["total"]);
    world.stop().await;
}

#[tokio::test]
async fn pizza_06_follow_the_order_status() {
    let world = World::start().await;
    let (erin, order) = erin_orders(&world, 1).await;
    delivered(&world, &order).await;
    let order = erin.sees_order(&order, "/status", "completed").await;
    assert_eq!(order["delivery"]["status"], "delivered");
    let steps = erin.follows(&order, "coupon.issued").await;
    let wanted =
        ["order.placed", "payment.captured", "delivery.shipped", "delivery.completed", "order.completed"];
    assert_in_order(&steps, &wanted);
    world.stop().await;
}

#[tokio::test]
async fn pizza_07_a_completed_delivery_issues_a_coupon() {
    let world = World::start().await;
    let (erin, order, _) = eaten(&world, 1).await;
    let coupon = coupon_is(&erin, &order, "issued").await;
    assert_eq!((&coupon["kind"], &coupon["order_id"]), (&json!("amount"), &order["order_id"]));
    let coupon_id = text(&coupon, "coupon_id");
    let all = erin.get("/v1/coupons").await.expect(200);
    assert!(entry(&all, "coupon_id", &coupon_id).is_some(), "{all}");
    let other = world.customer("fred");
    other.get(&format!("/v1/coupons/{coupon_id}")).await.problem(404, "coupon_not_found");
    with_coupon(&other, &coupon_id, 1, "tok_ok").await.problem(404, "coupon_not_found");
    // A declined card gives it back; then it takes its worth off one order, and off one only.
    with_coupon(&erin, &coupon_id, 1, "tok_declined").await.problem(402, "payment_declined");
    coupon_is(&erin, &order, "issued").await;
    let cheaper = with_coupon(&erin, &coupon_id, 1, "tok_ok").await.expect(201);
    assert_eq!(cheaper["total"], won(FOUR_CHEESE - COUPON));
    assert_eq!(cheaper["payment"]["captured"], won(FOUR_CHEESE - COUPON));
    with_coupon(&erin, &coupon_id, 1, "tok_ok").await.problem(409, "coupon_refused");
    // Cancelling the order gives the coupon back.
    erin.cancels(&cheaper).await.expect(200);
    coupon_is(&erin, &order, "issued").await;
    world.stop().await;
}

#[tokio::test]
async fn pizza_07_a_coupon_used_by_many_orders_at_once_is_used_once() {
    let world = World::start().await;
    let (erin, order, _) = eaten(&world, 1).await;
    let coupon_id = text(&order["coupon_issued"], "coupon_id");
    let answers = join_all((0..8).map(|_| with_coupon(&erin, &coupon_id, 1, "tok_ok"))).await;
    let taken = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(taken, 1, "{answers:?}");
    assert!(
        answers.iter().filter(|a| a.status != 201).all(|a| a.body["code"] == "coupon_refused"),
        "{answers:?}"
    );
    world.stop().await;
}

#[tokio::test]
async fn pizza_08_a_customer_can_ask_for_a_refund_with_a_reason() {
    let world = World::start().await;
    let (erin, order, delivery) = eaten(&world, 2).await;
    let wish = refund(&erin, &order, json!({"reason": "they were cold"})).await.expect(201);
    assert_eq!((&wish["status"], &wish["amount"]), (&json!("returning"), &won(2 * FOUR_CHEESE)));
    assert_eq!(wish["reason"], "they were cold");
    // The money moves back once the shop has the pizzas.
    erin.sees_order(&order, "/payment/status", "captured").await;
    world.shop(SHOP).moves(&delivery, "receive-return").await;
    let done = refund_is(&erin, &wish, "completed").await;
    assert_eq!((&done["amount"], &done["deducted"]), (&won(2 * FOUR_CHEESE), &won(0)));
    let order = erin.sees_order(&order, "/payment/status", "refunded").await;
    assert_eq!(order["payment"]["refunded"], won(2 * FOUR_CHEESE));
    // Somebody else's refund is not there.
    let path = format!("/v1/refunds/{}", text(&wish, "refund_id"));
    world.customer("fred").get(&path).await.problem(404, "refund_not_found");
    world.stop().await;
}

#[tokio::test]
async fn pizza_08_some_of_an_order_can_be_refunded() {
    let world = World::start().await;
    let (erin, order, delivery) = eaten(&world, 2).await;
    let pizza = text(&order["lines"][0], "product_id");
    let one = json!({"reason": "one too many", "lines": [{"product_id": pizza, "quantity": 1}]});
    let wish = refund(&erin, &order, one.clone()).await.expect(201);
    assert_eq!(wish["amount"], won(FOUR_CHEESE));
    assert_eq!(world.shop(SHOP).moves(&delivery, "receive-return").await, "delivered");
    refund_is(&erin, &wish, "completed").await;
    // What is kept is worth more than the minimum: the coupon stays.
    coupon_is(&erin, &order, "issued").await;
    erin.sees_order(&order, "/payment/status", "partially_refunded").await;
    let mut three = one.clone();
    three["lines"][0]["quantity"] = json!(3);
    refund(&erin, &order, three).await.problem(409, "more_than_delivered");
    let rest = refund(&erin, &order, one).await.expect(201);
    assert_eq!(world.shop(SHOP).moves(&delivery, "receive-return").await, "returned");
    refund_is(&erin, &rest, "completed").await;
    coupon_is(&erin, &order, "revoked").await;
    erin.sees_order(&order, "/payment/status", "refunded").await;
    world.stop().await;
}

#[tokio::test]
async fn pizza_09_a_refund_changes_the_delivery_status() {
    let world = World::start().await;
    let (erin, order, delivery) = eaten(&world, 1).await;
    refund(&erin, &order, json!({"reason": "burnt"})).await.expect(201);
    erin.sees_order(&order, "/delivery/status", "returning").await;
    let seller = world.shop(SHOP);
    let path = format!("/v1/deliveries/{delivery}");
    seller.sees(&path, |delivery| delivery["status"] == "returning").await;
    erin.act(&format!("{path}/receive-return")).await.problem(403, "forbidden");
    assert_eq!(seller.moves(&delivery, "receive-return").await, "returned");
    erin.sees_order(&order, "/delivery/status", "returned").await;
    world.stop().await;
}

#[tokio::test]
async fn pizza_09_a_refund_is_not_taken_if_the_delivery_cannot_be_returned() {
    let world = World::start().await;
    let (erin, order) = erin_orders(&world, 1).await;
    refund(&erin, &order, json!({"reason": "too slow"})).await.problem(409, "not_delivered");
    delivered(&world, &order).await;
    refund(&erin, &order, json!({"reason": ""})).await.problem(422, "invalid_body");
    refund(&erin, &order, json!({"reason": "x", "lines": []})).await.problem(422, "invalid_body");
    refund(&erin, &order, json!({"reason": "x", "status": "completed"})).await.problem(422, "unknown_field");
    refund(&world.customer("fred"), &order, json!({"reason": "x"})).await.problem(404, "order_not_found");
    // A shop that takes nothing back.
    let phone = erin.product("phone", "Charger").await;
    let charger = erin.buys("phone", &phone, 1).await;
    let store = world.shop("phone");
    let delivery = store.delivery_of("phone", &charger).await;
    for step in ["accept", "ship", "complete"] {
        store.moves(&delivery, step).await;
    }
    refund(&erin, &charger, json!({"reason": "wrong plug"})).await.problem(409, "no_returns");
    let refunds = erin.get("/v1/refunds").await.expect(200);
    assert_eq!(refunds["data"], json!([]), "a refused wish leaves nothing");
    world.stop().await;
}

#[tokio::test]
async fn pizza_09_the_refund_window_ends() {
    let world = World::start().await;
    let admin = world.admin();
    let mut shop = admin.sees("/v1/shops/pizza", |_| true).await;
    shop["policy"]["refund_window_secs"] = json!(1);
    let body = json!({"name": shop["name"], "policy": shop["policy"]});
    let put = admin.put("/v1/shops/pizza", body).await;
    assert!(put.status < 300, "{put:?}");
    let (erin, order) = erin_orders(&world, 1).await;
    let delivery = delivered(&world, &order).await;
    erin.follows(&order, "delivery.return_window_closed").await;
    refund(&erin, &order, json!({"reason": "too late"})).await.problem(409, "window_over");
    erin.get(&format!("/v1/deliveries/{delivery}")).await.expect(200);
    world.stop().await;
}

#[tokio::test]
async fn pizza_10_a_refund_revokes_the_coupon() {
    let world = World::start().await;
    let (erin, order, _) = eaten(&world, 1).await;
    refund(&erin, &order, json!({"reason": "burnt"})).await.expect(201);
    let coupon = coupon_is(&erin, &order, "revoked").await;
    erin.sees_order(&order, "/coupon_issued/status", "revoked").await;
    let refused = with_coupon(&erin, &text(&coupon, "coupon_id"), 1, "tok_ok").await;
    refused.problem(409, "coupon_refused");
    world.stop().await;
}

#[tokio::test]
async fn pizza_10_a_coupon_that_is_spent_already_comes_off_the_refund() {
    let world = World::start().await;
    let (erin, order, delivery) = eaten(&world, 1).await;
    let coupon_id = text(&order["coupon_issued"], "coupon_id");
    let cheaper = with_coupon(&erin, &coupon_id, 1, "tok_ok").await.expect(201);
    let wish = refund(&erin, &order, json!({"reason": "burnt"})).await.expect(201);
    // It is said before the pizzas have gone back.
    let path = format!("/v1/refunds/{}", text(&wish, "refund_id"));
    erin.sees(&path, |refund| refund["deducted"] == won(COUPON) && refund["status"] == "returning").await;
    world.shop(SHOP).moves(&delivery, "receive-return").await;
    let done = refund_is(&erin, &wish, "completed").await;
    assert_eq!((&done["amount"], &done["deducted"]), (&won(FOUR_CHEESE - COUPON), &won(COUPON)));
    let order = erin.sees_order(&order, "/payment/status", "partially_refunded").await;
    assert_eq!(order["payment"]["refunded"], won(FOUR_CHEESE - COUPON));
    erin.sees_order(&cheaper, "/status", "confirmed").await;
    world.stop().await;
}

#[tokio::test]
async fn pizza_10_whoever_gives_everything_back_has_lost_nothing() {
    let world = World::start().await;
    let (erin, order, delivery) = eaten(&world, 1).await;
    let coupon_id = text(&order["coupon_issued"], "coupon_id");
    let second = with_coupon(&erin, &coupon_id, 1, "tok_ok").await.expect(201);
    let second_delivery = delivered(&world, &second).await;
    // The order that used the coupon goes back first: the coupon is there again, and goes with the one that earned it.
    for (order, delivery, amount) in
        [(&second, second_delivery, FOUR_CHEESE - COUPON), (&order, delivery, FOUR_CHEESE)]
    {
        erin.sees_order(order, "/status", "completed").await;
        let wish = refund(&erin, order, json!({"reason": "cold"})).await.expect(201);
        world.shop(SHOP).moves(&delivery, "receive-return").await;
        let done = refund_is(&erin, &wish, "completed").await;
        assert_eq!((&done["amount"], &done["deducted"]), (&won(amount), &won(0)));
    }
    coupon_is(&erin, &order, "revoked").await;
    erin.sees_order(&order, "/payment/status", "refunded").await;
    erin.sees_order(&second, "/payment/status", "refunded").await;
    world.stop().await;
}

#[tokio::test]
async fn pizza_10_a_coupon_is_never_invented_in_order_to_revoke_it() {
    // Nobody issues coupons for a while; the refund does not wait for that.
    let world = World::start_with(|settings| settings.except = vec!["loyalty".to_owned()]).await;
    let (erin, order) = erin_orders(&world, 1).await;
    let delivery = delivered(&world, &order).await;
    erin.sees_order(&order, "/status", "completed").await;
    let wish = refund(&erin, &order, json!({"reason": "burnt"})).await.expect(201);
    world.shop(SHOP).moves(&delivery, "receive-return").await;
    refund_is(&erin, &wish, "completed").await;
    let world = world.restart_with(|_| {}).await;
    let erin = world.customer("erin");
    // Loyalty catches up: the next order earns a coupon, the one that went back never did.
    let (_, second, _) = eaten(&world, 1).await;
    coupon_is(&erin, &second, "issued").await;
    let steps = erin.follows(&order, "coupon.withheld").await;
    assert!(!steps.iter().any(|step| step == "coupon.issued" || step == "coupon.revoked"), "{steps:?}");
    erin.sees_order(&order, "/coupon_issued/status", "withheld").await;
    world.stop().await;
}

#[tokio::test]
async fn pizza_11_cancelling_the_return_cancels_the_refund_and_gives_the_coupon_back() {
    let world = World::start().await;
    let (erin, order, delivery) = eaten(&world, 1).await;
    let wish = refund(&erin, &order, json!({"reason": "burnt"})).await.expect(201);
    coupon_is(&erin, &order, "revoked").await;
    assert_eq!(world.courier("chul").moves(&delivery, "cancel-return").await, "delivered");
    refund_is(&erin, &wish, "cancelled").await;
    coupon_is(&erin, &order, "issued").await;
    erin.sees_order(&order, "/payment/status", "captured").await;
    // The customer can call it off too.
    let wish = refund(&erin, &order, json!({"reason": "burnt after all"})).await.expect(201);
    let path = format!("/v1/refunds/{}/cancel", text(&wish, "refund_id"));
    world.customer("fred").act(&path).await.problem(404, "refund_not_found");
    assert_eq!(erin.act(&path).await.expect(200)["status"], "cancelled");
    erin.act(&path).await.problem(409, "already_cancelled");
    coupon_is(&erin, &order, "issued").await;
    world.stop().await;
}

#[tokio::test]
async fn pizza_11_calling_off_and_receiving_at_once_end_in_one_of_both_ways() {
    let world = World::start().await;
    for round in 0..6 {
        let (erin, order, delivery) = eaten(&world, 1).await;
        let wish = refund(&erin, &order, json!({"reason": "burnt"})).await.expect(201);
        let seller = world.shop(SHOP);
        let (receive, cancel) = (
            format!("/v1/deliveries/{delivery}/receive-return"),
            format!("/v1/refunds/{}/cancel", text(&wish, "refund_id")),
        );
        let (received, cancelled) = join(seller.act(&receive), erin.act(&cancel)).await;
        let paid_back = received.status == 200;
        assert_ne!(paid_back, cancelled.status < 300, "round {round}: {received:?} {cancelled:?}");
        refund_is(&erin, &wish, if paid_back { "completed" } else { "cancelled" }).await;
        coupon_is(&erin, &order, if paid_back { "revoked" } else { "issued" }).await;
        erin.sees_order(&order, "/payment/status", if paid_back { "refunded" } else { "captured" }).await;
    }
    world.stop().await;
}

#[tokio::test]
async fn pizza_12_the_refund_reason_is_readable_in_the_views() {
    let world = World::start().await;
    let (erin, order, _) = eaten(&world, 1).await;
    let wish = refund(&erin, &order, json!({"reason": "they were cold"})).await.expect(201);
    let row = erin.sees_order(&order, "/refunds/0/status", "returning").await;
    assert_eq!(
        (&row["refunds"][0]["reason"], &row["refunds"][0]["refund_id"]),
        (&json!("they were cold"), &wish["refund_id"])
    );
    let seller = world.shop(SHOP);
    let board = seller.get("/v1/refunds?status=returning").await.expect(200);
    assert_eq!(board["data"][0]["reason"], "they were cold");
    // It is the customer's own, and can be erased.
    erin.delete("/v1/customers/me/contacts").await.expect(204);
    let board = seller.get("/v1/refunds").await.expect(200);
    assert_eq!(board["data"][0]["reason"], "erased");
    world.stop().await;
}

#[tokio::test]
async fn pizza_one_order_is_never_refunded_twice() {
    let world = World::start().await;
    let (erin, order, delivery) = eaten(&world, 2).await;
    let answers = join_all((0..8).map(|_| refund(&erin, &order, json!({"reason": "burnt"})))).await;
    let taken: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(taken.len(), 1, "{answers:?}");
    assert!(
        answers.iter().filter(|a| a.status != 201).all(|a| a.body["code"] == "return_open"),
        "{answers:?}"
    );
    world.shop(SHOP).moves(&delivery, "receive-return").await;
    refund_is(&erin, &taken[0].body, "completed").await;
    refund(&erin, &order, json!({"reason": "again"})).await.problem(409, "more_than_delivered");
    let order = erin.sees_order(&order, "/payment/status", "refunded").await;
    assert_eq!(order["payment"]["refunded"], won(2 * FOUR_CHEESE));
    world.stop().await;
}

#[tokio::test]
async fn pizza_nobody_sets_a_status_and_nobody_else_moves_a_delivery() {
    let world = World::start().await;
    let (erin, order) = erin_orders(&world, 1).await;
    let delivery = world.shop(SHOP).delivery_of(SHOP, &order).await;
    let path = format!("/v1/orders/{}", text(&order, "order_id"));
    erin.patch(&path, json!({"status": "delivered"})).await.problem(405, "method_not_allowed");
    let pizza = text(&order["lines"][0], "product_id");
    let mut body = order_of(SHOP, &pizza, 1, "tok_ok");
    body["status"] = json!("completed");
    erin.post("/v1/orders", body).await.problem(422, "unknown_field");
    erin.act(&format!("/v1/deliveries/{delivery}/complete")).await.problem(403, "forbidden");
    world
        .shop("kitchen")
        .act(&format!("/v1/deliveries/{delivery}/accept"))
        .await
        .problem(404, "delivery_not_found");
    // Money is whole minor units, never a fraction.
    let mut body = order_of(SHOP, &pizza, 1, "tok_ok");
    body["expected_total"] = json!({"amount_minor": 20_900.5, "currency": "KRW"});
    erin.post("/v1/orders", body).await.problem(422, "invalid_body");
    world.stop().await;
}

#[tokio::test]
async fn pizza_the_coupon_service_being_down_stops_neither_orders_nor_refunds() {
    let world =
        World::start_with(|settings| settings.except = vec!["loyalty".to_owned(), "coupons".to_owned()])
            .await;
    let (erin, order) = erin_orders(&world, 1).await;
    let delivery = delivered(&world, &order).await;
    erin.sees_order(&order, "/status", "completed").await;
    let (_, kept) = erin_orders(&world, 1).await;
    delivered(&world, &kept).await;
    let wish = refund(&erin, &order, json!({"reason": "burnt"})).await.expect(201);
    world.shop(SHOP).moves(&delivery, "receive-return").await;
    refund_is(&erin, &wish, "completed").await;
    let world = world.restart_with(|_| {}).await;
    let kept = world.customer("erin").sees_order(&kept, "/coupon_issued/status", "issued").await;
    coupon_is(&world.customer("erin"), &kept, "issued").await;
    world.stop().await;
}
