//! Requests under way are bounded by class; those that wait for the provider once more.

use std::time::{Duration, Instant};

use futures::future::join_all;
use orderstream::auth::Role;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    common::{PATIENCE, TestServer, order_of, text},
    provider::{Provider, answer_of, endless, hanging, keyed, later, pay_path, refused, under_way, until},
};

#[tokio::test]
async fn commands_beyond_the_bound_are_refused_while_reads_and_operators_are_served() {
    let server = TestServer::start_with(|settings| settings.admission.commands = 2).await;
    let (alice, token) = (server.customer("alice"), server.token("alice", Role::Customer, None));
    let product = alice.product("phone", "Charger").await;
    let head = server.head().await;
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(hanging(&server, &token, "POST /v1/orders").await);
    }
    until("both hold a place", async || under_way(&server, "commands").await == 2.0).await;
    let body = order_of("phone", &product, 1);
    let problem = refused(keyed(&alice, "/v1/orders", "k", &body).await, 503, "overloaded");
    assert!(problem["detail"].as_str().unwrap().contains("commands"), "{problem}");
    // By class alone: not even the token is looked at.
    refused(server.nobody().post("/v1/orders", body.clone()).await, 503, "overloaded");
    refused(alice.act("/v1/vouchers/x/send").await, 503, "overloaded");
    alice.get("/v1/orders").await.expect(200);
    server.nobody().get("/livez").await.expect(200);
    server.nobody().get("/readyz").await.expect(200);
    server.admin().get("/v1/admin/processes").await.expect(200);
    server.admin().act("/v1/admin/projections/orders/verify").await.expect(202);
    assert_eq!(server.head().await, head, "a refusal left something on the log");
    drop(held);
    until("the places are free", async || under_way(&server, "commands").await == 0.0).await;
    let order = keyed(&alice, "/v1/orders", "k", &body).await;
    assert_eq!(order.header("idempotent-replayed"), "", "the refusal was remembered");
    assert_eq!(order.expect(201)["status"], "confirmed");
    server.stop().await;
}

#[tokio::test]
async fn reads_and_streams_have_places_of_their_own() {
    let server = TestServer::start_with(|settings| {
        (settings.admission.streams, settings.admission.reads) = (1, 1);
        settings.except = vec!["view:refunds".to_owned()];
    })
    .await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    let order = alice.buys("phone", &product, 1).await;
    let path = format!("/v1/orders/{}/stream", text(&order, "order_id"));
    let stream = alice.request(reqwest::Method::GET, &path).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let second = timeout(PATIENCE, alice.get(&path)).await.expect("an answer that ends");
    refused(second, 503, "overloaded");
    alice.get("/v1/orders").await.expect(200);
    drop(stream);
    until("the stream's place is free", async || under_way(&server, "streams").await == 0.0).await;
    // A read that waits for a view holds the one place.
    let far = format!("/v1/refunds?min_position=0.{}", server.head().await);
    let (waits, other) = tokio::join!(alice.get(&far), async {
        until("it waits", async || under_way(&server, "reads").await == 1.0).await;
        alice.get("/v1/orders").await
    });
    refused(other, 503, "overloaded");
    assert_ne!(waits.body["code"], "overloaded");
    alice.get("/v1/orders").await.expect(200);
    server.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_gives_its_place_back() {
    let server = TestServer::start_with(|settings| {
        (settings.admission.commands, settings.admission.body_wait_ms) = (1, 200);
    })
    .await;
    let token = server.token("alice", Role::Customer, None);
    let mut slow = hanging(&server, &token, "POST /v1/orders").await;
    let answer = answer_of(&mut slow).await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("body_too_slow"), "{answer}");
    until("the place is free", async || under_way(&server, "commands").await == 0.0).await;
    server.stop().await;
}

#[tokio::test]
async fn only_so_many_wait_for_the_provider_and_who_does_not_need_it_is_served() {
    let provider = Provider::start().await;
    let server = provider.platform(|settings| settings.admission.waiting_for_payment = 2).await;
    let (alice, bob) = (server.customer("alice"), server.customer("bob"));
    let (pizza, sofa) = (endless(&server).await, later(&server).await);
    let deferred = bob.post("/v1/orders", order_of("later", &sofa, 1)).await.expect(201);
    provider.takes(1_500);
    let body = order_of("pizza", &pizza, 1);
    let waiting = async || server.admin().get("/v1/admin/gateway").await.expect(200)["waiting"].clone();
    let placed = join_all((0..2).map(|_| alice.post("/v1/orders", body.clone())));
    let meanwhile = async {
        until("two wait", async || waiting().await["under_way"] == 2).await;
        let head = settled(&server).await;
        let begun = Instant::now();
        refused(keyed(&bob, "/v1/orders", "order", &body).await, 503, "overloaded");
        let took = begun.elapsed();
        // Less than a charge takes.
        assert!(took < Duration::from_millis(1_000), "a refusal took {took:?}");
        let method = json!({"payment_method": "tok_ok"});
        refused(keyed(&bob, &pay_path(&deferred), "pay", &method).await, 503, "overloaded");
        assert_eq!(server.head().await, head, "a refusal left something on the log");
        bob.post("/v1/orders", order_of("later", &sofa, 1)).await.expect(201);
    };
    let (placed, ()) = tokio::join!(placed, meanwhile);
    placed.into_iter().for_each(|order| assert_eq!(order.expect(201)["status"], "confirmed"));
    assert_eq!(waiting().await, json!({"under_way": 0, "places": 2}));
    provider.takes(0);
    let order = keyed(&bob, "/v1/orders", "order", &body).await;
    assert_eq!((order.header("idempotent-replayed").as_str(), order.status), ("", 201));
    let method = json!({"payment_method": "tok_ok"});
    keyed(&bob, &pay_path(&deferred), "pay", &method).await.expect(200);
    server.stop().await;
    provider.stop().await;
}

/// The log's head once nothing more happens by itself for a moment.
async fn settled(server: &TestServer) -> u64 {
    let mut head = server.head().await;
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        match server.head().await {
            same if same == head => return head,
            newer => head = newer,
        }
    }
}
