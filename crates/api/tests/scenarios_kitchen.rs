//! The pizza kitchen, scenario by scenario, over HTTP.
#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use serde_json::{Value, json};
use world::{Person, World, order_of, text};

const SHOP: &str = "kitchen";

async fn dana_orders(world: &World) -> (Person, Value) {
    let dana = world.customer("dana");
    let pizza = dana.product(SHOP, "Bulgogi Pizza").await;
    let mut body = order_of(SHOP, &pizza, 1, "tok_ok");
    body["lines"][0]["option"] = json!("thin crust");
    let order = dana.post("/v1/orders", body).await.expect(201);
    (dana, order)
}

/// The order's delivery, brought as far as `steps` say.
async fn brought(world: &World, order: &Value, steps: &[&str]) -> String {
    let seller = world.shop(SHOP);
    let delivery = seller.delivery_of(SHOP, order).await;
    for step in steps {
        seller.moves(&delivery, step).await;
    }
    delivery
}

#[tokio::test]
async fn kitchen_01_order_from_the_menu() {
    let world = World::start().await;
    let (dana, order) = dana_orders(&world).await;
    let order = dana.sees_order(&order, "/status", "confirmed").await;
    let line = &order["lines"][0];
    assert_eq!((&line["name"], &line["option"]), (&json!("Bulgogi Pizza"), &json!("thin crust")));
    assert_eq!(line["unit_price"], json!({"amount_minor": 21_900, "currency": "KRW"}));
    assert_eq!(order["recipient"]["address"], "12 Sejong-daero, Seoul");
    world.stop().await;
}

#[tokio::test]
async fn kitchen_02_pay() {
    let world = World::start().await;
    let (dana, order) = dana_orders(&world).await;
    assert_eq!(order["payment"]["status"], "captured");
    let pizza = text(&order["lines"][0], "product_id");
    dana.order(SHOP, &pizza, 1, "tok_insufficient_funds").await.problem(402, "payment_declined");
    world.stop().await;
}

#[tokio::test]
async fn kitchen_03_the_order_reaches_kitchen_and_delivery() {
    let world = World::start().await;
    let (_, order) = dana_orders(&world).await;
    let seller = world.shop(SHOP);
    let delivery = seller.delivery_of(SHOP, &order).await;
    let delivery = seller.get(&format!("/v1/deliveries/{delivery}")).await.expect(200);
    assert_eq!((&delivery["status"], &delivery["needs_preparation"]), (&json!("requested"), &json!(true)));
    let board = seller.get("/v1/orders").await.expect(200);
    assert_eq!(board["data"][0]["lines"][0]["option"], "thin crust");
    world.stop().await;
}

#[tokio::test]
async fn kitchen_04_the_seller_confirms_and_starts_making_it() {
    let world = World::start().await;
    let (dana, order) = dana_orders(&world).await;
    let delivery = brought(&world, &order, &["accept"]).await;
    world.courier("chul").act(&format!("/v1/deliveries/{delivery}/ship")).await.expect(409);
    world.customer("dana").act(&format!("/v1/deliveries/{delivery}/prepare")).await.expect(403);
    assert_eq!(world.shop(SHOP).moves(&delivery, "prepare").await, "preparing");
    dana.sees_order(&order, "/delivery/status", "preparing").await;
    world.stop().await;
}

#[tokio::test]
async fn kitchen_05_the_courier_confirms_and_starts_the_delivery() {
    let world = World::start().await;
    let (dana, order) = dana_orders(&world).await;
    let delivery = brought(&world, &order, &["accept", "prepare"]).await;
    assert_eq!(world.courier("chul").moves(&delivery, "ship").await, "shipped");
    dana.sees_order(&order, "/delivery/status", "shipped").await;
    world.stop().await;
}

#[tokio::test]
async fn kitchen_06_the_courier_enters_completion() {
    let world = World::start().await;
    let (dana, order) = dana_orders(&world).await;
    let delivery = brought(&world, &order, &["accept", "prepare"]).await;
    let courier = world.courier("chul");
    courier.moves(&delivery, "ship").await;
    assert_eq!(courier.moves(&delivery, "complete").await, "delivered");
    courier.act(&format!("/v1/deliveries/{delivery}/complete")).await.problem(409, "already_completed");
    dana.sees_order(&order, "/status", "completed").await;
    world.stop().await;
}

#[tokio::test]
async fn kitchen_07_cancelling_the_order_cancels_the_payment() {
    let world = World::start().await;
    let (dana, order) = dana_orders(&world).await;
    dana.cancels(&order).await.expect(200);
    let order = dana.sees_order(&order, "/payment/status", "refunded").await;
    assert_eq!((&order["status"], &order["payment"]["refunded"]), (&json!("cancelled"), &order["total"]));
    // Once the oven is on it is too late.
    let (dana, order) = dana_orders(&world).await;
    brought(&world, &order, &["accept", "prepare"]).await;
    dana.cancels(&order).await.problem(409, "too_late_to_cancel");
    world.stop().await;
}

#[tokio::test]
async fn kitchen_08_every_status_change_is_recorded_in_the_notification_manager() {
    let world = World::start().await;
    let (dana, order) = dana_orders(&world).await;
    brought(&world, &order, &["accept", "prepare", "ship", "complete"]).await;
    let changes = [
        "order_placed",
        "payment_captured",
        "order_confirmed",
        "delivery_requested",
        "delivery_accepted",
        "preparation_started",
        "delivery_shipped",
        "delivery_completed",
        "order_completed",
    ];
    let mut told = dana.is_told(&order, &changes).await;
    told.sort();
    let mut expected: Vec<String> = changes.iter().map(|change| (*change).to_owned()).collect();
    expected.sort();
    assert_eq!(told, expected, "each change once, and nothing else");
    let (dana, second) = dana_orders(&world).await;
    dana.cancels(&second).await.expect(200);
    let undone =
        ["order_cancellation_requested", "delivery_cancelled", "payment_refunded", "order_cancelled"];
    dana.is_told(&second, &undone).await;
    world.stop().await;
}
