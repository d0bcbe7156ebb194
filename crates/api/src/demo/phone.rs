//! The phone shop: paid at order, shipped by the store.

use super::{
    DemoError,
    call::{get, post},
    stage::Stage,
    steps::{Basket, buys, cancels, finds_product, follows, id, moves, receives, sees_order},
};

const SHOP: &str = "phone";

/// Plays the nine scenarios.
///
/// # Errors
/// The first answer that is not as expected.
pub(super) async fn play(stage: &mut Stage) -> Result<(), DemoError> {
    stage.begin(SHOP, "a phone shop, paid at order", 9);
    let (alice, bob) = (stage.customer("alice")?, stage.customer("bob")?);
    let (store, courier) = (stage.shop("store", SHOP)?, stage.courier("carla")?);

    stage.scenario(1, "A customer orders a phone in the app");
    let phone = finds_product(&alice, SHOP, "Galaxy S").await?;
    let order = buys(&alice, "orders two phones", &Basket::of(SHOP, &phone, 2)).await?;
    let (order_id, payment_id) = (id(&order, "order_id")?, id(&order, "payment.payment_id")?);

    stage.scenario(2, "The customer pays");
    let payment =
        get(format!("/v1/payments/{payment_id}")).with("status", "captured").shows(&["amount"]).soon();
    alice.does("looks at the payment: it was charged inside the order call", payment).await?;
    let declined =
        Basket::of(SHOP, &phone, 1).order("tok_declined").answers(402).with("code", "payment_declined");
    let refused =
        bob.does("tries with a card that is declined", declined.shows(&["order_id", "decline_code"])).await?;
    let fields = [("status", "rejected"), ("payment.status", "declined")];
    sees_order(&bob, "sees that an unpaid order is no deal", &id(&refused, "order_id")?, &fields).await?;

    stage.scenario(3, "The paid order reaches the store");
    let delivery_id = receives(&store, SHOP, &order).await?;

    stage.scenario(4, "The store ships it");
    moves(&store, "accepts the order", &delivery_id, "accept", "accepted").await?;
    moves(&store, "ships the phones", &delivery_id, "ship", "shipped").await?;

    stage.scenario(5, "The delivery status is visible in the app");
    sees_order(&alice, "sees that it is on its way", &order_id, &[("delivery.status", "shipped")]).await?;
    moves(&courier, "hands the phones over", &delivery_id, "complete", "delivered").await?;
    let fields = [("status", "completed"), ("delivery.status", "delivered")];
    sees_order(&alice, "sees that it has arrived", &order_id, &fields).await?;

    stage.scenario(6, "The customer can cancel the order");
    let second = buys(&alice, "orders one more", &Basket::of(SHOP, &phone, 1)).await?;
    let second_id = id(&second, "order_id")?;
    cancels(&alice, &second_id, "one phone too many").await?;
    let late =
        post(format!("/v1/orders/{order_id}/cancel"), serde_json::json!({"reason": "changed my mind"}));
    let late = late.answers(409).with("code", "too_late_to_cancel");
    alice.does("cannot cancel what was delivered", late).await?;

    stage.scenario(7, "Cancelling the order cancels the payment, and the order shows it");
    let fields = [("status", "cancelled"), ("payment.status", "refunded"), ("delivery.status", "cancelled")];
    sees_order(&alice, "sees order, payment and delivery in one place", &second_id, &fields).await?;

    stage.scenario(8, "The customer can see the payment status");
    let payments = get("/v1/payments?limit=100");
    let payments = payments.with_entry("data", &[("order_id", &order_id), ("status", "captured")]);
    let payments = payments.with_entry("data", &[("order_id", &second_id), ("status", "refunded")]).soon();
    alice.does("looks at all payments: one captured, one given back", payments).await?;

    stage.scenario(9, "The customer can follow every step of the whole process");
    follows(stage, &alice, &order_id, "order.completed").await?;
    follows(stage, &alice, &second_id, "order.cancelled").await?;
    stage.end();
    Ok(())
}
