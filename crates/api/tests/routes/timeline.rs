use serde_json::Value;

use crate::common::{TestServer, text};

fn words(page: &Value) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|step| text(step, "what").to_owned()).collect()
}

#[tokio::test]
async fn every_step_of_an_order_is_on_its_timeline_in_order() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("books", "Collected Poems").await;
    let order = alice.buys("books", &product, 1).await;
    let path = format!("/v1/orders/{}/timeline", text(&order, "order_id"));
    let all = format!("{path}?limit=100");
    let page = alice.sees(&all, |page| words(page).contains(&"notification.sent".to_owned())).await;
    let steps = words(&page);
    let expected = [
        "order.placed",
        "product.stock_reserved",
        "payment.requested",
        "payment.captured",
        "order.confirmed",
    ];
    let places: Vec<usize> =
        expected.iter().map(|what| steps.iter().position(|step| step == what).unwrap()).collect();
    assert!(places.is_sorted(), "{steps:?}");
    let first = &page["data"][0];
    assert_eq!(
        (&first["actor"], &first["about"]),
        (&Value::from("customer:alice"), &Value::from(format!("order/{}", text(&order, "order_id"))),)
    );
    assert!(text(first, "position").starts_with("0."));
    let page = alice.get(&format!("{path}?limit=2")).await.expect(200);
    let next = alice.get(&format!("{path}?limit=2&cursor={}", text(&page, "next_cursor"))).await.expect(200);
    assert_eq!([words(&page), words(&next)].concat(), steps[..4]);
    server.stop().await;
}

#[tokio::test]
async fn a_customer_follows_everything_of_theirs_newest_first() {
    let server = TestServer::start().await;
    let alice = server.customer("alice");
    let product = alice.product("phone", "Charger").await;
    let first = alice.buys("phone", &product, 1).await;
    let second = alice.buys("phone", &product, 1).await;
    let page = alice.get("/v1/customers/me/timeline?limit=100").await.expect(200);
    let text = page.to_string();
    for order in [&first, &second] {
        assert!(text.contains(order["order_id"].as_str().unwrap()));
    }
    let place = |order: &Value| text.find(order["order_id"].as_str().unwrap());
    assert!(place(&second) < place(&first));
    assert_eq!(alice.get("/v1/customers/alice/timeline").await.status, 200);
    assert_eq!(server.admin().get("/v1/customers/alice/timeline").await.status, 200);
    server.shop("phone").get("/v1/customers/alice/timeline").await.problem(403, "forbidden");
    server.stop().await;
}
