//! Everything as it stands once all is at its end, and what must hold then.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, Instant},
};

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{Answer, Load, PATIENCE, Request, Scene, Who, actors::STOCK, text};

/// What the views show.
#[derive(PartialEq)]
pub struct Rest {
    pub orders: Vec<Value>,
    pub reservations: Vec<Value>,
    pub refunds: Vec<Value>,
    pub payments: Vec<Value>,
}

fn is(row: &Value, statuses: &[&str]) -> bool {
    statuses.contains(&text(row, "status"))
}

fn minor(money: &Value) -> i64 {
    money["amount_minor"].as_i64().unwrap_or_else(|| panic!("no money: {money}"))
}

/// Whether the goods left the shop: they are gone then, whether they come back or not.
fn has_left(order: &Value) -> bool {
    let status = order["delivery"]["status"].as_str().unwrap_or_default();
    ["shipped", "delivered", "returning", "returned"].contains(&status)
}

impl Rest {
    /// Waits until all is at its end and stays so; goods that are on their way back are received.
    pub async fn of(load: &Load) -> Self {
        let (begun, mut received) = (Instant::now(), BTreeSet::new());
        let mut before = Self::read(load).await;
        loop {
            let rest = Self::read(load).await;
            for refund in rest.refunds.iter().filter(|refund| is(refund, &["returning"])) {
                if received.insert(text(refund, "refund_id").to_owned()) {
                    let path = format!("/v1/deliveries/{}/receive-return", text(refund, "delivery_id"));
                    load.post(Who::Shop, &path, json!({}))
                        .await
                        .unwrap_or_else(|_| panic!("{path} is not answered"));
                }
            }
            let moving = rest.moving();
            // The lists were read one after the other: they fit together if nothing changed meanwhile.
            if moving.is_none() && rest == before {
                return rest;
            }
            assert!(begun.elapsed() < PATIENCE, "never comes to its end: {moving:?}");
            before = rest;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn read(load: &Load) -> Self {
        Self {
            orders: load.all("/v1/orders").await,
            reservations: load.all("/v1/reservations").await,
            refunds: load.all("/v1/refunds").await,
            payments: load.all("/v1/payments").await,
        }
    }

    /// Something that is not at its end.
    fn moving(&self) -> Option<&Value> {
        let at_end = |row: &Value, statuses: &[&str]| is(row, statuses);
        let order = |row: &&Value| !at_end(row, &["confirmed", "rejected", "cancelled", "completed"]);
        let stay = |row: &&Value| !at_end(row, &["paid", "refused", "cancelled", "expired"]);
        let refund = |row: &&Value| !at_end(row, &["completed", "cancelled", "refused"]);
        let ends = ["captured", "declined", "expired", "voided", "refunded", "partially_refunded"];
        let payment = |row: &&Value| !at_end(row, &ends);
        let undone = |row: &&Value| {
            is(row, &["cancelled"]) && row["payment"]["captured"] != row["payment"]["refunded"]
        };
        let orders = self.orders.iter().find(order).or(self.orders.iter().find(undone));
        let stays = self.reservations.iter().find(stay).or(self.reservations.iter().find(undone));
        orders.or(stays).or(self.refunds.iter().find(refund)).or(self.payments.iter().find(payment))
    }

    /// Orders for which pieces are put aside.
    pub fn held(&self) -> BTreeSet<&str> {
        let held = self.orders.iter().filter(|order| is(order, &["confirmed"]) && !has_left(order));
        held.map(|order| text(order, "order_id")).collect()
    }

    /// All that must hold of it.
    pub async fn agrees(&self, load: &Load, scene: &Scene, decided: &[(Request, Answer)]) {
        println!("{}", self.counts());
        self.holds_what_was_answered(decided);
        self.money_is_right();
        self.no_night_is_given_to_two(load, scene).await;
        self.coupons_are_used_once(load).await;
        self.stock_adds_up(load, scene).await;
        let sagas = load.all("/v1/admin/sagas").await;
        let stuck: Vec<&Value> = sagas.iter().filter(|instance| instance["state"] == "stuck").collect();
        assert!(stuck.is_empty(), "stuck: {stuck:?}");
    }

    /// How many there are of each kind in each state.
    fn counts(&self) -> String {
        let mut counts = BTreeMap::<(&str, &str), usize>::new();
        let kinds = [("order", &self.orders), ("reservation", &self.reservations), ("refund", &self.refunds)];
        for (kind, row) in kinds.into_iter().flat_map(|(kind, rows)| rows.iter().map(move |row| (kind, row)))
        {
            *counts.entry((kind, text(row, "status"))).or_default() += 1;
        }
        format!("{counts:?}")
    }

    /// Every answer came true, and nothing is there that nobody asked for.
    fn holds_what_was_answered(&self, decided: &[(Request, Answer)]) {
        let by_id = |rows: &[Value], name: &str| -> HashMap<String, Value> {
            rows.iter().map(|row| (text(row, name).to_owned(), row.clone())).collect()
        };
        let all = [
            ("order_id", by_id(&self.orders, "order_id"), "/v1/orders"),
            ("reservation_id", by_id(&self.reservations, "reservation_id"), "/v1/reservations"),
            ("refund_id", by_id(&self.refunds, "refund_id"), "/refunds"),
        ];
        for (name, rows, placed_at) in &all {
            let placed = decided.iter().filter(|(request, _)| request.path.ends_with(placed_at));
            let mut ids = BTreeSet::new();
            for (request, answer) in placed {
                let Some(id) = answer.body[name].as_str() else { continue };
                let row = rows.get(id).unwrap_or_else(|| panic!("{request:?} is lost: {answer:?}"));
                assert!(ids.insert(id.to_owned()), "{id} was made for two requests");
                let turned_down = is(row, &["rejected", "refused"]);
                assert_eq!(turned_down, answer.status >= 400, "{answer:?} became {row}");
            }
            assert_eq!(ids.len(), rows.len(), "{name}: each request is one");
        }
        let [(_, orders, _), (_, stays, _), (_, refunds, _)] = &all;
        for (request, answer) in decided.iter().filter(|(_, answer)| answer.status == 200) {
            let mut parts = request.path.rsplit('/');
            let (step, id) = (parts.next().unwrap(), parts.next().unwrap());
            let became = match step {
                "cancel" => {
                    let row = orders.get(id).or(stays.get(id)).or(refunds.get(id));
                    is(row.unwrap(), &["cancelled"])
                }
                "pay" => {
                    let stay = stays.values().find(|stay| stay["payment"]["payment_id"] == id);
                    is(stay.unwrap(), &["paid", "cancelled"])
                }
                "complete" => {
                    let order = orders.values().find(|order| order["delivery"]["delivery_id"] == id);
                    is(order.unwrap(), &["completed"])
                }
                "receive-return" => {
                    refunds.values().any(|it| it["delivery_id"] == id && is(it, &["completed"]))
                }
                "cancel-return" => {
                    refunds.values().any(|it| it["delivery_id"] == id && is(it, &["cancelled"]))
                }
                _ => true,
            };
            assert!(became, "{request:?} was answered {answer:?}, and did not become true");
        }
    }

    /// What was taken less what was given back is what each order and each stay is worth.
    fn money_is_right(&self) {
        let mut back = HashMap::<&str, i64>::new();
        for refund in self.refunds.iter().filter(|refund| is(refund, &["completed"])) {
            *back.entry(text(refund, "order_id")).or_default() += minor(&refund["amount"]);
        }
        for row in self.orders.iter().chain(&self.reservations) {
            let given = row["order_id"].as_str().and_then(|id| back.get(id)).copied().unwrap_or(0);
            let kept = minor(&row["payment"]["captured"]) - minor(&row["payment"]["refunded"]);
            let deal = is(row, &["confirmed", "completed", "paid"]);
            assert_eq!(kept, if deal { minor(&row["total"]) - given } else { 0 }, "{row}");
        }
    }

    /// Nights of paid stays are given once; the resorts hold these nights and no others.
    async fn no_night_is_given_to_two(&self, load: &Load, scene: &Scene) {
        let date = |row: &Value, name: &str| text(row, name).parse::<NaiveDate>().unwrap();
        for resort in &scene.resorts {
            let mut given = BTreeSet::new();
            let paid = |stay: &&Value| is(stay, &["paid"]) && stay["resort_id"] == resort.as_str();
            for stay in self.reservations.iter().filter(paid) {
                let nights =
                    date(stay, "check_in").iter_days().take_while(|day| *day < date(stay, "check_out"));
                for night in nights {
                    assert!(given.insert(night), "the night of {night} was given to two");
                }
            }
            let path = format!("/v1/resorts/{resort}");
            let row = load.get(&path).await.ok().unwrap();
            let (from, until) = (text(&row, "open_from"), text(&row, "open_until"));
            let nights = load.get(&format!("{path}/nights?from={from}&to={until}")).await.ok().unwrap();
            let taken = nights["data"].as_array().unwrap().iter().filter(|night| is(night, &["taken"]));
            assert_eq!(taken.map(|night| date(night, "date")).collect::<BTreeSet<_>>(), given);
        }
    }

    /// A coupon is used by one order that is a deal, and both know.
    async fn coupons_are_used_once(&self, load: &Load) {
        let mut users = HashMap::new();
        // An order that went back as a whole uses its coupon no more.
        let kept = |order: &&Value| {
            let mut lines = order["lines"].as_array().unwrap().iter();
            is(order, &["confirmed", "completed"]) && lines.any(|line| line["returned"] != line["quantity"])
        };
        for order in self.orders.iter().filter(kept) {
            if let Some(coupon) = order["coupon_used"]["coupon_id"].as_str() {
                assert_eq!(
                    users.insert(coupon, text(order, "order_id")),
                    None,
                    "the coupon {coupon} is used twice"
                );
            }
        }
        println!("{} coupons are used", users.len());
        for coupon in load.all("/v1/coupons").await {
            let user = users.remove(text(&coupon, "coupon_id"));
            assert_eq!(coupon["used_by"]["order_id"].as_str(), user, "{coupon}");
        }
        assert!(users.is_empty(), "coupons that nobody has are used: {users:?}");
    }

    /// What is on the shelf, put aside and gone is what there was.
    async fn stock_adds_up(&self, load: &Load, scene: &Scene) {
        for product in scene.products() {
            let pieces = |gone: bool| -> u64 {
                let deals = self.orders.iter().filter(|order| is(order, &["confirmed", "completed"]));
                let lines = deals.filter(|order| has_left(order) == gone);
                let lines = lines.flat_map(|order| order["lines"].as_array().unwrap());
                let lines = lines.filter(|line| line["product_id"] == product);
                lines.map(|line| line["quantity"].as_u64().unwrap()).sum()
            };
            let (held, gone) = (pieces(false), pieces(true));
            let path = format!("/v1/products/{product}");
            let adds_up = |row: &Value| row["stock"] == STOCK - held - gone && row["reserved"] == held;
            let seen = tokio::time::timeout(PATIENCE, load.sees(&path, adds_up)).await;
            assert!(
                matches!(seen, Ok(Ok(_))),
                "{held} are put aside, {gone} are gone: {:?}",
                load.get(&path).await.ok()
            );
        }
    }
}
