//! People who order, eat, give back and reserve until the platform is gone, or they are to stop.

use std::sync::Arc;

use chrono::{Days, Utc};
use futures::future::join;
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use super::{Answer, Gone, Load, Who, text, won};

/// Pieces of each product in stock.
pub(super) const STOCK: u64 = 100_000;
/// Days that the resorts are open.
const OPEN: u64 = 300;
/// How long a reservation waits for its payment. Seconds.
const PAY_WITHIN: u64 = 5;

/// What the load is about.
#[derive(Clone)]
pub struct Scene {
    /// A product that is only bought.
    gadget: String,
    /// A product that is eaten and given back.
    pizza: String,
    pub(super) resorts: Vec<String>,
}

impl Scene {
    /// Lists the products and opens the resorts.
    pub async fn set(load: &Load) -> Self {
        Self::paid_within(load, PAY_WITHIN).await
    }

    /// The same with reservations that wait so many seconds for their payment.
    pub async fn paid_within(load: &Load, pay_within: u64) -> Self {
        let product = |name: &str, price: i64| json!({"name": name, "price": won(price), "stock": STOCK});
        let list = |shop: &str, body| {
            let path = format!("/v1/shops/{shop}/products");
            async move { load.makes(Who::Admin, &path, body, "product_id").await }
        };
        let gadget = list("phone", product("Gadget", 500)).await;
        let pizza = list("pizza", product("Tested", 20_000)).await;
        let mut resorts = Vec::new();
        for name in ["Seaside House", "Dune House"] {
            let today = Utc::now().date_naive();
            let body = json!({
                "name": name, "kind": "pension", "nightly_price": won(120_000), "pay_within_secs": pay_within,
                "open_from": today, "open_until": today + Days::new(OPEN + 10),
            });
            resorts.push(load.makes(Who::Manager, "/v1/resorts", body, "resort_id").await);
        }
        Self { gadget, pizza, resorts }
    }

    /// An order of so many gadgets that can be paid.
    pub fn gadgets(&self, quantity: u64) -> Value {
        order("phone", &self.gadget, quantity, "tok_ok")
    }

    pub(super) fn products(&self) -> [&str; 2] {
        [&self.gadget, &self.pizza]
    }
}

/// Somebody who does one thing again and again.
pub struct Person {
    pub load: Arc<Load>,
    pub scene: Scene,
    pub who: Who,
    pub random: StdRng,
}

/// An order of so many pieces.
fn order(shop: &str, product: &str, quantity: u64, token: &str) -> Value {
    json!({
        "shop_id": shop, "lines": [{"product_id": product, "quantity": quantity}],
        "recipient": {"name": "Kim", "phone": "010-1234-5678", "address": "Seoul"}, "payment_method": token,
    })
}

impl Person {
    async fn posts(&self, path: &str, body: Value) -> Result<Answer, Gone> {
        self.load.goes_on()?;
        self.load.post(self.who, path, body).await
    }

    async fn sees(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value, Gone> {
        let body = self.load.sees(path, |body| wanted(body) || self.load.goes_on().is_err()).await?;
        self.load.goes_on().map(|()| body)
    }

    /// Buys (0), reserves (1) or eats until the platform is gone, or all are to stop.
    pub async fn works(self, work: usize) {
        let _gone = match work {
            0 => self.buys().await,
            1 => self.reserves().await,
            _ => self.eats().await,
        };
    }

    /// Orders gadgets, every seventh with a card that is declined.
    async fn buys(self) -> Result<(), Gone> {
        loop {
            let number = self.load.number();
            let token = if number.is_multiple_of(7) { "tok_declined" } else { "tok_ok" };
            self.posts("/v1/orders", order("phone", &self.scene.gadget, 1 + number % 3, token)).await?;
        }
    }

    /// Reserves nights; then pays, cancels, does both, or neither.
    async fn reserves(mut self) -> Result<(), Gone> {
        loop {
            let from = Utc::now().date_naive() + Days::new(self.random.random_range(2..OPEN));
            let body = json!({
                "resort_id": self.scene.resorts.choose(&mut self.random), "check_in": from,
                "check_out": from + Days::new(self.random.random_range(1..4)),
                "guest": {"name": "Kim", "phone": "010-1234-5678"},
            });
            let reserved = self.posts("/v1/reservations", body).await?;
            if reserved.status != 201 {
                continue;
            }
            let pay_path = format!("/v1/payments/{}/pay", text(&reserved.body["payment"], "payment_id"));
            let cancel_path = format!("/v1/reservations/{}/cancel", text(&reserved.body, "reservation_id"));
            let choice = self.random.random_range(0..8);
            let pay = |token: &str| self.posts(&pay_path, json!({"payment_method": token}));
            let cancel = || self.posts(&cancel_path, json!({"reason": "rain"}));
            match choice {
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

    /// Orders pizzas, sometimes with a coupon that others may use at once; then cancels them, or eats them and gives some
    /// back.
    async fn eats(mut self) -> Result<(), Gone> {
        loop {
            let mut body = order("pizza", &self.scene.pizza, self.random.random_range(1..4), "tok_ok");
            let coupon = self.coupon();
            if let Some(coupon) = coupon.filter(|_| self.random.random_bool(0.5)) {
                body["coupon_id"] = json!(coupon);
            }
            let placed = self.posts("/v1/orders", body).await?;
            if placed.status != 201 {
                continue;
            }
            let path = format!("/v1/orders/{}", text(&placed.body, "order_id"));
            let row = self.sees(&path, |order| order["delivery"].is_object()).await?;
            let delivery = format!("/v1/deliveries/{}", text(&row["delivery"], "delivery_id"));
            if self.random.random_bool(0.2) {
                let cancel_path = format!("{path}/cancel");
                let cancel = self.posts(&cancel_path, json!({"reason": "full"}));
                both(join(self.step(&delivery, "accept"), cancel).await)?;
                continue;
            }
            for name in ["accept", "prepare", "ship", "complete"] {
                self.step(&delivery, name).await?;
            }
            let row = self.sees(&path, |order| order["coupon_issued"].is_object()).await?;
            let coupon = text(&row["coupon_issued"], "coupon_id").to_owned();
            self.load.coupons.lock().unwrap().push((self.who, coupon));
            for _ in 0..self.random.random_range(0..3) {
                self.gives_back(&path, &delivery).await?;
            }
        }
    }

    /// One of their coupons.
    fn coupon(&mut self) -> Option<String> {
        let coupons = self.load.coupons.lock().unwrap();
        let own: Vec<&String> =
            coupons.iter().filter(|(who, _)| *who == self.who).map(|(_, coupon)| coupon).collect();
        own.choose(&mut self.random).map(|coupon| (*coupon).clone())
    }

    /// The shop does something with the delivery.
    async fn step(&self, delivery: &str, step: &str) -> Result<Answer, Gone> {
        self.load.goes_on()?;
        self.load.post(Who::Shop, &format!("{delivery}/{step}"), json!({})).await
    }

    /// Asks for the money of some pieces or of all; then the return is received or called off, or both at once.
    async fn gives_back(&mut self, order: &str, delivery: &str) -> Result<(), Gone> {
        let mut wish = json!({"reason": "burnt"});
        if self.random.random_bool(0.6) {
            let quantity = self.random.random_range(1..3);
            wish["lines"] = json!([{"product_id": self.scene.pizza, "quantity": quantity}]);
        }
        let asked = self.posts(&format!("{order}/refunds"), wish).await?;
        if asked.status != 201 {
            return Ok(());
        }
        let cancel_path = format!("/v1/refunds/{}/cancel", text(&asked.body, "refund_id"));
        let choice = self.random.random_range(0..8);
        let cancel = self.posts(&cancel_path, json!({}));
        match choice {
            0 => Ok(()),
            1 => cancel.await.map(drop),
            2 => self.step(delivery, "cancel-return").await.map(drop),
            3 => both(join(self.step(delivery, "receive-return"), cancel).await),
            _ => self.step(delivery, "receive-return").await.map(drop),
        }
    }
}

fn both(answers: (Result<Answer, Gone>, Result<Answer, Gone>)) -> Result<(), Gone> {
    answers.0?;
    answers.1.map(drop)
}
