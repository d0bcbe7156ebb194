use serde_json::Value;

use crate::common::{TestServer, order_of, text};

/// Orders until the log is full; the answers that were 201, and the first that was not.
async fn order_until_full(server: &TestServer) -> (Vec<Value>, crate::common::Answer) {
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    let mut taken = Vec::new();
    loop {
        let answer = alice.post("/v1/orders", order_of("phone", &product, 1)).await;
        if answer.status == 503 {
            return (taken, answer);
        }
        // An order may be placed with the last free page and not be decided any more: 202.
        assert!(matches!(answer.status, 201 | 202), "{}", answer.body);
        taken.push(answer.body);
        assert!(taken.len() < 2_000, "the log is never full");
    }
}

#[tokio::test]
async fn a_full_disk_refuses_commands_with_503_and_loses_nothing() {
    if crate::common::on_postgres() {
        // Only a file of ours has a bound.
        return;
    }
    let server = TestServer::start_with(|settings| {
        settings.log_max_mib = 1;
        settings.order_wait_ms = 300;
    });
    let server = server.await;
    let (taken, refused) = order_until_full(&server).await;
    assert_eq!(refused.header("retry-after").parse::<u64>().map(|secs| secs > 0), Ok(true));
    refused.problem(503, "storage_full");
    assert!(taken.len() > 20, "{} orders fitted", taken.len());
    let (alice, nobody) = (server.customer("alice"), server.nobody());
    nobody.get("/livez").await.expect(200);
    nobody.get("/readyz").await.problem(503, "not_ready");
    alice.get(&format!("/v1/orders/{}", text(&taken[0], "order_id"))).await.expect(200);

    // There is room again: all that was taken is there, and goes on to a decided state.
    let server = server.restart_with(|_| {}).await;
    let alice = server.customer("alice");
    for order in &taken {
        let path = format!("/v1/orders/{}", text(order, "order_id"));
        alice.sees(&path, |order| order["status"] == "confirmed" && order["delivery"].is_object()).await;
    }
    let product = alice.product("phone", "Charger").await;
    alice.post("/v1/orders", order_of("phone", &product, 1)).await.expect(201);
    server.stop().await;
}
