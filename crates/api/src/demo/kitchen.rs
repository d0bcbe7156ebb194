//! The pizza kitchen: made to order, carried by a courier, and every change is told.

use super::{
    DemoError,
    call::{get, post},
    stage::Stage,
    steps::{Basket, buys, cancels, finds_product, follows, id, is_told, moves, receives, sees_order},
};

const SHOP: &str = "kitchen";

/// Plays the eight scenarios.
///
/// # Errors
/// The first answer that is not as expected.
pub(super) async fn play(stage: &mut Stage) -> Result<(), DemoError> {
    stage.begin(SHOP, "pizza with a kitchen and a notification log", 8);
    let (dana, seller) = (stage.customer("dana")?, stage.shop("kitchen", SHOP)?);
    let courier = stage.courier("chul")?;

    stage.scenario(1, "Order from the menu (menu option, price, payment method, address)");
    let pizza = finds_product(&dana, SHOP, "Bulgogi Pizza").await?;
    let basket = Basket::of(SHOP, &pizza, 1).with_option("thin crust, extra cheese");
    let order = buys(&dana, "orders from the menu", &basket).await?;
    let order_id = id(&order, "order_id")?;
    let fields =
        [("lines.0.option", "thin crust, extra cheese"), ("recipient.address", "12 Sejong-daero, Seoul")];
    sees_order(&dana, "sees what was taken down", &order_id, &fields).await?;

    stage.scenario(2, "Pay");
    let fields = [("payment.status", "captured")];
    sees_order(&dana, "sees that it is paid", &order_id, &fields).await?;

    stage.scenario(3, "The order reaches kitchen and delivery");
    let delivery_id = receives(&seller, SHOP, &order).await?;

    stage.scenario(4, "The seller confirms and starts making it");
    let early = super::call::act(format!("/v1/deliveries/{delivery_id}/ship")).answers(409);
    courier.does("cannot take what is not made yet", early.shows(&["code"])).await?;
    moves(&seller, "confirms the order", &delivery_id, "accept", "accepted").await?;
    moves(&seller, "puts the pizza into the oven", &delivery_id, "prepare", "preparing").await?;

    stage.scenario(5, "The courier confirms and starts the delivery");
    moves(&courier, "takes the pizza", &delivery_id, "ship", "shipped").await?;

    stage.scenario(6, "The courier enters completion");
    moves(&courier, "hands it over", &delivery_id, "complete", "delivered").await?;
    sees_order(&dana, "sees that the order is complete", &order_id, &[("status", "completed")]).await?;

    stage.scenario(7, "Cancelling the order cancels the payment");
    let second = buys(&dana, "orders another", &Basket::of(SHOP, &pizza, 1)).await?;
    let second_id = id(&second, "order_id")?;
    cancels(&dana, &second_id, "not hungry any more").await?;
    let payment_id = id(&second, "payment.payment_id")?;
    let call =
        get(format!("/v1/payments/{payment_id}")).with("status", "refunded").shows(&["captured", "refunded"]);
    dana.does("sees the money come back", call.soon()).await?;
    let again = post(format!("/v1/orders/{second_id}/cancel"), serde_json::json!({}));
    dana.does("cannot cancel it twice", again.answers(409).with("code", "already_cancelled")).await?;

    stage.scenario(8, "Every status change is recorded in the notification manager");
    let made = [
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
    is_told(&dana, &order_id, &made).await?;
    let undone =
        ["order_cancellation_requested", "payment_refunded", "delivery_cancelled", "order_cancelled"];
    is_told(&dana, &second_id, &undone).await?;
    follows(stage, &dana, &order_id, "order.completed").await?;
    stage.end();
    Ok(())
}
