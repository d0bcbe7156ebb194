use serde_json::json;

use crate::{
    common::{TestServer, order_of, text},
    staging::{eaten, ordered, path_of, refund, resort, stay},
};

#[tokio::test]
async fn erased_contacts_show_as_erased_everywhere_and_break_nothing() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    let place = || alice.post_with("/v1/orders", ("idempotency-key", "k"), order_of("phone", &product, 1));
    let order = place().await.expect(201);
    let path = format!("/v1/orders/{}", text(&order, "order_id"));
    alice.post(&format!("{path}/cancel"), json!({"reason": "my reason"})).await.expect(200);
    server.customer("bob").delete("/v1/customers/alice/contacts").await.problem(404, "not_found");
    server.shop("phone").delete("/v1/customers/alice/contacts").await.problem(403, "forbidden");
    alice.delete("/v1/customers/me/contacts").await.expect(204);
    for reader in [&alice, &server.shop("phone"), &server.admin()] {
        let order = reader.get(&path).await.expect(200);
        assert_eq!(order["recipient"], json!({"erased": true}));
        assert_eq!(order["cancellation"]["reason"], "erased");
        let page = reader.get("/v1/orders").await.expect(200);
        assert_eq!(page["data"][0]["recipient"], json!({"erased": true}));
    }
    let replayed = place().await;
    assert_eq!(replayed.header("idempotent-replayed"), "true");
    assert_eq!(replayed.expect(201)["recipient"], json!({"erased": true}));
    let past = alice.get(&format!("{path}?at_position={}", text(&order, "position"))).await.expect(200);
    assert_eq!((&past["status"], &past["recipient"]), (&json!("confirmed"), &json!({"erased": true})));
    // Nothing personal is in the events.
    let events = server.admin().get("/v1/admin/events?limit=1000").await.expect(200).to_string();
    for personal in ["Kim Min-ji", "010-1234-5678", "Sejong-daero", "my reason", "tok_ok"] {
        assert!(!events.contains(personal), "{personal} is in an event");
    }
    server.stop().await;
}

#[tokio::test]
async fn contacts_that_were_left_behind_show_as_erased() {
    if crate::common::on_postgres() {
        // The rows are taken away by hand, from the file.
        return;
    }
    let server = TestServer::start().await;
    let grace = server.customer("grace");
    let order = eaten(&server, 1).await;
    let refund = refund(&server, &order, None).await;
    let off = ordered(&server, "pizza", "Four Cheese", 1).await;
    let delivery = path_of("delivery", &off["delivery"]);
    server
        .shop("pizza")
        .post(&format!("{delivery}/cancel"), json!({"reason": "no cheese"}))
        .await
        .expect(200);
    let house = resort(&server, json!({})).await;
    let reserved = grace.post("/v1/reservations", stay(&house, 3, 5)).await.expect(201);
    let cancel = format!("{}/cancel", path_of("reservation", &reserved));
    grace.post(&cancel, json!({"reason": "rain"})).await.expect(200);
    // As after an import: the events are there, the rows are not.
    let accounts = rusqlite::Connection::open(server.folder.path().join("accounts.db")).unwrap();
    assert!(accounts.execute("DELETE FROM contacts", []).unwrap() >= 5);
    drop(accounts);
    let server = server.restart_with(|_| {}).await;
    let (grace, pizza) = (server.customer("grace"), server.shop("pizza"));
    let gone = json!({"erased": true});
    let order = grace.get(&path_of("order", &order)).await.expect(200);
    assert_eq!((&order["recipient"], &order["refunds"][0]["reason"]), (&gone, &json!("erased")));
    assert_eq!(grace.get(&path_of("refund", &refund)).await.expect(200)["reason"], "erased");
    assert_eq!(pizza.get(&delivery).await.expect(200)["reason"], "erased");
    let stay = grace.get(&path_of("reservation", &reserved)).await.expect(200);
    assert_eq!((&stay["guest"], &stay["cancellation"]["reason"]), (&gone, &json!("erased")));
    // Where nobody gave a reason there is none.
    let whole = pizza.get(&path_of("delivery", &order["delivery"])).await.expect(200);
    assert_eq!(whole["reason"], json!(null));
    server.stop().await;
}
