//! The program is killed again and again under load, and nothing that it said is untrue afterwards.
#![allow(clippy::unwrap_used, missing_docs)]

mod binary;

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use binary::Serving;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

const ROUNDS: u32 = 8;
const CUSTOMERS: usize = 12;
const STOCK: u64 = 100_000;
/// How long everything may take to be decided after the last start.
const PATIENCE: Duration = Duration::from_secs(30);

/// What one request came to, as its sender knows.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    /// 201 with this order.
    Confirmed(String),
    /// 402 with this order.
    Declined(String),
    /// The connection broke, or it was not decided: nobody knows.
    Unknown,
}

/// A request, to be sent again under the same key.
#[derive(Clone, Debug)]
struct Request {
    key: String,
    body: Value,
    outcome: Outcome,
}

struct Load {
    client: reqwest::Client,
    customer: String,
    admin: String,
    product_id: String,
    numbers: AtomicU64,
    requests: Mutex<Vec<Request>>,
}

impl Load {
    fn body(&self, number: u64) -> Value {
        json!({
            "shop_id": "phone",
            "lines": [{"product_id": self.product_id, "quantity": 1 + number % 3}],
            "recipient": {"name": "Kim", "phone": "010-1234-5678", "address": "Seoul"},
            "payment_method": if number.is_multiple_of(7) { "tok_declined" } else { "tok_ok" },
        })
    }

    async fn send(&self, url: &str, key: &str, body: &Value) -> Outcome {
        let request = self.client.post(format!("{url}/v1/orders")).bearer_auth(&self.customer);
        let Ok(response) = request.header("Idempotency-Key", key).json(body).send().await else {
            return Outcome::Unknown;
        };
        let status = response.status().as_u16();
        let Ok(answer) = response.json::<Value>().await else { return Outcome::Unknown };
        let order_id = answer["order_id"].as_str().unwrap_or_default().to_owned();
        match status {
            201 => Outcome::Confirmed(order_id),
            402 => Outcome::Declined(order_id),
            202 | 409 | 503 => Outcome::Unknown,
            other => panic!("answered {other} {answer}"),
        }
    }

    /// Orders until the platform is gone.
    async fn order_until_killed(&self, url: &str) {
        loop {
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            let (key, body) = (format!("order-{number}"), self.body(number));
            let outcome = self.send(url, &key, &body).await;
            let gone = outcome == Outcome::Unknown;
            self.requests.lock().unwrap().push(Request { key, body, outcome });
            if gone {
                return;
            }
        }
    }

    /// All entries of a list, as an admin.
    async fn all(&self, url: &str, path: &str) -> Vec<Value> {
        let (mut entries, mut cursor) = (Vec::new(), String::new());
        loop {
            let request = self.client.get(format!("{url}{path}?limit=100{cursor}")).bearer_auth(&self.admin);
            let page: Value = request.send().await.unwrap().json().await.unwrap();
            entries
                .extend(page["data"].as_array().unwrap_or_else(|| panic!("no list: {page}")).iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return entries,
            }
        }
    }
}

async fn register_product(url: &str, data: &Path) -> String {
    let token = Serving::token(data, &["--sub", "staff", "--role", "shop", "--shop", "phone"]);
    let product =
        json!({"name": "Tested", "price": {"amount_minor": 500, "currency": "KRW"}, "stock": STOCK});
    let request = reqwest::Client::new().post(format!("{url}/v1/shops/phone/products")).bearer_auth(token);
    let listed: Value = request.json(&product).send().await.unwrap().json().await.unwrap();
    listed["product_id"].as_str().unwrap_or_else(|| panic!("{listed}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_answered_is_lost_and_nothing_is_charged_twice() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let seed = rand::random::<u64>();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let first = Serving::start(data, &[]);
    let load = Arc::new(Load {
        client: reqwest::Client::new(),
        customer: Serving::token(data, &["--sub", "alice", "--role", "customer"]),
        admin: Serving::token(data, &["--sub", "root", "--role", "admin"]),
        product_id: register_product(&first.url, data).await,
        numbers: AtomicU64::new(1),
        requests: Mutex::default(),
    });
    first.kill();

    for _ in 0..ROUNDS {
        let serving = Serving::start(data, &[]);
        let customers: Vec<_> = (0..CUSTOMERS)
            .map(|_| {
                let (load, url) = (load.clone(), serving.url.clone());
                tokio::spawn(async move { load.order_until_killed(&url).await })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(random.random_range(50..900))).await;
        serving.kill();
        for customer in customers {
            customer.await.unwrap();
        }
    }

    let serving = Serving::start(data, &[]);
    let url = serving.url.clone();
    let requests = load.requests.lock().unwrap().clone();
    let unknown = requests.iter().filter(|request| request.outcome == Outcome::Unknown).count();
    let answered = requests.len() - unknown;
    println!("{answered} requests answered, {unknown} cut off");
    assert!(answered > 50 && unknown > 0, "the load was no load: {answered} answered, {unknown} cut off");

    // Sent again under its key, a request has one answer: the first, if there was one.
    let mut decided = HashMap::new();
    for request in &requests {
        let outcome = sent_again(&load, &url, request).await;
        if request.outcome != Outcome::Unknown {
            assert_eq!(outcome, request.outcome, "{} changed its answer", request.key);
        }
        match outcome {
            Outcome::Confirmed(order_id) => assert!(decided.insert(order_id, "confirmed").is_none()),
            Outcome::Declined(order_id) => assert!(decided.insert(order_id, "rejected").is_none()),
            Outcome::Unknown => unreachable!("sent again until it was decided"),
        }
    }

    let orders = all_decided(&load, &url).await;
    assert_eq!(orders.len(), decided.len(), "each request is one order");
    let confirmed: HashSet<&str> = of_status(&orders, "confirmed");
    for (order_id, status) in &decided {
        let order = orders.iter().find(|order| order["order_id"] == order_id.as_str());
        assert_eq!(order.unwrap_or_else(|| panic!("{order_id} is lost"))["status"], *status);
    }
    check_money(&load, &url, data, &confirmed).await;
    check_stock(&load, &url, &orders).await;
    serving.kill();
}

async fn sent_again(load: &Load, url: &str, request: &Request) -> Outcome {
    let begun = Instant::now();
    loop {
        let outcome = load.send(url, &request.key, &request.body).await;
        if outcome != Outcome::Unknown {
            return outcome;
        }
        assert!(begun.elapsed() < PATIENCE, "{request:?} is never decided");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn of_status<'a>(entries: &'a [Value], status: &str) -> HashSet<&'a str> {
    entries
        .iter()
        .filter(|entry| entry["status"] == status)
        .filter_map(|entry| entry["order_id"].as_str())
        .collect()
}

/// All orders, once none is undecided.
async fn all_decided(load: &Load, url: &str) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let orders = load.all(url, "/v1/orders").await;
        if orders.iter().all(|order| order["status"] == "confirmed" || order["status"] == "rejected") {
            return orders;
        }
        assert!(begun.elapsed() < PATIENCE, "some orders are never decided");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The payments that were captured are those of the confirmed orders, and each was captured once.
async fn check_money(load: &Load, url: &str, data: &Path, confirmed: &HashSet<&str>) {
    let payments = load.all(url, "/v1/payments").await;
    assert_eq!(&of_status(&payments, "captured"), confirmed);
    for payment in payments.iter().filter(|payment| payment["status"] == "captured") {
        assert_eq!(payment["captured"], payment["amount"]);
    }
    let log = binary::result_in(data, ["events", "export", "-"]);
    let mut captures: HashMap<String, u32> = HashMap::new();
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        if event["type"] == "payment.captured" {
            *captures.entry(event["stream"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert_eq!(captures.len(), confirmed.len());
    assert!(captures.values().all(|count| *count == 1), "something was charged twice");
}

/// What is available and what is reserved is what there was, and reserved is what confirmed orders hold.
async fn check_stock(load: &Load, url: &str, orders: &[Value]) {
    let held: u64 = orders
        .iter()
        .filter(|order| order["status"] == "confirmed")
        .flat_map(|order| order["lines"].as_array().unwrap())
        .map(|line| line["quantity"].as_u64().unwrap())
        .sum();
    let path = format!("{url}/v1/products/{}", load.product_id);
    let begun = Instant::now();
    loop {
        let product: Value = load.client.get(&path).send().await.unwrap().json().await.unwrap();
        let (available, reserved) =
            (product["stock"].as_u64().unwrap(), product["reserved"].as_u64().unwrap());
        if (available, reserved) == (STOCK - held, held) {
            return;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "{available} available and {reserved} reserved, but {held} are held"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
