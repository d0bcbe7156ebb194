use serde_json::{Value, json};

use crate::common::{Client, TestServer};

/// Every list that can be narrowed by a status: where, the words it knows, and who asks.
const BY_STATUS: [(&str, &str); 10] = [
    ("/v1/orders", "awaiting_payment confirmed cancelling cancelled rejected completed"),
    (
        "/v1/payments",
        "requested capturing captured declined voided expired refunding partially_refunded refunded",
    ),
    ("/v1/deliveries", "requested accepted preparing shipped delivered returning returned failed cancelled"),
    ("/v1/products", "listed withdrawn all"),
    ("/v1/shops", "open closed"),
    ("/v1/resorts", "open retired all"),
    ("/v1/reservations", "requested awaiting_payment paid cancelling cancelled expired refused completed"),
    ("/v1/refunds", "requested returning completed cancelled refused"),
    ("/v1/coupons", "issued withheld redeemed revoked"),
    ("/v1/vouchers", "issued sent deactivated"),
];

async fn refusal(client: &Client, query: &str) -> String {
    let problem = client.get(query).await.problem(400, "invalid_query");
    problem["detail"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_status_that_does_not_exist_is_refused_and_those_that_do_are_named() {
    let server = TestServer::start().await;
    let admin = server.admin();
    for (path, words) in BY_STATUS {
        for wrong in ["lost", "", "Open", "confirmed,cancelled"] {
            let detail = refusal(&admin, &format!("{path}?status={wrong}")).await;
            assert!(
                detail.starts_with("status: ") && detail.contains(&format!("`{wrong}`")),
                "{path}: {detail}"
            );
            for word in words.split(' ') {
                assert!(detail.contains(&format!("`{word}`")), "{path} does not name {word}: {detail}");
            }
        }
        for word in words.split(' ') {
            admin.get(&format!("{path}?status={word}")).await.expect(200);
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_status_narrows_the_list() {
    let server = TestServer::start().await;
    let (admin, alice) = (server.admin(), server.customer("alice"));
    let product = alice.product("phone", "Charger").await;
    alice.buys("phone", &product, 1).await;
    let found = async |query: &str| admin.get(query).await.expect(200)["data"].as_array().unwrap().len();
    assert_eq!(found("/v1/orders?status=confirmed&shop_id=phone").await, 1);
    assert_eq!(found("/v1/orders?status=confirmed&shop_id=books").await, 0);
    assert_eq!(found("/v1/orders?status=cancelled").await, 0);
    assert_eq!(found("/v1/payments?status=captured").await, 1);
    assert_eq!(found("/v1/shops?status=closed").await, 0);
    let listed = found("/v1/products?limit=100").await;
    assert_eq!(found("/v1/products?status=listed&limit=100").await, listed);
    server.shop("phone").delete(&format!("/v1/products/{product}")).await.expect(204);
    let withdrawn = admin.get("/v1/products?status=withdrawn").await.expect(200);
    assert_eq!(withdrawn["data"][0]["product_id"], json!(product));
    assert_eq!(found("/v1/products?limit=100").await, listed - 1);
    assert_eq!(found("/v1/products?status=all&limit=100").await, listed);
    server.stop().await;
}

#[tokio::test]
async fn a_shop_that_is_no_slug_is_refused_and_one_that_does_not_exist_has_nothing() {
    let server = TestServer::start().await;
    let admin = server.admin();
    for path in [
        "/v1/orders",
        "/v1/payments",
        "/v1/deliveries",
        "/v1/products",
        "/v1/notifications",
        "/v1/refunds",
        "/v1/coupons",
        "/v1/admin/figures",
    ] {
        for wrong in ["No%20Where", "", "phone/", "%00"] {
            let detail = refusal(&admin, &format!("{path}?shop_id={wrong}")).await;
            assert!(detail.starts_with("shop_id: "), "{path}: {detail}");
        }
        let page = admin.get(&format!("{path}?shop_id=nowhere")).await.expect(200);
        assert_eq!(page["data"], json!([]), "{path}");
    }
    server.stop().await;
}

#[test]
fn the_document_shows_the_words_of_every_status() {
    let document = orderstream::routes::document();
    for (path, words) in BY_STATUS {
        let parameters = document["paths"][path]["get"]["parameters"].as_array().unwrap();
        let status = parameters.iter().find(|parameter| parameter["name"] == "status").unwrap();
        assert_eq!(status["required"], false, "{path}");
        let shown = words_of(&status["schema"]);
        for word in words.split(' ') {
            assert!(shown.contains(&json!(word)), "{path} does not show {word}: {status}");
        }
        assert_eq!(shown.len(), words.split(' ').count(), "{path} shows more: {status}");
    }
}

/// The words of an enum, which may be one of several ways.
fn words_of(schema: &Value) -> Vec<Value> {
    let ways = ["oneOf", "anyOf"].iter().filter_map(|way| schema[way].as_array()).flatten();
    let inner = ways.flat_map(words_of);
    schema["enum"].as_array().into_iter().flatten().cloned().chain(inner).collect()
}
