use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use crate::{
    common::{TestServer, order_of, text},
    staging::settled,
};

#[tokio::test]
async fn the_same_key_and_request_is_answered_as_the_first_time() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Galaxy S").await;
    let place = |key: &'static str, quantity: u32| {
        alice.post_with("/v1/orders", ("idempotency-key", key), order_of("phone", &product, quantity))
    };
    let first = place("k1", 1).await;
    assert_eq!(first.header("idempotent-replayed"), "");
    let head = settled(&server).await;
    let again = place("k1", 1).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotent-replayed"), "true");
    for name in ["location", "etag", "orderstream-position"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    place("k1", 2).await.problem(422, "idempotency_key_reused");
    alice
        .post_with("/v1/orders/x/cancel", ("idempotency-key", "k1"), json!({}))
        .await
        .problem(404, "not_found");
    assert_eq!(server.head().await, head);
    // Another customer's key is another key.
    let bob = server.customer("bob");
    let other = bob.post_with("/v1/orders", ("idempotency-key", "k1"), order_of("phone", &product, 1)).await;
    assert_ne!(other.expect(201)["order_id"], first.body["order_id"]);
    server.stop().await;
}

#[tokio::test]
async fn one_key_sent_by_many_at_once_places_one_order() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Galaxy S").await;
    let place =
        || alice.post_with("/v1/orders", ("idempotency-key", "storm"), order_of("phone", &product, 1));
    let answers = join_all((0..20).map(|_| place())).await;
    let mut placed = Vec::new();
    for answer in answers {
        match answer.status {
            201 => placed.push(answer.expect(201)["order_id"].clone()),
            _ => {
                assert_eq!(answer.header("retry-after"), "1");
                answer.problem(409, "request_in_progress");
            }
        }
    }
    let last = place().await.expect(201);
    assert!(!placed.is_empty() && placed.iter().all(|id| *id == last["order_id"]));
    let orders = alice.get("/v1/orders").await.expect(200);
    assert_eq!(orders["data"].as_array().unwrap().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_declined_order_stays_declined_under_its_key() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Galaxy S").await;
    let mut body = order_of("phone", &product, 1);
    body["payment_method"] = json!("tok_insufficient_funds");
    let place = || alice.post_with("/v1/orders", ("idempotency-key", "poor"), body.clone());
    let first = place().await.problem(402, "payment_declined");
    assert_eq!(first["decline_code"], "insufficient_funds");
    let again = place().await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!(again.problem(402, "payment_declined")["order_id"], first["order_id"]);
    server.stop().await;
}

#[tokio::test]
async fn a_repeat_of_a_step_is_409_unless_its_key_replays_it() {
    let server = TestServer::start().await;
    let (alice, phone) = (server.customer("alice"), server.shop("phone"));
    let product = alice.product("phone", "Charger").await;
    let order = alice.buys("phone", &product, 1).await;
    let path = format!("/v1/orders/{}", text(&order, "order_id"));
    let order = alice.sees(&path, |order| order["delivery"].is_object()).await;
    let accept = format!("/v1/deliveries/{}/accept", text(&order["delivery"], "delivery_id"));
    let keyed = || phone.post_with(&accept, ("idempotency-key", "a"), json!({}));
    let first = keyed().await.expect(200);
    assert_eq!(keyed().await.expect(200), first);
    phone.act(&accept).await.problem(409, "already_accepted");
    phone.post_with(&accept, ("idempotency-key", "b"), json!({})).await.problem(409, "already_accepted");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_loses_only_the_answer() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Galaxy S").await;
    let mut body = order_of("phone", &product, 1);
    body["payment_method"] = json!("tok_slow");
    let request = alice.request(reqwest::Method::POST, "/v1/orders").header("idempotency-key", "gone");
    let hung_up = request.json(&body).timeout(Duration::from_millis(300)).send().await;
    assert!(hung_up.is_err_and(|error| error.is_timeout()));
    let under_way = alice.post_with("/v1/orders", ("idempotency-key", "gone"), body.clone()).await;
    under_way.problem(409, "request_in_progress");
    let order = alice.sees("/v1/orders", |page| page["data"][0]["status"] == "confirmed").await;
    let answer = alice.post_with("/v1/orders", ("idempotency-key", "gone"), body).await;
    assert_eq!(answer.header("idempotent-replayed"), "true");
    assert_eq!(answer.expect(201)["order_id"], order["data"][0]["order_id"]);
    server.stop().await;
}

#[tokio::test]
async fn an_undecided_order_is_202_and_decided_later() {
    let server = TestServer::start_with(|settings| settings.order_wait_ms = 200).await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Galaxy S").await;
    let mut body = order_of("phone", &product, 1);
    body["payment_method"] = json!("tok_slow");
    let place = || alice.post_with("/v1/orders", ("idempotency-key", "slow"), body.clone());
    let answer = place().await;
    let path = answer.header("location");
    assert_eq!(answer.expect(202)["status"], "awaiting_payment");
    let order = alice.sees(&path, |order| order["status"] == "confirmed").await;
    assert_eq!(order["payment"]["status"], "captured");
    // What was not decided was not the last word: the same key asks again.
    assert_eq!(place().await.expect(201)["order_id"], order["order_id"]);
    server.stop().await;
}
