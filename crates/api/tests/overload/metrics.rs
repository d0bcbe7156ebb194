//! `/metrics` and `/v1/admin/gateway`.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::json;

use crate::{
    common::{TestServer, order_of},
    provider::{Provider, endless, refused, until},
};

/// Every number by its name with its labels.
type Numbers = BTreeMap<String, f64>;

/// Reads the text format, strictly: each family once, HELP and TYPE before its numbers, each number once.
fn parse(text: &str) -> Numbers {
    let (mut numbers, mut families, mut family, mut kind) =
        (Numbers::new(), BTreeSet::new(), String::new(), "");
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            assert!(name.starts_with("orderstream_") && help.ends_with('.'), "{line}");
            assert!(families.insert(name.to_owned()), "{name} twice");
            name.clone_into(&mut family);
        } else if let Some(of) = line.strip_prefix("# TYPE ") {
            let (name, of) = of.split_once(' ').unwrap();
            assert_eq!(name, family);
            assert_eq!(of == "counter", name.ends_with("_total"), "{name} is a {of}");
            kind = ["counter", "gauge", "histogram"].into_iter().find(|known| *known == of).unwrap();
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            let suffixes: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.iter().any(|end| name == format!("{family}{end}")), "{line} in {family}");
            assert!(series.contains('{') == series.ends_with('}'), "{line}");
            assert!(numbers.insert(series.to_owned(), value.parse().unwrap()).is_none(), "{series} twice");
        }
    }
    numbers
}

async fn numbers(server: &TestServer) -> Numbers {
    let answer = server.nobody().get("/metrics").await;
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    parse(answer.expect(200).as_str().unwrap())
}

#[tokio::test]
async fn the_numbers_follow_what_happens() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    alice.buys("phone", &product, 1).await;
    alice.get("/v1/orders/nonsense").await;
    server.nobody().get("/no/such/place").await.problem(404, "no_such_route");
    let head = server.head().await;
    until("the numbers follow", async || {
        numbers(&server).await["orderstream_process_position{process=\"checkout\"}"] >= 1.0
    })
    .await;
    let numbers = numbers(&server).await;
    let number = |name: &str| *numbers.get(name).unwrap_or_else(|| panic!("no {name} in {numbers:#?}"));
    let orders = "method=\"POST\",route=\"/v1/orders\"";
    assert_eq!(number(&format!("orderstream_http_requests_total{{{orders},status=\"201\"}}")), 1.0);
    assert_eq!(number(&format!("orderstream_http_request_duration_seconds_count{{{orders}}}")), 1.0);
    let one =
        "orderstream_http_requests_total{method=\"GET\",route=\"/v1/orders/{order_id}\",status=\"404\"}";
    assert_eq!(number(one), 1.0);
    assert_eq!(number("orderstream_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"}"), 1.0);
    assert!(!numbers.keys().any(|name| name.contains("nonsense") || name.contains("such")));
    assert!(number("orderstream_log_head_position") >= head as f64);
    assert!(number("orderstream_log_commits_total") >= 1.0);
    assert!(number("orderstream_log_events_total") >= number("orderstream_log_batches_total"));
    assert_eq!(number("orderstream_payments_available"), 1.0);
    assert_eq!(number("orderstream_process_running{process=\"payments\"}"), 1.0);
    assert_eq!(number("orderstream_process_instances{process=\"payments\",state=\"stuck\"}"), 0.0);
    assert!(number("orderstream_view_position{view=\"orders\"}") >= 1.0);
    assert_eq!(number("orderstream_view_state{view=\"orders\",state=\"stopped\"}"), 0.0);
    assert_eq!(number("orderstream_http_requests_under_way{class=\"operators\"}"), 1.0);
    assert!(number("orderstream_connections") >= 1.0);
    server.stop().await;
}

#[tokio::test]
async fn an_open_breaker_shows_in_metrics_and_to_operators() {
    let provider = Provider::start().await;
    let server = provider.platform(|settings| settings.gateway.breaker.open_ms = 600_000).await;
    let alice = server.customer("alice");
    let body = order_of("pizza", &endless(&server).await, 1);
    assert_eq!(numbers(&server).await["orderstream_payments_breaker_state"], 0.0);
    provider.is_away(true);
    for _ in 0..12 {
        let (alice, body) = (alice.clone(), body.clone());
        tokio::spawn(async move { alice.post("/v1/orders", body).await });
    }
    until("the breaker is open", async || {
        numbers(&server).await["orderstream_payments_breaker_state"] == 2.0
    })
    .await;
    refused(alice.post("/v1/orders", body).await, 503, "payment_unavailable");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let numbers = numbers(&server).await;
    assert_eq!(numbers["orderstream_payments_breaker_opened_total"], 1.0);
    assert_eq!(numbers["orderstream_payments_available"], 0.0);
    let refused = "orderstream_http_refused_total{class=\"commands\",reason=\"payment_unavailable\"}";
    assert!(numbers[refused] >= 1.0);
    let admin = server.admin().get("/v1/admin/gateway").await.expect(200);
    assert_eq!((&admin["provider"], &admin["guard"]["state"]), (&json!("http"), &json!("open")));
    assert_eq!(admin["availability"]["available"], false);
    assert!(admin["availability"]["retry_after_ms"].as_u64().unwrap() > 1_000);
    assert_eq!(admin["options"]["breaker"]["open_ms"], 600_000);
    assert_eq!(admin["guard"]["places"], 128);
    alice.get("/v1/admin/gateway").await.problem(403, "forbidden");
    server.stop().await;
    provider.stop().await;
}

#[tokio::test]
async fn a_process_without_the_api_has_numbers_too() {
    let server = TestServer::start_with(|settings| settings.except = vec!["api".to_owned()]).await;
    let numbers = numbers(&server).await;
    assert!(numbers.contains_key("orderstream_process_lag{process=\"checkout\"}"), "{numbers:?}");
    server.stop().await;
}
