//! Many at once over HTTP: whoever wins, goods and money are right afterwards.

use std::time::{Duration, Instant};

use futures::future::{join, join_all};
use orderstream::Settings;
use serde_json::{Value, json};

use crate::{
    common::{TestServer, order_of, text},
    staging::{ordered, path_of, steps},
};

/// What the provider took, less what it gave back.
async fn net(server: &TestServer) -> i64 {
    let entries = server.server.platform().sandbox().entries().await.unwrap();
    let moved = entries.iter().filter(|entry| entry.code.is_none());
    let signed = |entry: &gateway::LedgerEntry| match entry.kind {
        gateway::LedgerKind::Refund => -entry.amount_minor,
        _ => entry.amount_minor,
    };
    moved.map(signed).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_orders_for_the_last_ten_pieces_sell_exactly_ten() {
    let server = TestServer::start().await;
    let product = server.shop("phone").lists("phone", "Last ones", 500, Some(10)).await;
    let orders = (0..200).map(|number| {
        let (customer, body) = (server.customer(&format!("buyer-{number}")), order_of("phone", &product, 1));
        async move { customer.post("/v1/orders", body).await }
    });
    let mut sold = 0;
    for answer in join_all(orders).await {
        match answer.status {
            201 => sold += 1,
            _ => drop(answer.problem(409, "out_of_stock")),
        }
    }
    assert_eq!(sold, 10);
    let path = format!("/v1/products/{product}");
    server.nobody().sees(&path, |product| product["stock"] == 0 && product["reserved"] == 10).await;
    let confirmed = server.admin().get("/v1/orders?status=confirmed&limit=100").await.expect(200);
    assert_eq!(confirmed["data"].as_array().unwrap().len(), 10);
    assert_eq!(net(&server).await, 10 * 500);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_cancellation_and_a_shipment_at_once_exactly_one_wins() {
    let server = TestServer::start().await;
    let (grace, phone) = (server.customer("grace"), server.shop("phone"));
    let product = grace.product("phone", "Galaxy S").await;
    let mut shipped = 0;
    for round in 0..20 {
        let order = ordered(&server, "phone", "Galaxy S", 1).await;
        steps(&server, &order, &["accept"]).await;
        let (path, ship) =
            (path_of("order", &order), format!("{}/ship", path_of("delivery", &order["delivery"])));
        let cancel = format!("{path}/cancel");
        // A cancellation has a longer way to the delivery: the shipment is held up for longer from round to round.
        let later = async {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_micros(200 * round) {
                tokio::task::yield_now().await;
            }
            phone.act(&ship).await
        };
        let (ship, cancel) = join(later, grace.act(&cancel)).await;
        let left = ship.status == 200;
        assert_ne!(left, cancel.status < 300, "round {round}: {ship:?} {cancel:?}");
        if left {
            shipped += 1;
            cancel.problem(409, "too_late_to_cancel");
            let is =
                |order: &Value| order["status"] == "confirmed" && order["delivery"]["status"] == "shipped";
            let order = grace.sees(&path, is).await;
            assert_eq!(order["payment"]["captured"], order["total"]);
            assert_eq!(order["payment"]["status"], "captured");
        } else {
            ship.problem(409, "illegal_transition");
            let is =
                |order: &Value| order["status"] == "cancelled" && order["payment"]["status"] == "refunded";
            let order = grace.sees(&path, is).await;
            assert_eq!(order["payment"]["refunded"], order["total"]);
            assert_eq!(order["delivery"]["status"], "cancelled");
        }
    }
    println!("{shipped} of 20 were shipped");
    let path = format!("/v1/products/{product}");
    let adds_up = |row: &Value| row["stock"] == 1000 - shipped && row["reserved"] == 0;
    let row = grace.sees(&path, adds_up).await;
    assert_eq!(net(&server).await, i64::from(shipped) * row["price"]["amount_minor"].as_i64().unwrap());
    server.stop().await;
}

#[tokio::test]
async fn an_order_that_is_cancelled_while_its_payment_is_slow_costs_nothing() {
    let quick = |settings: &mut Settings| settings.order_wait_ms = 200;
    let server = TestServer::start_with(quick).await;
    let grace = server.customer("grace");
    let product = grace.product("phone", "Galaxy S").await;
    let mut body = order_of("phone", &product, 2);
    body["payment_method"] = json!("tok_slow");
    let placed = grace.post("/v1/orders", body).await.expect(202);
    let path = path_of("order", &placed);
    assert_eq!(placed["status"], "awaiting_payment");
    let cancelled = grace.act(&format!("{path}/cancel")).await;
    assert!([200, 202].contains(&cancelled.status), "{cancelled:?}");
    grace.act(&format!("{path}/cancel")).await.problem(409, "already_cancelled");
    let over = |order: &Value| {
        order["status"] == "cancelled" && ["voided", "refunded"].contains(&text(&order["payment"], "status"))
    };
    let order = grace.sees(&path, over).await;
    assert_eq!(order["delivery"], Value::Null);
    assert_eq!(net(&server).await, 0);
    let back = |row: &Value| row["stock"] == 1000 && row["reserved"] == 0;
    grace.sees(&format!("/v1/products/{product}"), back).await;
    server.stop().await;
}
