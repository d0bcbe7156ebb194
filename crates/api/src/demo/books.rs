//! The bookstore: the owner keeps the catalogue, and every change of the delivery is told to the buyer.

use serde_json::json;

use super::{
    DemoError,
    call::{delete, get, patch, post},
    stage::Stage,
    steps::{Basket, buys, cancels, follows, id, is_told, moves, receives, sees_order},
};

const SHOP: &str = "books";

/// Plays the nine scenarios.
///
/// # Errors
/// The first answer that is not as expected.
pub(super) async fn play(stage: &mut Stage) -> Result<(), DemoError> {
    stage.begin(SHOP, "an online bookstore", 9);
    let (owner, buyer) = (stage.shop("owner", SHOP)?, stage.customer("bora")?);

    stage.scenario(1, "The owner registers, edits and removes books");
    let price = |amount: i64| json!({"amount_minor": amount, "currency": "KRW"});
    let book = json!({"name": "A Book of Logs", "price": price(21_000), "stock": 10});
    let call =
        post("/v1/shops/books/products", book).answers(201).shows(&["product_id", "name", "price", "stock"]);
    let product_id = id(&owner.does("registers a book", call).await?, "product_id")?;
    let call = patch(format!("/v1/products/{product_id}"), json!({"price": price(19_500)}))
        .shows(&["name", "price"]);
    owner.does("makes it cheaper", call.with("price.amount_minor", 19_500)).await?;
    let other = json!({"name": "A Book of Tables", "price": price(9_900)});
    let call = post("/v1/shops/books/products", other).answers(201).shows(&["product_id", "name"]);
    let other_id = id(&owner.does("registers another", call).await?, "product_id")?;
    owner.does("removes that one", delete(format!("/v1/products/{other_id}")).answers(204)).await?;
    let call = Basket::of(SHOP, &other_id, 1).order("tok_ok").answers(409).with("code", "product_withdrawn");
    buyer.does("cannot buy what was removed", call).await?;

    stage.scenario(2, "A buyer picks a book and buys it");
    let order = buys(&buyer, "buys two copies", &Basket::of(SHOP, &product_id, 2)).await?;
    let order_id = id(&order, "order_id")?;

    stage.scenario(3, "Payment happens with the order");
    let fields = [("status", "confirmed"), ("payment.status", "captured")];
    sees_order(&buyer, "sees that the order is paid", &order_id, &fields).await?;

    stage.scenario(4, "After payment the purchase message is sent");
    is_told(&buyer, &order_id, &["order_confirmed"]).await?;

    stage.scenario(5, "The seller confirms the order and starts the delivery");
    let delivery_id = receives(&owner, SHOP, &order).await?;
    moves(&owner, "confirms the order", &delivery_id, "accept", "accepted").await?;
    moves(&owner, "starts the delivery", &delivery_id, "ship", "shipped").await?;

    stage.scenario(6, "The buyer can cancel");
    let second = buys(&buyer, "buys one more", &Basket::of(SHOP, &product_id, 1)).await?;
    let (second_id, second_delivery) = (id(&second, "order_id")?, receives(&owner, SHOP, &second).await?);
    cancels(&buyer, &second_id, "found it on the shelf").await?;

    stage.scenario(7, "Cancelling cancels the delivery");
    let call = get(format!("/v1/deliveries/{second_delivery}")).with("status", "cancelled").soon();
    owner.does("looks at the delivery that is no more", call).await?;

    stage.scenario(8, "A cancellation message is sent");
    is_told(&buyer, &second_id, &["order_cancelled", "delivery_cancelled"]).await?;

    stage.scenario(9, "Every change of the delivery status is notified");
    moves(&owner, "reports that the parcel has arrived", &delivery_id, "complete", "delivered").await?;
    let changes = ["delivery_requested", "delivery_accepted", "delivery_shipped", "delivery_completed"];
    is_told(&buyer, &order_id, &changes).await?;
    stage.remark("Order, payment and delivery are read together in one view; here is how they got there:");
    follows(stage, &buyer, &order_id, "order.completed").await?;
    stage.end();
    Ok(())
}
