//! Each principal has a rate, and is told of it.

use std::time::{Duration, Instant};

use orderstream::Settings;
use serde_json::json;

use crate::{
    common::{PATIENCE, TestServer, order_of},
    provider::{keyed, refused},
};

fn two_at_once(settings: &mut Settings) {
    let customers = &mut settings.admission.customers;
    (customers.commands_per_second, customers.commands_burst) = (2, 2);
    (customers.reads_per_second, customers.reads_burst) = (1_000, 2_000);
}

#[tokio::test]
async fn a_principal_over_its_rate_is_told_to_wait_while_another_is_served() {
    let server = TestServer::start_with(two_at_once).await;
    let (alice, bob) = (server.customer("alice"), server.customer("bob"));
    let product = alice.product("phone", "Charger").await;
    let body = order_of("phone", &product, 1);
    let first = alice.post("/v1/orders", body.clone()).await;
    assert_eq!(first.header("ratelimit-policy"), "\"commands\";q=2;w=1");
    assert_eq!(first.header("ratelimit"), "\"commands\";r=1;t=1");
    first.expect(201);
    // Whatever is asked counts, also what is refused for another reason.
    alice.post("/v1/orders", json!({})).await.problem(422, "invalid_body");
    let mut answer = keyed(&alice, "/v1/orders", "k", &body).await;
    let begun = Instant::now();
    while answer.status == 201 {
        assert!(begun.elapsed() < PATIENCE, "never refused");
        answer = alice.post("/v1/orders", body.clone()).await;
    }
    assert_eq!(answer.header("ratelimit-policy"), "\"commands\";q=2;w=1");
    assert_eq!(answer.header("ratelimit"), "\"commands\";r=0;t=1");
    assert_eq!(answer.header("retry-after"), "1");
    let problem = refused(answer, 429, "rate_limited");
    assert!(problem["detail"].as_str().unwrap().contains("2 commands a second"), "{problem}");
    bob.post("/v1/orders", body.clone()).await.expect(201);
    let read = alice.get("/v1/orders").await;
    assert!(read.header("ratelimit-policy").starts_with("\"reads\";q=2000"));
    read.expect(200);
    tokio::time::sleep(Duration::from_millis(1_050)).await;
    alice.post("/v1/orders", body).await.expect(201);
    server.stop().await;
}

#[tokio::test]
async fn a_refusal_for_the_rate_is_not_remembered_under_the_key() {
    let server = TestServer::start_with(two_at_once).await;
    let alice = server.customer("alice");
    let body = order_of("phone", &alice.product("phone", "Charger").await, 1);
    for n in 0.. {
        let key = format!("k{n}");
        let answer = keyed(&alice, "/v1/orders", &key, &body).await;
        if answer.status == 429 {
            tokio::time::sleep(Duration::from_millis(1_050)).await;
            let again = keyed(&alice, "/v1/orders", &key, &body).await;
            assert_eq!((again.status, again.header("idempotent-replayed").as_str()), (201, ""));
            break;
        }
        assert!(n < 50, "never refused");
    }
    server.stop().await;
}

#[tokio::test]
async fn whoever_has_no_limit_is_told_nothing_of_limits() {
    let server = TestServer::start_with(|settings| {
        settings.admission.customers.reads_per_second = 0;
    })
    .await;
    let answer = server.customer("alice").get("/v1/orders").await;
    assert_eq!((answer.header("ratelimit"), answer.header("ratelimit-policy")), Default::default());
    let unknown = server.nobody().get("/v1/orders").await;
    assert_eq!(unknown.header("ratelimit"), "");
    unknown.problem(401, "token_missing");
    server.stop().await;
}
