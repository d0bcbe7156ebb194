//! People who order, eat, give back and reserve until the platform is gone.

use chrono::{Days, Utc};
use futures::future::join;
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use crate::load::{Answer, Gone, Load, Who, text, won};

/// Pieces of each product in stock.
pub(crate) const STOCK: u64 = 100_000;
/// Days that the resorts are open.
const OPEN: u64 = 300;
/// How long a reservation waits for its payment. Seconds.
const PAY_WITHIN: u64 = 5;

/// What the load is about.
#[derive(Clone)]
pub(crate) struct Scene {
    /// A product that is only bought.
    pub(crate) gadget: String,
    /// A product that is eaten and given back.
    pub(crate) pizza: String,
    pub(crate) resorts: Vec<String>,
}

impl Scene {
    pub(crate) async fn set(load: &Load, url: &str) -> Self {
        let product = |name: &str, price: i64| json!({"name": name, "price": won(price), "stock": STOCK});
        let list = |shop: &str, body| {
            let path = format!("/v1/shops/{shop}/products");
            async move { load.makes(url, Who::Admin, &path, body, "product_id").await }
        };
        let (gadget, pizza) =
            (list("phone", product("Gadget", 500)).await, list("pizza", product("Tested", 20_000)).await);
        let mut resorts = Vec::new();
        for name in ["Seaside House", "Dune House"] {
            let today = Utc::now().date_naive();
            let body = json!({
                "name": name, "kind": "pension", "nightly_price": won(120_000), "pay_within_secs": PAY_WITHIN,
                "open_from": today, "open_until": today + Days::new(OPEN + 10),
            });
            resorts.push(load.makes(url, Who::Manager, "/v1/resorts", body, "resort_id").await);
        }
        Self { gadget, pizza, resorts }
    }
}

/// An order of so many pieces.
fn order(shop: &str, product: &str, quantity: u64, token: &str) -> Value {
    json!({
        "shop_id": shop, "lines": [{"product_id": product, "quantity": quantity}],
        "recipient": {"name": "Kim", "phone": "010-1234-5678", "address": "Seoul"}, "payment_method": token,
    })
}

/// Orders gadgets, every seventh with a card that is declined.
pub(crate) async fn buys(load: &Load, scene: &Scene, url: &str) -> Result<(), Gone> {
    loop {
        let number = load.number();
        let token = if number.is_multiple_of(7) { "tok_declined" } else { "tok_ok" };
        let body = order("phone", &scene.gadget, 1 + number % 3, token);
        load.post(url, Who::Customer, "/v1/orders", body).await?;
    }
}

/// Reserves nights; then pays, cancels, does both, or neither.
pub(crate) async fn reserves(load: &Load, scene: &Scene, url: &str, random: &mut StdRng) -> Result<(), Gone> {
    loop {
        let from = Utc::now().date_naive() + Days::new(random.random_range(2..OPEN));
        let body = json!({
            "resort_id": scene.resorts.choose(random), "check_in": from,
            "check_out": from + Days::new(random.random_range(1..4)), "guest": {"name": "Kim", "phone": "010-1234-5678"},
        });
        let reserved = load.post(url, Who::Customer, "/v1/reservations", body).await?;
        if reserved.status != 201 {
            continue;
        }
        let pay_path = format!("/v1/payments/{}/pay", text(&reserved.body["payment"], "payment_id"));
        let cancel_path = format!("/v1/reservations/{}/cancel", text(&reserved.body, "reservation_id"));
        let pay = |token: &str| load.post(url, Who::Customer, &pay_path, json!({"payment_method": token}));
        let cancel = || load.post(url, Who::Customer, &cancel_path, json!({"reason": "rain"}));
        match random.random_range(0..8) {
            0 => {}
            1 => drop(cancel().await?),
            2 => drop(pay("tok_declined").await?),
            3 => both(join(pay("tok_ok"), cancel()).await)?,
            4 => {
                pay("tok_ok").await?;
                cancel().await?;
            }
            _ => drop(pay("tok_ok").await?),
        }
    }
}

/// Orders pizzas, sometimes with a coupon that others may use at once; then cancels them, or eats them and gives some back.
pub(crate) async fn eats(load: &Load, scene: &Scene, url: &str, random: &mut StdRng) -> Result<(), Gone> {
    loop {
        let mut body = order("pizza", &scene.pizza, random.random_range(1..4), "tok_ok");
        let coupon = load.coupons.lock().unwrap().choose(random).cloned();
        if let Some(coupon) = coupon.filter(|_| random.random_bool(0.5)) {
            body["coupon_id"] = json!(coupon);
        }
        let placed = load.post(url, Who::Customer, "/v1/orders", body).await?;
        if placed.status != 201 {
            continue;
        }
        let path = format!("/v1/orders/{}", text(&placed.body, "order_id"));
        let row = load.sees(url, &path, |order| order["delivery"].is_object()).await?;
        let delivery = format!("/v1/deliveries/{}", text(&row["delivery"], "delivery_id"));
        let step = |step: &'static str| {
            let path = format!("{delivery}/{step}");
            async move { load.post(url, Who::Shop, &path, json!({})).await }
        };
        if random.random_bool(0.2) {
            let cancel_path = format!("{path}/cancel");
            let cancel = load.post(url, Who::Customer, &cancel_path, json!({"reason": "full"}));
            both(join(step("accept"), cancel).await)?;
            continue;
        }
        for name in ["accept", "prepare", "ship", "complete"] {
            step(name).await?;
        }
        let row = load.sees(url, &path, |order| order["coupon_issued"].is_object()).await?;
        load.coupons.lock().unwrap().push(text(&row["coupon_issued"], "coupon_id").to_owned());
        for _ in 0..random.random_range(0..3) {
            give_back(load, scene, url, random, &path, step).await?;
        }
    }
}

/// Asks for the money of some pieces or of all; then the return is received or called off, or both at once.
async fn give_back<F: Future<Output = Result<Answer, Gone>>>(
    load: &Load,
    scene: &Scene,
    url: &str,
    random: &mut StdRng,
    order: &str,
    step: impl Fn(&'static str) -> F,
) -> Result<(), Gone> {
    let mut wish = json!({"reason": "burnt"});
    if random.random_bool(0.6) {
        wish["lines"] = json!([{"product_id": scene.pizza, "quantity": random.random_range(1..3)}]);
    }
    let asked = load.post(url, Who::Customer, &format!("{order}/refunds"), wish).await?;
    if asked.status != 201 {
        return Ok(());
    }
    let cancel_path = format!("/v1/refunds/{}/cancel", text(&asked.body, "refund_id"));
    let cancel = load.post(url, Who::Customer, &cancel_path, json!({}));
    match random.random_range(0..8) {
        0 => Ok(()),
        1 => cancel.await.map(drop),
        2 => step("cancel-return").await.map(drop),
        3 => both(join(step("receive-return"), cancel).await),
        _ => step("receive-return").await.map(drop),
    }
}

fn both(answers: (Result<Answer, Gone>, Result<Answer, Gone>)) -> Result<(), Gone> {
    answers.0?;
    answers.1.map(drop)
}
