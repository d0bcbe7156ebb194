//! Requests that begin again: after a crash in between, or because they were not decided in time.

use std::time::Duration;

use orderstream::accounts::{Begin, Begun, KeyedRequest, RequestIds};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    common::{Answer, Client, TestServer, text},
    staging::{Quiet, ordered, pay_path, refunds_path, resort, stay, wish},
};

const KEY: &str = "again";

/// Grace's request under the key, as if an earlier run of it had ended before it did anything.
async fn began(server: &TestServer, path: &str, body: &Value) {
    let mut hash = Sha256::new();
    for part in ["POST".as_bytes(), path.as_bytes(), body.to_string().as_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let app = server.server.platform().app();
    let ids = RequestIds { command_id: app.ids.next_anywhere(), minted: app.ids.next_anywhere() };
    let keyed = KeyedRequest {
        space: "customer:grace:".to_owned(),
        key: KEY.to_owned(),
        hash: hash.finalize().into(),
    };
    let begin = Begin { keyed: Some(keyed), ids, again: false, lease: Duration::ZERO, contact: None };
    assert_eq!(app.accounts.begin(begin).await.unwrap(), Begun::Go);
}

/// The same request once more.
async fn post(who: &Client, path: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let request = who.request(reqwest::Method::POST, path).header("idempotency-key", KEY);
    who.send(request.header("content-type", "application/json").body(body)).await
}

#[tokio::test]
async fn a_refund_that_was_never_asked_for_is_checked_when_its_request_begins_again() {
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let order = ordered(&server, "pizza", "Four Cheese", 1).await;
    let (path, body) = (refunds_path(&order), wish(&order, None));
    began(&server, &path, &body).await;
    Quiet::of(&server).await.refuses(post(&grace, &path, &body), 409, "not_delivered").await;
    server.stop().await;
}

#[tokio::test]
async fn a_stay_that_was_never_asked_for_is_checked_when_its_request_begins_again() {
    let server = TestServer::start().await;
    let (grace, henry) = (server.customer("grace"), server.customer("henry"));
    let house = resort(&server, json!({})).await;
    henry.post("/v1/reservations", stay(&house, 3, 5)).await.expect(201);
    let (path, body) = ("/v1/reservations", stay(&house, 4, 6));
    began(&server, path, &body).await;
    Quiet::of(&server).await.refuses(post(&grace, path, &body), 409, "nights_taken").await;
    server.stop().await;
}

#[tokio::test]
async fn an_end_is_found_however_much_stands_before_it() {
    let server = TestServer::start_with(|settings| settings.order_wait_ms = 500).await;
    let grace = server.customer("grace");
    let house = resort(&server, json!({})).await;
    let reserved = grace.post("/v1/reservations", stay(&house, 3, 5)).await.expect(201);
    let path = pay_path(&reserved);
    let payment = format!("/v1/payments/{}", text(&reserved["payment"], "payment_id"));
    // Two events each.
    for _ in 0..40 {
        let declined = grace.post(&path, json!({"payment_method": "tok_declined"})).await;
        if declined.status == 202 {
            // On a slow disk.
            grace.sees(&payment, |payment| payment["status"] != "capturing").await;
        } else {
            declined.problem(402, "payment_declined");
        }
    }
    let slow = json!({"payment_method": "tok_slow"});
    assert_eq!(post(&grace, &path, &slow).await.status, 202);
    grace.sees(&payment, |payment| payment["status"] == "captured").await;
    assert_eq!(post(&grace, &path, &slow).await.expect(200)["status"], "captured");
    server.stop().await;
}
