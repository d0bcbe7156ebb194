use serde_json::json;

use crate::common::{TestServer, order_of, text};

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
