//! The phone shop, scenario by scenario, over HTTP.
#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use serde_json::{Value, json};
use world::{Person, World, assert_in_order, entry, text};

const SHOP: &str = "phone";

async fn alice_orders(world: &World, quantity: u32) -> (Person, Value) {
    let alice = world.customer("alice");
    let phone = alice.product(SHOP, "Galaxy S").await;
    let order = alice.buys(SHOP, &phone, quantity).await;
    (alice, order)
}

/// The order's delivery, shipped by the store.
async fn shipped(world: &World, order: &Value) -> String {
    let store = world.shop(SHOP);
    let delivery = store.delivery_of(SHOP, order).await;
    assert_eq!(store.moves(&delivery, "accept").await, "accepted");
    assert_eq!(store.moves(&delivery, "ship").await, "shipped");
    delivery
}

#[tokio::test]
async fn phone_01_a_customer_orders_a_phone() {
    let world = World::start().await;
    let (alice, order) = alice_orders(&world, 2).await;
    assert_eq!(order["lines"][0]["name"], "Galaxy S");
    assert_eq!(order["lines"][0]["quantity"], 2);
    assert_eq!(order["total"], json!({"amount_minor": 2_310_000, "currency": "KRW"}));
    assert_eq!(order["customer_id"], "alice");
    let orders = alice.sees("/v1/orders", |page| entry(page, "status", "confirmed").is_some()).await;
    assert_eq!(orders["data"][0]["order_id"], order["order_id"]);
    world.stop().await;
}

#[tokio::test]
async fn phone_02_the_customer_pays_inside_the_order_call() {
    let world = World::start().await;
    let (_, order) = alice_orders(&world, 1).await;
    assert_eq!(order["payment"]["status"], "captured");
    assert_eq!(order["payment"]["captured"]["amount_minor"], 1_155_000);
    world.stop().await;
}

#[tokio::test]
async fn phone_03_the_paid_order_reaches_the_store() {
    let world = World::start().await;
    let (_, order) = alice_orders(&world, 1).await;
    let store = world.shop(SHOP);
    let delivery = store.delivery_of(SHOP, &order).await;
    let delivery = store.get(&format!("/v1/deliveries/{delivery}")).await.expect(200);
    assert_eq!((&delivery["status"], &delivery["order_id"]), (&json!("requested"), &order["order_id"]));
    world.stop().await;
}

#[tokio::test]
async fn phone_04_the_store_ships_it() {
    let world = World::start().await;
    let (alice, order) = alice_orders(&world, 3).await;
    let product = text(&order["lines"][0], "product_id");
    shipped(&world, &order).await;
    let product = format!("/v1/products/{product}");
    // What was shipped is neither available nor reserved any more.
    let product = alice.sees(&product, |product| product["reserved"] == 0).await;
    assert_eq!(product["stock"], 997);
    world.stop().await;
}

#[tokio::test]
async fn phone_05_the_delivery_status_is_visible_in_the_app() {
    let world = World::start().await;
    let (alice, order) = alice_orders(&world, 1).await;
    alice.sees_order(&order, "/delivery/status", "requested").await;
    let delivery = shipped(&world, &order).await;
    alice.sees_order(&order, "/delivery/status", "shipped").await;
    world.courier("carla").moves(&delivery, "complete").await;
    alice.sees_order(&order, "/delivery/status", "delivered").await;
    alice.sees_order(&order, "/status", "completed").await;
    world.stop().await;
}

#[tokio::test]
async fn phone_06_the_customer_can_cancel_the_order_until_it_is_shipped() {
    let world = World::start().await;
    let (alice, order) = alice_orders(&world, 1).await;
    world.customer("mallory").cancels(&order).await.expect(404);
    let cancelled = alice.cancels(&order).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    assert_eq!(cancelled["cancellation"]["reason"], "changed my mind");
    alice.cancels(&order).await.problem(409, "already_cancelled");
    let (alice, late) = alice_orders(&world, 1).await;
    shipped(&world, &late).await;
    alice.cancels(&late).await.problem(409, "too_late_to_cancel");
    alice.sees_order(&late, "/status", "confirmed").await;
    world.stop().await;
}

#[tokio::test]
async fn phone_07_cancelling_an_order_cancels_its_payment() {
    let world = World::start().await;
    let (alice, order) = alice_orders(&world, 5).await;
    alice.cancels(&order).await.expect(200);
    let order = alice.sees_order(&order, "/payment/status", "refunded").await;
    assert_eq!(order["payment"]["refunded"], order["total"]);
    assert_eq!((&order["status"], &order["delivery"]["status"]), (&json!("cancelled"), &json!("cancelled")));
    let product = format!("/v1/products/{}", text(&order["lines"][0], "product_id"));
    alice.sees(&product, |product| product["stock"] == 1_000 && product["reserved"] == 0).await;
    world.stop().await;
}

#[tokio::test]
async fn phone_08_the_customer_can_see_the_payment_status() {
    let world = World::start().await;
    let (alice, order) = alice_orders(&world, 1).await;
    let path = format!("/v1/payments/{}", text(&order["payment"], "payment_id"));
    let payment = alice.sees(&path, |payment| payment["status"] == "captured").await;
    assert_eq!((&payment["order_id"], &payment["amount"]), (&order["order_id"], &order["total"]));
    world.customer("mallory").get(&path).await.expect(404);
    alice.cancels(&order).await.expect(200);
    let payment = alice.sees(&path, |payment| payment["status"] == "refunded").await;
    assert_eq!(payment["refunded"], payment["amount"]);
    let listed = alice.get("/v1/payments").await.expect(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    world.stop().await;
}

#[tokio::test]
async fn phone_09_the_customer_can_follow_every_step() {
    let world = World::start().await;
    let (alice, order) = alice_orders(&world, 1).await;
    let delivery = shipped(&world, &order).await;
    world.courier("carla").moves(&delivery, "complete").await;
    let steps = alice.follows(&order, "order.completed").await;
    let way = [
        "order.placed",
        "product.stock_reserved",
        "payment.requested",
        "payment.capture_started",
        "payment.captured",
        "order.confirmed",
        "delivery.requested",
        "delivery.accepted",
        "delivery.shipped",
        "delivery.completed",
        "order.completed",
    ];
    assert_in_order(&steps, &way);
    let mine = alice.get("/v1/customers/me/timeline?limit=100").await.expect(200);
    assert!(entry(&mine, "what", "order.completed").is_some(), "{mine}");
    world.stop().await;
}

#[tokio::test]
async fn phone_an_unpaid_order_does_not_exist_as_a_deal() {
    let world = World::start().await;
    let bob = world.customer("bob");
    let phone = bob.product(SHOP, "Galaxy S").await;
    for (method, reason) in
        [("tok_declined", "card_declined"), ("tok_insufficient_funds", "insufficient_funds")]
    {
        let problem = bob.order(SHOP, &phone, 1, method).await.problem(402, "payment_declined");
        assert_eq!(problem["decline_code"], reason);
        let order = bob.sees_order(&problem, "/status", "rejected").await;
        assert_eq!(order["payment"]["status"], "declined");
        assert!(order["delivery"].is_null(), "{order}");
    }
    let product = format!("/v1/products/{phone}");
    bob.sees(&product, |product| product["stock"] == 1_000 && product["reserved"] == 0).await;
    let deliveries = world.shop(SHOP).get("/v1/deliveries?shop_id=phone").await.expect(200);
    assert_eq!(deliveries["data"], json!([]));
    world.stop().await;
}

#[tokio::test]
async fn phone_a_charge_whose_answer_is_lost_is_made_once() {
    let world = World::start().await;
    let alice = world.customer("alice");
    let phone = alice.product(SHOP, "Galaxy S").await;
    let answer = alice.order(SHOP, &phone, 1, "tok_timeout_then_captured").await;
    assert!(matches!(answer.status, 201 | 202), "{answer:?}");
    let order = alice.sees_order(&answer.body, "/status", "confirmed").await;
    assert_eq!(order["payment"]["captured"], order["total"]);
    let steps = alice.follows(&order, "order.confirmed").await;
    assert_eq!(steps.iter().filter(|what| *what == "payment.captured").count(), 1, "{steps:?}");
    world.stop().await;
}

#[tokio::test]
async fn phone_the_store_being_down_never_stops_orders() {
    let world = World::start_with(|settings| settings.except = vec!["fulfilment".to_owned()]).await;
    let (alice, order) = alice_orders(&world, 1).await;
    // Paid and waiting: nothing has reached the store.
    assert_eq!(order["payment"]["status"], "captured");
    let waiting = alice.sees_order(&order, "/status", "confirmed").await;
    assert!(waiting["delivery"].is_null(), "{waiting}");
    let world = world.restart_with(|_| {}).await;
    shipped(&world, &order).await;
    world.customer("alice").sees_order(&order, "/delivery/status", "shipped").await;
    world.stop().await;
}

#[tokio::test]
async fn phone_the_status_is_read_from_a_view_of_its_own() {
    let world = World::start().await;
    let (_, order) = alice_orders(&world, 1).await;
    // The view rests while the order goes on; when it is back it shows what happened meanwhile.
    let world = world.restart_with(|settings| settings.except = vec!["orders".to_owned()]).await;
    shipped(&world, &order).await;
    let world = world.restart_with(|_| {}).await;
    world.customer("alice").sees_order(&order, "/delivery/status", "shipped").await;
    world.stop().await;
}
