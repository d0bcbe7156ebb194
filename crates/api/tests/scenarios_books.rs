//! The bookstore, scenario by scenario, over HTTP.
#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use serde_json::{Value, json};
use world::{Person, World, assert_in_order, entry, text};

const SHOP: &str = "books";

fn price(amount: i64) -> Value {
    json!({"amount_minor": amount, "currency": "KRW"})
}

async fn bora_buys(world: &World) -> (Person, Value) {
    let bora = world.customer("bora");
    let book = bora.product(SHOP, "Collected Poems").await;
    let order = bora.buys(SHOP, &book, 1).await;
    (bora, order)
}

#[tokio::test]
async fn books_01_the_owner_registers_edits_and_removes_books() {
    let world = World::start().await;
    let (owner, buyer) = (world.shop(SHOP), world.customer("bora"));
    let book = json!({"name": "A Book of Logs", "price": price(21_000), "stock": 3});
    let book = owner.post("/v1/shops/books/products", book).await.expect(201);
    let path = format!("/v1/products/{}", text(&book, "product_id"));
    let edited = owner
        .patch(&path, json!({"name": "A Better Book of Logs", "price": price(19_500)}))
        .await
        .expect(200);
    assert_eq!((&edited["name"], &edited["price"]), (&json!("A Better Book of Logs"), &price(19_500)));
    buyer.sees(&path, |product| product["name"] == "A Better Book of Logs" && product["stock"] == 3).await;
    buyer.delete(&path).await.problem(403, "forbidden");
    world.shop("phone").delete(&path).await.expect(404);
    owner.delete(&path).await.expect(204);
    let answer = buyer.order(SHOP, &text(&book, "product_id"), 1, "tok_ok").await;
    answer.problem(409, "product_withdrawn");
    world.stop().await;
}

#[tokio::test]
async fn books_02_a_buyer_picks_a_book_and_buys_it() {
    let world = World::start().await;
    let (bora, order) = bora_buys(&world).await;
    assert_eq!((&order["lines"][0]["name"], &order["total"]), (&json!("Collected Poems"), &price(14_500)));
    let product = format!("/v1/products/{}", text(&order["lines"][0], "product_id"));
    bora.sees(&product, |product| product["stock"] == 49 && product["reserved"] == 1).await;
    world.stop().await;
}

#[tokio::test]
async fn books_03_payment_happens_with_the_order() {
    let world = World::start().await;
    let (bora, order) = bora_buys(&world).await;
    assert_eq!(order["payment"]["status"], "captured");
    let declined = bora.order(SHOP, &text(&order["lines"][0], "product_id"), 1, "tok_declined").await;
    declined.problem(402, "payment_declined");
    world.stop().await;
}

#[tokio::test]
async fn books_04_after_payment_the_purchase_message_is_sent() {
    let world = World::start().await;
    let (bora, order) = bora_buys(&world).await;
    let told = bora.is_told(&order, &["order_confirmed"]).await;
    assert_eq!(told.iter().filter(|event| *event == "order_confirmed").count(), 1);
    world.stop().await;
}

#[tokio::test]
async fn books_05_the_seller_confirms_the_order_and_starts_the_delivery() {
    let world = World::start().await;
    let (bora, order) = bora_buys(&world).await;
    let owner = world.shop(SHOP);
    let delivery = owner.delivery_of(SHOP, &order).await;
    owner.act(&format!("/v1/deliveries/{delivery}/ship")).await.expect(409);
    assert_eq!(owner.moves(&delivery, "accept").await, "accepted");
    assert_eq!(owner.moves(&delivery, "ship").await, "shipped");
    owner.act(&format!("/v1/deliveries/{delivery}/ship")).await.problem(409, "already_shipped");
    bora.sees_order(&order, "/delivery/status", "shipped").await;
    world.stop().await;
}

#[tokio::test]
async fn books_06_the_buyer_can_cancel() {
    let world = World::start().await;
    let (bora, order) = bora_buys(&world).await;
    let owner = world.shop(SHOP);
    let delivery = owner.delivery_of(SHOP, &order).await;
    // Accepted is not too late: the shop's policy says so.
    owner.moves(&delivery, "accept").await;
    assert_eq!(bora.cancels(&order).await.expect(200)["status"], "cancelled");
    let order = bora.sees_order(&order, "/payment/status", "refunded").await;
    assert_eq!(order["cancellation"]["by"], "customer:bora");
    world.stop().await;
}

#[tokio::test]
async fn books_07_cancelling_cancels_the_delivery() {
    let world = World::start().await;
    let (bora, order) = bora_buys(&world).await;
    let owner = world.shop(SHOP);
    let delivery = owner.delivery_of(SHOP, &order).await;
    bora.cancels(&order).await.expect(200);
    owner.sees(&format!("/v1/deliveries/{delivery}"), |delivery| delivery["status"] == "cancelled").await;
    owner.act(&format!("/v1/deliveries/{delivery}/accept")).await.expect(409);
    world.stop().await;
}

#[tokio::test]
async fn books_08_a_cancellation_message_is_sent() {
    let world = World::start().await;
    let (bora, order) = bora_buys(&world).await;
    bora.cancels(&order).await.expect(200);
    let told = bora.is_told(&order, &["order_cancelled"]).await;
    assert_eq!(told.iter().filter(|event| *event == "order_cancelled").count(), 1);
    world.stop().await;
}

#[tokio::test]
async fn books_09_every_change_of_the_delivery_status_is_notified() {
    let world = World::start().await;
    let (bora, order) = bora_buys(&world).await;
    let owner = world.shop(SHOP);
    let delivery = owner.delivery_of(SHOP, &order).await;
    for step in ["accept", "ship", "complete"] {
        owner.moves(&delivery, step).await;
    }
    let changes = ["delivery_requested", "delivery_accepted", "delivery_shipped", "delivery_completed"];
    let told = bora.is_told(&order, &changes).await;
    for change in changes {
        assert_eq!(told.iter().filter(|event| *event == change).count(), 1, "{told:?}");
    }
    world.stop().await;
}

#[tokio::test]
async fn books_order_shop_and_delivery_are_read_together_in_one_view() {
    let world = World::start().await;
    let (bora, order) = bora_buys(&world).await;
    let owner = world.shop(SHOP);
    let delivery = owner.delivery_of(SHOP, &order).await;
    owner.moves(&delivery, "accept").await;
    let seen = bora.sees_order(&order, "/delivery/status", "accepted").await;
    assert_eq!((&seen["shop_id"], &seen["delivery"]["delivery_id"]), (&json!(SHOP), &json!(delivery)));
    assert_eq!(seen["payment"]["status"], "captured");
    let board = owner.get("/v1/orders").await.expect(200);
    assert_eq!(
        entry(&board, "order_id", &text(&order, "order_id")).unwrap()["delivery"]["status"],
        "accepted"
    );
    let steps = bora.follows(&order, "delivery.accepted").await;
    assert_in_order(&steps, &["order.placed", "payment.captured", "order.confirmed", "delivery.accepted"]);
    world.stop().await;
}
