//! What happens in more than one demo.

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

use super::{
    DemoError,
    actor::Actor,
    call::{Call, field, get, post},
    narrator::readable,
    stage::Stage,
};

/// What is in a basket.
pub(super) struct Basket<'a> {
    pub(super) shop: &'a str,
    pub(super) product_id: &'a str,
    pub(super) quantity: u32,
    /// A menu option, if the shop has a menu.
    pub(super) option: Option<&'a str>,
}

impl<'a> Basket<'a> {
    pub(super) fn of(shop: &'a str, product_id: &'a str, quantity: u32) -> Self {
        Self { shop, product_id, quantity, option: None }
    }

    pub(super) fn with_option(self, option: &'a str) -> Self {
        Self { option: Some(option), ..self }
    }

    /// The call that orders it and pays with `payment_method`.
    pub(super) fn order(&self, payment_method: &str) -> Call {
        let mut line = json!({"product_id": self.product_id, "quantity": self.quantity});
        if let Some(option) = self.option {
            line["option"] = option.into();
        }
        let recipient =
            json!({"name": "Kim Min-ji", "phone": "010-1234-5678", "address": "12 Sejong-daero, Seoul"});
        let body = json!({
            "shop_id": self.shop, "lines": [line], "recipient": recipient, "payment_method": payment_method,
        });
        post("/v1/orders", body)
    }
}

/// The id at `name` of an answer.
pub(super) fn id(answer: &Value, name: &str) -> Result<String, DemoError> {
    field(answer, name)
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| DemoError::Missing { field: name.to_owned(), body: answer.to_string() })
}

/// Looks a product of the shop up by its name.
pub(super) async fn finds_product(who: &Actor, shop: &str, name: &str) -> Result<String, DemoError> {
    let call =
        get(format!("/v1/products?shop_id={shop}&limit=100")).with_entry("data", &[("name", name)]).soon();
    let page = who.does(&format!("looks for {name} in the catalogue"), call).await?;
    let products = page["data"].as_array().into_iter().flatten();
    let found = products.into_iter().find(|product| product["name"] == name).unwrap_or(&Value::Null);
    id(found, "product_id")
}

/// Orders and pays at once; the order is confirmed.
pub(super) async fn buys(who: &Actor, what: &str, basket: &Basket<'_>) -> Result<Value, DemoError> {
    let call = basket.order("tok_ok").answers(201).with("status", "confirmed").shows(&["order_id", "total"]);
    who.does(what, call).await
}

/// Waits for the order's delivery to be on the seller's list; returns the delivery's id.
pub(super) async fn receives(seller: &Actor, shop: &str, order: &Value) -> Result<String, DemoError> {
    let order_id = id(order, "order_id")?;
    let path = format!("/v1/deliveries?shop_id={shop}&status=requested&limit=100");
    let call = get(path).with_entry("data", &[("order_id", &order_id), ("status", "requested")]).soon();
    let page = seller.does("looks at the orders that are to be delivered", call).await?;
    let deliveries = page["data"].as_array().into_iter().flatten();
    let found = deliveries.into_iter().find(|delivery| delivery["order_id"] == order_id.as_str());
    id(found.unwrap_or(&Value::Null), "delivery_id")
}

/// One step of a delivery: `accept`, `prepare`, `ship`, `complete`.
pub(super) async fn moves(
    who: &Actor,
    what: &str,
    delivery_id: &str,
    step: &str,
    state: &str,
) -> Result<Value, DemoError> {
    let call = super::call::act(format!("/v1/deliveries/{delivery_id}/{step}")).with("status", state);
    who.does(what, call).await
}

/// Cancels an order; it is cancelled at the end.
pub(super) async fn cancels(who: &Actor, order_id: &str, reason: &str) -> Result<Value, DemoError> {
    let call =
        post(format!("/v1/orders/{order_id}/cancel"), json!({"reason": reason})).with("status", "cancelled");
    who.does("cancels the order", call).await
}

/// Reads the order until its fields are as given.
pub(super) async fn sees_order(
    who: &Actor,
    what: &str,
    order_id: &str,
    fields: &[(&str, &str)],
) -> Result<Value, DemoError> {
    let call = get(format!("/v1/orders/{order_id}")).soon();
    let call = fields.iter().fold(call, |call, (name, value)| call.with(name, *value));
    who.does(what, call).await
}

/// Reads the messages about an order until there is one about each of `events`, sent.
pub(super) async fn is_told(who: &Actor, order_id: &str, events: &[&str]) -> Result<(), DemoError> {
    let call = get("/v1/notifications?limit=100").soon();
    let told = |call: Call, event: &&str| {
        call.with_entry("data", &[("about", order_id), ("event", event), ("status", "sent")])
    };
    let call = events.iter().fold(call, told);
    who.does(&format!("has been told: {}", events.join(", ")), call).await.map(drop)
}

/// Shows the timeline of an order as a table, once it has the step `last`.
pub(super) async fn follows(stage: &Stage, who: &Actor, order_id: &str, last: &str) -> Result<(), DemoError> {
    let path = format!("/v1/orders/{order_id}/timeline?limit=100");
    follows_at(stage, who, "follows the order step by step", path, last).await
}

/// Shows a timeline as a table, once it has the step `last`.
pub(super) async fn follows_at(
    stage: &Stage,
    who: &Actor,
    what: &str,
    path: String,
    last: &str,
) -> Result<(), DemoError> {
    let timeline = who.does(what, get(path).with_entry("data", &[("what", last)]).soon()).await?;
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["at", "what", "actor", "about"]);
    for step in timeline["data"].as_array().into_iter().flatten() {
        let [at, what, actor, about] = ["at", "what", "actor", "about"].map(|name| readable(&step[name]));
        table.add_row([time_of_day(&at), what, actor, about]);
    }
    stage.print(&table.to_string());
    Ok(())
}

/// The time of day, in milliseconds, of an RFC 3339 time.
fn time_of_day(at: &str) -> String {
    at.split_once('T').map_or(at, |(_, time)| time).chars().take(12).collect()
}
