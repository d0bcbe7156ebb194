//! Pizza with refunds and coupons: what was paid can go back, and what was earned with it.

use serde_json::{Value, json};

use super::{
    DemoError,
    actor::Actor,
    call::{Call, act, get, post},
    stage::Stage,
    steps::{Basket, buys, cancels, finds_product, follows, id, is_told, moves, receives, sees_order},
};

const SHOP: &str = "pizza";

/// Plays the twelve scenarios.
///
/// # Errors
/// The first answer that is not as expected.
pub(super) async fn play(stage: &mut Stage) -> Result<(), DemoError> {
    stage.begin(SHOP, "pizza with refunds and coupons", 12);
    let (erin, seller, courier) =
        (stage.customer("erin")?, stage.shop("pizzeria", SHOP)?, stage.courier("chul")?);
    let staff = Staff { seller: &seller, courier: &courier };

    stage.scenario(1, "Order a pizza (kind, quantity)");
    let pizza = finds_product(&erin, SHOP, "Four Cheese").await?;
    let order = buys(&erin, "orders two pizzas", &Basket::of(SHOP, &pizza, 2)).await?;
    let order_id = id(&order, "order_id")?;

    stage.scenario(2, "Pay");
    sees_order(&erin, "sees that they are paid", &order_id, &[("payment.status", "captured")]).await?;

    stage.scenario(3, "Paid starts the delivery");
    let delivery_id = staff.deliver(&order).await?;

    stage.scenario(4, "Cancel");
    let second = buys(&erin, "orders one more", &Basket::of(SHOP, &pizza, 1)).await?;
    let second_id = id(&second, "order_id")?;
    cancels(&erin, &second_id, "that is too much").await?;

    stage.scenario(5, "Cancel cancels the payment");
    let fields = [("status", "cancelled"), ("payment.status", "refunded")];
    sees_order(&erin, "sees the money come back", &second_id, &fields).await?;

    stage.scenario(6, "Follow the order status");
    let fields = [("status", "completed"), ("delivery.status", "delivered")];
    sees_order(&erin, "sees that the two have arrived", &order_id, &fields).await?;

    stage.scenario(7, "A completed delivery issues a coupon");
    let earned =
        sees_order(&erin, "has earned a coupon", &order_id, &[("coupon_issued.status", "issued")]).await?;
    let coupon_id = id(&earned, "coupon_issued.coupon_id")?;
    is_told(&erin, &order_id, &["coupon_issued"]).await?;

    stage.scenario(8, "A customer can ask for a refund, with a reason");
    let early = refund(&second_id, "never came").answers(409).with("code", "not_delivered");
    erin.does("cannot give back what was never delivered", early).await?;
    let call = refund(&order_id, "they were cold").answers(201).with("status", "returning");
    let wish = erin.does("asks for the money", call.shows(&["refund_id", "amount", "reason"])).await?;
    let refund_id = id(&wish, "refund_id")?;

    stage.scenario(9, "A refund changes the delivery status (return)");
    sees_order(&erin, "sees that they go back", &order_id, &[("delivery.status", "returning")]).await?;
    let twice = refund(&order_id, "once more").answers(409).with("code", "return_open");
    erin.does("cannot ask twice for the same pizza", twice).await?;

    stage.scenario(10, "A refund revokes the coupon");
    let coupon = get(format!("/v1/coupons/{coupon_id}"));
    erin.does("has lost the coupon", coupon.clone().with("status", "revoked").soon()).await?;

    stage.scenario(11, "Cancelling the return delivery cancels the refund (and gives the coupon back)");
    let call = act(format!("/v1/deliveries/{delivery_id}/cancel-return")).with("status", "delivered");
    courier.does("nobody is at home: calls the return off", call).await?;
    let call = get(format!("/v1/refunds/{refund_id}")).with("status", "cancelled").soon();
    erin.does("sees that the refund is off", call).await?;
    erin.does("has the coupon again", coupon.with("status", "issued").soon()).await?;

    stage.scenario(12, "The refund reason is readable in the views");
    let fields = [("refunds.0.reason", "they were cold"), ("refunds.0.status", "cancelled")];
    sees_order(&seller, "reads why", &order_id, &fields).await?;
    money_comes_back(stage, &erin, &staff, &pizza, &coupon_id, &order_id, &delivery_id).await?;
    stage.end();
    Ok(())
}

/// What the scenarios do not ask for by number: the coupon is spent, then the order that earned it goes back.
async fn money_comes_back(
    stage: &Stage,
    erin: &Actor,
    staff: &Staff<'_>,
    pizza: &str,
    coupon_id: &str,
    order_id: &str,
    delivery_id: &str,
) -> Result<(), DemoError> {
    stage.remark("Then the coupon is spent, and after that the order that earned it goes back:");
    let mut cheaper = Basket::of(SHOP, pizza, 1).order("tok_ok").answers(201).with("status", "confirmed");
    if let Some(body) = &mut cheaper.body {
        body["coupon_id"] = coupon_id.into();
    }
    erin.does("orders with the coupon", cheaper.shows(&["discount", "total"])).await?;
    let call = refund(order_id, "they were cold after all").answers(201).with("status", "returning");
    let wish = erin.does("asks for the money again", call.shows(&["refund_id"])).await?;
    let call = act(format!("/v1/deliveries/{delivery_id}/receive-return")).with("status", "returned");
    staff.seller.does("has the pizzas back", call).await?;
    let call = get(format!("/v1/refunds/{}", id(&wish, "refund_id")?)).with("status", "completed");
    erin.does("has the money, less what the coupon was worth", call.shows(&["amount", "deducted"]).soon())
        .await?;
    follows(stage, erin, order_id, "refund.completed").await
}

struct Staff<'a> {
    seller: &'a Actor,
    courier: &'a Actor,
}

impl Staff<'_> {
    /// From the oven to the door.
    async fn deliver(&self, order: &Value) -> Result<String, DemoError> {
        let delivery_id = receives(self.seller, SHOP, order).await?;
        moves(self.seller, "accepts the order", &delivery_id, "accept", "accepted").await?;
        moves(self.seller, "puts the pizzas into the oven", &delivery_id, "prepare", "preparing").await?;
        moves(self.courier, "takes the pizzas", &delivery_id, "ship", "shipped").await?;
        moves(self.courier, "hands them over", &delivery_id, "complete", "delivered").await?;
        Ok(delivery_id)
    }
}

fn refund(order_id: &str, reason: &str) -> Call {
    post(format!("/v1/orders/{order_id}/refunds"), json!({"reason": reason}))
}
