//! Stays, meals and returns, brought as far as a test needs them; and a log that a refused call must not move.

use std::{future::Future, time::Duration};

use chrono::{Days, NaiveDate, Utc};
use serde_json::{Value, json};

use crate::common::{Answer, Client, TestServer, krw, order_of, text};

/// An id that nothing has.
pub(crate) const ABSENT: &str = "01900000-0000-7000-8000-000000000000";
/// The price of the pizza that is eaten here.
pub(crate) const PIZZA: i64 = 20_900;

/// Waits until nothing more happens by itself; the log's head then.
pub(crate) async fn settled(server: &TestServer) -> u64 {
    let mut head = server.head().await;
    loop {
        tokio::time::sleep(Duration::from_millis(300)).await;
        match server.head().await {
            same if same == head => return head,
            newer => head = newer,
        }
    }
}

/// A platform where nothing happens by itself any more.
pub(crate) struct Quiet<'a> {
    server: &'a TestServer,
    head: u64,
}

impl<'a> Quiet<'a> {
    pub(crate) async fn of(server: &'a TestServer) -> Self {
        Self { server, head: settled(server).await }
    }

    /// Asserts that the call is answered with this problem and leaves no trace in the log.
    pub(crate) async fn refuses(&self, call: impl Future<Output = Answer>, status: u16, code: &str) -> Value {
        let answer = call.await;
        let answered = (answer.status, answer.body["code"].as_str().unwrap_or_default());
        assert_eq!(answered, (status, code), "answered {}", answer.body);
        let problem = answer.problem(status, code);
        assert_eq!(self.server.head().await, self.head, "{code} left a trace in the log");
        problem
    }

    /// Asserts what each of these people is answered, and that none of it leaves a trace in the log.
    pub(crate) async fn answers(&self, wanted: &[(&str, u16)], call: impl AsyncFn(Client) -> Answer) {
        for (who, status) in wanted {
            let answer = call(person(self.server, who)).await;
            assert_eq!(answer.status, *status, "{who} is answered {}", answer.body);
            assert_eq!(self.server.head().await, self.head, "{who} left a trace in the log");
        }
    }
}

/// The people of these tests: grace and henry are guests, mira and otto managers, the shops are named as they are.
fn person(server: &TestServer, who: &str) -> Client {
    match who {
        "nobody" => server.nobody(),
        "grace" | "henry" => server.customer(who),
        "mira" | "otto" => server.manager(who),
        "courier" => server.courier(),
        "admin" => server.admin(),
        shop => server.shop(shop),
    }
}

/// A day in so many days, wherever on earth one is.
pub(crate) fn in_days(days: u64) -> NaiveDate {
    Utc::now().date_naive() + Days::new(days + 1)
}

/// The body of a new resort.
pub(crate) fn house() -> Value {
    json!({
        "name": "Seaside House", "kind": "pension", "nightly_price": krw(120_000),
        "open_from": in_days(0), "open_until": in_days(365),
    })
}

/// A resort that mira registered, with some fields as given.
pub(crate) async fn resort(server: &TestServer, other: Value) -> Value {
    let mut body = house();
    for (name, value) in other.as_object().unwrap() {
        body[name] = value.clone();
    }
    server.manager("mira").post("/v1/resorts", body).await.expect(201)
}

/// The body of a reservation.
pub(crate) fn stay(resort: &Value, from: u64, until: u64) -> Value {
    json!({
        "resort_id": resort["resort_id"], "check_in": in_days(from), "check_out": in_days(until),
        "guest": {"name": "Kim Min-ji", "phone": "010-1234-5678"},
    })
}

/// Where a thing is read: `/v1/things/{thing_id}`.
#[track_caller]
pub(crate) fn path_of(thing: &str, body: &Value) -> String {
    let things = if thing == "delivery" { "deliveries".to_owned() } else { format!("{thing}s") };
    format!("/v1/{things}/{}", text(body, &format!("{thing}_id")))
}

/// Where a reservation or an order is paid.
#[track_caller]
pub(crate) fn pay_path(body: &Value) -> String {
    format!("{}/pay", path_of("payment", &body["payment"]))
}

/// What is paid with.
pub(crate) fn method(token: &str) -> Value {
    json!({"payment_method": token})
}

/// A reservation that grace paid and whose voucher she got.
pub(crate) async fn paid_stay(server: &TestServer, resort: &Value, from: u64, until: u64) -> Value {
    let grace = server.customer("grace");
    let reserved = grace.post("/v1/reservations", stay(resort, from, until)).await.expect(201);
    grace.post(&pay_path(&reserved), method("tok_ok")).await.expect(200);
    grace.sees(&path_of("reservation", &reserved), |row| row["voucher"]["status"] == "sent").await
}

/// An order of grace's that the shop has not begun with, once its delivery is there.
pub(crate) async fn ordered(server: &TestServer, shop: &str, product: &str, quantity: u32) -> Value {
    let grace = server.customer("grace");
    let product = grace.product(shop, product).await;
    let order = grace.buys(shop, &product, quantity).await;
    grace.sees(&path_of("order", &order), |order| order["delivery"].is_object()).await
}

/// The shop takes these steps of the order's delivery.
pub(crate) async fn steps(server: &TestServer, order: &Value, steps: &[&str]) {
    let shop = server.shop(text(order, "shop_id"));
    for step in steps {
        shop.act(&format!("{}/{step}", path_of("delivery", &order["delivery"]))).await.expect(200);
    }
}

/// Pizzas that grace has eaten, once they have earned their coupon.
pub(crate) async fn eaten(server: &TestServer, quantity: u32) -> Value {
    let order = ordered(server, "pizza", "Four Cheese", quantity).await;
    steps(server, &order, &["accept", "prepare", "ship", "complete"]).await;
    let path = path_of("order", &order);
    server.customer("grace").sees(&path, |order| order["coupon_issued"]["status"] == "issued").await
}

/// Where refunds of the order are asked for.
#[track_caller]
pub(crate) fn refunds_path(order: &Value) -> String {
    format!("{}/refunds", path_of("order", order))
}

/// Grace asks for her money back; for so many pieces of the first line, or for all.
pub(crate) async fn refund(server: &TestServer, order: &Value, pieces: Option<u32>) -> Value {
    let grace = server.customer("grace");
    grace.post(&refunds_path(order), wish(order, pieces)).await.expect(201)
}

/// The body of a refund.
pub(crate) fn wish(order: &Value, pieces: Option<u32>) -> Value {
    let mut wish = json!({"reason": "burnt"});
    if let Some(quantity) = pieces {
        wish["lines"] = json!([{"product_id": order["lines"][0]["product_id"], "quantity": quantity}]);
    }
    wish
}

/// The body of an order of pizzas with a coupon.
pub(crate) async fn with_coupon(who: &Client, coupon_id: &Value, token: &str) -> Value {
    let pizza = who.product("pizza", "Four Cheese").await;
    let mut body = order_of("pizza", &pizza, 1);
    body["coupon_id"] = coupon_id.clone();
    body["payment_method"] = json!(token);
    body
}

/// Asserts that the list at `path` holds as many rows as asked for, walked two by two, each once; returns the texts at
/// `id`, in order.
pub(crate) async fn walked(who: &Client, path: &str, id: &str) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = who.get(&format!("{path}{joint}limit=2{cursor}")).await.expect(200);
        let rows = page["data"].as_array().unwrap();
        assert!(rows.len() <= 2, "more than the limit: {page}");
        seen.extend(rows.iter().map(|row| text(row, id).to_owned()));
        assert_eq!(page["has_more"], json!(page["next_cursor"].is_string()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return seen,
        }
    }
}

/// Asserts that a list refuses wrong limits, cursors, positions and parameters.
pub(crate) async fn refuses_wrong_queries(who: &Client, path: &str) {
    for query in ["limit=0", "limit=101", "limit=x", "colour=red", "limit=1&limit=2"] {
        who.get(&format!("{path}?{query}")).await.problem(400, "invalid_query");
    }
    who.get(&format!("{path}?cursor=rubbish")).await.problem(400, "invalid_cursor");
    who.get(&format!("{path}?min_position=rubbish")).await.problem(400, "invalid_position");
}

/// Asserts that the thing at `path` has an ETag that saves its body.
pub(crate) async fn saves_the_body(who: &Client, path: &str) -> String {
    let tag = who.get(path).await.header("etag");
    let unchanged = who.get_with(path, ("if-none-match", &tag)).await;
    assert_eq!((unchanged.status, unchanged.header("etag")), (304, tag.clone()));
    assert_eq!(unchanged.body, json!(""));
    who.get_with(path, ("if-none-match", "\"0-0.1\"")).await.expect(200);
    tag
}

/// Asserts that a key replays the first answer to the letter and is good for no other request.
pub(crate) async fn is_done_once(
    who: &Client,
    path: &str,
    body: Value,
    status: u16,
    other: (&str, Value),
) -> Value {
    let key = ("idempotency-key", "once");
    let first = who.post_with(path, key, body.clone()).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (status, String::new()), "{first:?}");
    let again = who.post_with(path, key, body).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (status, "true".to_owned()));
    for name in ["location", "etag", "orderstream-position"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(again.body, first.body);
    who.post_with(other.0, key, other.1).await.problem(422, "idempotency_key_reused");
    first.body
}
