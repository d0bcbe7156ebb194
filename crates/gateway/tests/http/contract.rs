//! The contract, byte by byte: answers, refusals, and the document that describes them.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use super::support::Provider;

struct Raw {
    provider: Provider,
    client: Client,
}

impl Raw {
    async fn start() -> Self {
        Self { provider: Provider::start().await, client: Client::new() }
    }

    async fn send(&self, method: Method, path: &str, key: Option<&str>, body: &str) -> (StatusCode, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.provider.server.url()));
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let answer = request.body(body.to_owned()).send().await.unwrap();
        let status = answer.status();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let expected = if status == StatusCode::OK { "application/json" } else { "application/problem+json" };
        assert_eq!(kind, expected, "{path}");
        (status, answer.json().await.unwrap())
    }

    async fn post(&self, path: &str, key: &str, body: Value) -> (StatusCode, Value) {
        self.send(Method::POST, path, Some(key), &body.to_string()).await
    }
}

/// Method, path, key and body; status, code and a part of the detail.
type Wrong<'a> = (&'a Method, &'a str, Option<&'a str>, &'a str, u16, &'a str, &'a str);

fn money(amount_minor: i64) -> Value {
    json!({"amount_minor": amount_minor, "currency": "KRW"})
}

#[tokio::test]
async fn answers_are_as_the_contract_says() {
    let raw = Raw::start().await;
    let charge = json!({"amount": money(100), "payment_method": "tok_ok"});
    let captured = json!({"status": "captured", "provider_ref": "ch_a:1"});
    assert_eq!(raw.post("/v1/charges", "a:1", charge.clone()).await, (StatusCode::OK, captured.clone()));
    assert_eq!(raw.post("/v1/charges/a%3A1/void", "a:1", Value::Null).await.1, captured);
    assert_eq!(raw.send(Method::GET, "/v1/charges/a%3A1", None, "").await.1, captured);
    assert_eq!(raw.send(Method::GET, "/v1/charges/a:1", None, "").await.1, captured);
    let declining = json!({"amount": money(1), "payment_method": "tok_declined"});
    let declined = json!({"status": "declined", "code": "card_declined"});
    assert_eq!(raw.post("/v1/charges", "b:1", declining).await.1, declined);
    assert_eq!(raw.post("/v1/charges/c%3A1/void", "c:1", Value::Null).await.1, json!({"status": "voided"}));
    let refund = |of: &str| json!({"charge_ref": of, "amount": money(40)});
    let refunded = json!({"status": "refunded", "provider_ref": "re_r:1"});
    assert_eq!(raw.post("/v1/refunds", "r:1", refund("ch_a:1")).await.1, refunded);
    let failed = json!({"status": "failed", "code": "unknown_charge"});
    assert_eq!(raw.post("/v1/refunds", "s:1", refund("ch_x")).await.1, failed);
    let (_, ledger) = raw.send(Method::GET, "/v1/ledger", None, "").await;
    assert_eq!(ledger["data"].as_array().unwrap().len(), 5);
    assert_eq!(
        ledger["data"][0],
        json!({"key": "a:1", "kind": "charge", "amount": money(100), "charge_ref": "ch_a:1", "code": null, "calls": 2})
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_said_with_its_value_and_moves_nothing() {
    let raw = Raw::start().await;
    let long = "k".repeat(256);
    let (post, put, get) = (Method::POST, Method::PUT, Method::GET);
    let charge = r#"{"amount":{"amount_minor":1,"currency":"KRW"},"payment_method":"tok_ok"}"#;
    let huge = format!("{{\"payment_method\":\"{}\"}}", "x".repeat(100_000));
    #[rustfmt::skip]
    let wrong: &[Wrong<'_>] = &[
        (&post, "/v1/charges", None, charge, 400, "idempotency_key_missing", "Idempotency-Key"),
        (&post, "/v1/refunds", None, "{}", 400, "idempotency_key_missing", "Idempotency-Key"),
        (&post, "/v1/charges/a:1/void", None, "", 400, "idempotency_key_missing", "Idempotency-Key"),
        (&post, "/v1/charges", Some(""), charge, 400, "invalid_idempotency_key", "0 bytes"),
        (&post, "/v1/charges", Some("a b"), charge, 400, "invalid_idempotency_key", "3 bytes"),
        (&post, "/v1/charges", Some(&long), charge, 400, "invalid_idempotency_key", "256 bytes"),
        (&post, "/v1/charges/a:1/void", Some("b:1"), "", 422, "keys_differ", "b:1"),
        (&post, "/v1/charges/%FF/void", Some("b:1"), "", 400, "invalid_path", "UTF-8"),
        (&post, "/v1/charges", Some("a:1"), "", 400, "invalid_json", "EOF"),
        (&post, "/v1/charges", Some("a:1"), "{", 400, "invalid_json", "EOF"),
        (&post, "/v1/charges", Some("a:1"), "amount=1", 400, "invalid_json", "line 1"),
        (&post, "/v1/charges", Some("a:1"), &format!("{charge}x"), 400, "invalid_json", "trailing"),
        (&post, "/v1/charges", Some("a:1"), &huge, 413, "invalid_body", "length limit"),
        (&post, "/v1/charges", Some("a:1"), "{}", 422, "invalid_body", "missing field `amount`"),
        (&post, "/v1/charges", Some("a:1"), &charge.replace("tok_ok\"", "tok_ok\",\"status\":1"), 422, "invalid_body", "unknown field `status`"),
        (&post, "/v1/charges", Some("a:1"), &charge.replace("KRW", "WON"), 422, "invalid_body", "\"WON\" is not an ISO 4217"),
        (&post, "/v1/charges", Some("a:1"), &charge.replace(":1,", ":-1,"), 422, "invalid_body", "outside 0 to"),
        (&post, "/v1/charges", Some("a:1"), &charge.replace(":1,", ":1.5,"), 422, "invalid_body", "amount.amount_minor: "),
        (&post, "/v1/charges", Some("a:1"), &charge.replace(":1,", ":\"1\","), 422, "invalid_body", "amount.amount_minor: "),
        (&post, "/v1/refunds", Some("r:1"), r#"{"charge_ref":7}"#, 422, "invalid_body", "charge_ref: "),
        (&get, "/v1/charges/a%3A1", None, "", 404, "charge_not_found", "a:1"),
        (&put, "/v1/behaviour", None, r#"{"fail_rate":2}"#, 422, "invalid_behaviour", "fail_rate is 2"),
        (&put, "/v1/behaviour", None, r#"{"latency":2}"#, 422, "invalid_body", "unknown field `latency`"),
        (&put, "/v1/behaviour", None, r#"{"latency_min_ms":-2}"#, 422, "invalid_body", "latency_min_ms: "),
        (&get, "/v1/charges", None, "", 405, "method_not_allowed", "GET"),
        (&get, "/v2/charges", None, "", 404, "no_such_route", "/v2/charges"),
    ];
    for (method, path, key, body, status, code, says) in wrong {
        let (answered, problem) = raw.send((*method).clone(), path, *key, body).await;
        let detail = problem["detail"].as_str().unwrap();
        let what = format!("{method} {path} {key:?} {body:.80}: {problem}");
        assert_eq!((answered.as_u16(), problem["code"].as_str().unwrap()), (*status, *code), "{what}");
        assert_eq!(problem["status"], *status, "{what}");
        assert!(detail.contains(says), "{what}");
    }
    assert_eq!(raw.provider.sandbox.entries().await.unwrap(), []);
}

#[tokio::test]
async fn the_document_describes_every_route_and_refers_to_nothing_that_is_missing() {
    let raw = Raw::start().await;
    let (_, document) = raw.send(Method::GET, "/openapi.json", None, "").await;
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = [
        "/v1/charges",
        "/v1/charges/{key}",
        "/v1/charges/{key}/void",
        "/v1/refunds",
        "/v1/ledger",
        "/v1/behaviour",
        "/livez",
        "/readyz",
    ];
    let mut sorted = paths.clone();
    sorted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sorted, expected);
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name} is referred to and missing");
    }
    let money = &schemas["Money"]["properties"];
    assert!(money["amount_minor"].is_object() && money["currency"].is_object(), "{money}");
}
