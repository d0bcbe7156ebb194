//! Payments between processes: `payments reconcile` through the real program, and a sandbox server that calls back.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../binary/mod.rs"]
mod binary;

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use binary::{Serving, command, failure_in, result_in, run_in};
use domain::{OrderId, PaymentId, order::payment_of};
use sagas::payments::charge_key;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long something that happens a moment later may take.
const PATIENCE: Duration = Duration::from_secs(20);
const SECRET: &str = "known to two";

/// Sends a request and reads the answer.
fn call(request: impl FnOnce(reqwest::Client) -> reqwest::RequestBuilder) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { request(reqwest::Client::new()).send().await.unwrap().json().await.unwrap() })
}

struct Customer {
    url: String,
    token: String,
}

impl Customer {
    fn of(serving: &Serving, data: &Path) -> Self {
        let token = Serving::token(data, &["--sub", "alice", "--role", "customer"]);
        Self { url: serving.url.clone(), token }
    }

    fn get(&self, path: &str) -> Value {
        call(|http| http.get(format!("{}{path}", self.url)).bearer_auth(&self.token))
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        call(|http| http.post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(body))
    }

    /// Orders a charger; the answer.
    fn order(&self, method: &str) -> Value {
        let products = self.get("/v1/products?shop_id=phone&limit=100");
        let charger = products["data"].as_array().unwrap().iter().find(|it| it["name"] == "Charger").unwrap();
        let body = json!({
            "shop_id": "phone", "lines": [{"product_id": charger["product_id"], "quantity": 1}],
            "recipient": {"name": "Kim", "phone": "010-1", "address": "Seoul"}, "payment_method": method,
        });
        self.post("/v1/orders", &body)
    }

    fn payment_of(&self, answer: &Value) -> PaymentId {
        payment_of(answer["order_id"].as_str().unwrap().parse::<OrderId>().unwrap())
    }

    fn sees(&self, path: &str, enough: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let seen = self.get(path);
            if enough(&seen) {
                return seen;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} did not become what was expected: {seen}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A data folder with one paid and one declined payment.
fn traded(serving: impl FnOnce(&Path) -> Serving) -> (TempDir, PathBuf, Serving, PaymentId, PaymentId) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let serving = serving(&data);
    let alice = Customer::of(&serving, &data);
    let (paid, declined) = (alice.order("tok_ok"), alice.order("tok_declined"));
    assert_eq!((&paid["status"], &declined["code"]), (&json!("confirmed"), &json!("payment_declined")));
    let (paid, declined) = (alice.payment_of(&paid), alice.payment_of(&declined));
    (folder, data, serving, paid, declined)
}

/// The sandbox had charged after all.
fn charge_after_all(data: &Path, payment: PaymentId) {
    let books = rusqlite::Connection::open(data.join("sandbox.db")).unwrap();
    books.busy_timeout(Duration::from_secs(5)).unwrap();
    let sql = "UPDATE entries SET code = NULL, charge_ref = 'ch_' || key WHERE key = ?1";
    assert_eq!(books.execute(sql, [charge_key(payment, 1)]).unwrap(), 1);
}

fn reconcile(data: &Path, more: &[&str], status: i32) -> (Value, String) {
    let output = run_in(data, ["payments", "reconcile", "--json"].iter().chain(more));
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{complaint}");
    (serde_json::from_slice(&output.stdout).unwrap(), complaint)
}

#[test]
fn reconcile_tells_what_differs_without_a_server_and_mends_it_on_demand() {
    let (_folder, data, serving, paid, declined) = traded(|data| Serving::start(data, &[]));
    assert_eq!(serving.terminate(), Some(0));
    let said = result_in(&data, ["payments", "reconcile"]);
    assert!(said.contains("nothing differs") && said.contains("2 payments"), "{said}");
    let (report, progress) = reconcile(&data, &[], 0);
    assert_eq!((&report["differing"], &report["payments"]), (&json!(0), &json!(2)));
    assert!(progress.contains("events, done") && progress.contains("2 entries, done"), "{progress}");

    charge_after_all(&data, declined);
    let complaint = failure_in(&data, ["payments", "reconcile"], 1);
    assert!(complaint.contains("differ in 1 place"), "{complaint}");
    let (report, _) = reconcile(&data, &[], 1);
    let found = &report["differences"][0];
    assert_eq!((&found["kind"], &found["payment_id"]), (&json!("orphan_charge"), &json!(declined)));
    assert_eq!(found["key"], charge_key(declined, 1));
    assert_eq!((&found["log"], &found["books"]), (&found["books"], &found["log"]));
    assert_eq!(reconcile(&data, &[], 1).0, report, "looking changed something");

    let (mended, _) = reconcile(&data, &["--mend"], 0);
    assert_eq!(mended["mended"][0]["result"], "refunding", "{mended}");
    let (after, _) = reconcile(&data, &["--mend"], 0);
    assert_eq!((&after["differing"], &after["under_way"]), (&json!(0), &json!(1)), "{after}");

    let serving = Serving::start(&data, &[]);
    let alice = Customer::of(&serving, &data);
    alice.sees(&format!("/v1/payments/{declined}"), |payment| payment["status"] == "refunded");
    let (report, _) = reconcile(&data, &[], 0);
    let sums = &report["sums"]["KRW"];
    assert_eq!(sums["log"], sums["books"]);
    assert_eq!((&sums["log"]["charges"], &sums["log"]["refunds"]), (&json!(2), &json!(1)));
    assert_eq!(alice.get(&format!("/v1/payments/{paid}"))["status"], "captured");
}

#[test]
fn reconcile_goes_through_a_running_server_as_a_job() {
    let (_folder, data, serving, _, declined) = traded(|data| Serving::start(data, &[]));
    assert_eq!(reconcile(&data, &[], 0).0["differing"], 0);
    charge_after_all(&data, declined);
    let (report, progress) = reconcile(&data, &["--foreign"], 1);
    assert_eq!(report["by_kind"], json!({"orphan_charge": 1}));
    assert!(progress.contains("2 entries, done"), "{progress}");
    let text = run_in(&data, ["payments", "reconcile", "--mend"]);
    let said = String::from_utf8(text.stdout).unwrap();
    assert_eq!(text.status.code(), Some(0), "{said}");
    assert!(said.contains("mended: ") && said.contains("nothing differs any more"), "{said}");
    let alice = Customer::of(&serving, &data);
    alice.sees(&format!("/v1/payments/{declined}"), |payment| payment["status"] == "refunded");
    assert_eq!(reconcile(&data, &[], 0).0["under_way"], 0);
}

#[test]
fn wrong_usage_and_what_cannot_be_read_have_their_own_statuses() {
    let folder = tempfile::tempdir().unwrap();
    failure_in(folder.path(), ["payments"], 2);
    failure_in(folder.path(), ["payments", "reconcile", "--nonsense"], 2);
    failure_in(folder.path(), ["payments", "reconcile", "--store", "mysql:x"], 2);
    let complaint = failure_in(&folder.path().join("none"), ["payments", "reconcile"], 1);
    assert!(complaint.contains("no event log"), "{complaint}");
    failure_in(folder.path(), ["payment-sandbox", "--callback-url", "http://127.0.0.1:1/x"], 2);
    failure_in(folder.path(), ["payment-sandbox", "--callback-copies", "0"], 2);
}

/// The sandbox server; killed when dropped.
struct SandboxServer {
    child: Child,
    url: String,
}

impl SandboxServer {
    fn start(data: &Path, listen: &str, platform: &Serving) -> Self {
        let callbacks = format!("{}/v1/payment-callbacks", platform.url);
        let mut child = command()
            .args(["payment-sandbox", "--latency", "1..5", "--callback-copies", "3", "--listen", listen])
            .args(["--callback-url", &callbacks, "--data"])
            .arg(data)
            .env("PAYMENT_SANDBOX_CALLBACK_SECRET", SECRET)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self { child, url }
    }
}

impl Drop for SandboxServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_sandbox_server_calls_a_running_platform_back_and_the_books_agree() {
    let folder = tempfile::tempdir().unwrap();
    let door = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = door.local_addr().unwrap().to_string();
    drop(door);
    let config = folder.path().join("orderstream.toml");
    let gateway = format!("[gateway]\nurl = \"http://{address}\"\ncallback_secret = \"{SECRET}\"\n");
    std::fs::write(&config, gateway).unwrap();
    let data = folder.path().join("data");
    let serving = Serving::start(&data, &["--config", config.to_str().unwrap()]);
    let sandbox = SandboxServer::start(folder.path(), &address, &serving);
    let behave = |body: Value| {
        let now = call(|http| http.put(format!("{}/v1/behaviour", sandbox.url)).json(&body));
        assert!(now["late_answer_ms"].is_u64(), "{now}");
    };
    // So late that nobody would know from the answers in time.
    behave(json!({"late_answer_ms": 60_000}));
    let alice = Customer::of(&serving, &data);
    let begun = Instant::now();
    let paid = alice.order("tok_ok");
    let declined = alice.order("tok_declined");
    assert_eq!((&paid["status"], &declined["code"]), (&json!("confirmed"), &json!("payment_declined")));
    assert!(begun.elapsed() < Duration::from_secs(8), "after {:?}", begun.elapsed());
    behave(json!({}));
    let order = paid["order_id"].as_str().unwrap();
    alice.post(&format!("/v1/orders/{order}/cancel"), &json!({}));
    alice.sees(&format!("/v1/orders/{order}"), |order| order["status"] == "cancelled");
    let begun = Instant::now();
    let config = ["--config", config.to_str().unwrap()];
    while reconcile(&data, &config, 0).0["under_way"] != 0 {
        assert!(begun.elapsed() < PATIENCE, "it does not come to rest");
    }
    let (report, _) = reconcile(&data, &config, 0);
    assert_eq!(report["sums"]["KRW"]["log"], report["sums"]["KRW"]["books"]);
}
