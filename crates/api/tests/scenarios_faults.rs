//! What the five systems before this one got wrong, each as a test that shows we do not have it. Faults that belong to a
//! scenario are tested there: `resort_03_waiting_for_payment_does_not_last_for_ever`,
//! `resort_04_no_night_is_given_to_two_of_200_at_once`, `resort_05_nobody_guesses_the_code_of_a_voucher`,
//! `pizza_10_a_coupon_is_never_invented_in_order_to_revoke_it`, `pizza_one_order_is_never_refunded_twice`,
//! `pizza_nobody_sets_a_status_and_nobody_else_moves_a_delivery` (also: money is no float).
#![allow(clippy::unwrap_used, missing_docs)]

mod world;

use serde_json::{Value, json};
use world::{Person, World, order_of, text};

async fn events(admin: &Person) -> Vec<String> {
    let page = admin.get("/v1/admin/events?limit=1000").await.expect(200);
    page["data"].as_array().unwrap().iter().map(|event| text(event, "type")).collect()
}

fn count(names: &[String], wanted: &str) -> usize {
    names.iter().filter(|name| *name == wanted).count()
}

#[tokio::test]
async fn fault_nothing_is_said_of_what_did_not_happen() {
    let world = World::start().await;
    let (alice, admin) = (world.customer("alice"), world.admin());
    let poems = alice.product("books", "Collected Poems").await;
    let before = events(&admin).await;
    alice.order("books", &poems, 51, "tok_ok").await.problem(409, "out_of_stock");
    let mut dearer = order_of("books", &poems, 1, "tok_ok");
    dearer["expected_total"] = json!({"amount_minor": 1, "currency": "KRW"});
    alice.post("/v1/orders", dearer).await.problem(409, "price_changed");
    assert_eq!(events(&admin).await, before, "a refusal left something on the log");
    assert_eq!(alice.get("/v1/notifications").await.expect(200)["data"], json!([]));
    world.stop().await;
}

#[tokio::test]
async fn fault_one_event_says_one_fact() {
    let world = World::start().await;
    let (alice, admin) = (world.customer("alice"), world.admin());
    let charger = alice.product("phone", "Charger").await;
    let order = alice.buys("phone", &charger, 1).await;
    let paid = events(&admin).await;
    assert_eq!((count(&paid, "payment.captured"), count(&paid, "payment.refunded")), (1, 0));
    alice.cancels(&order).await.expect(200);
    let steps = alice.follows(&order, "order.cancelled").await;
    for once in ["payment.captured", "payment.refunded", "delivery.cancelled", "order.cancelled"] {
        assert_eq!(count(&steps, once), 1, "{once} in {steps:?}");
    }
    world.stop().await;
}

#[tokio::test]
async fn fault_an_edit_neither_cancels_nor_charges_again() {
    let world = World::start().await;
    let (alice, store, admin) = (world.customer("alice"), world.shop("phone"), world.admin());
    let charger = alice.product("phone", "Charger").await;
    let order = alice.buys("phone", &charger, 1).await;
    let product = format!("/v1/products/{charger}");
    let dearer = json!({"name": "Fast Charger", "price": {"amount_minor": 31_000, "currency": "KRW"}});
    store.patch(&product, dearer).await.expect(200);
    let shop = admin.sees("/v1/shops/phone", |_| true).await;
    let mut policy = shop["policy"].clone();
    policy["notify"] = json!(["order_placed"]);
    let put = admin.put("/v1/shops/phone", json!({"name": "Phones and More", "policy": policy})).await;
    assert!(put.status < 300, "{put:?}");
    let shown = alice.sees_order(&order, "/status", "confirmed").await;
    assert_eq!((&shown["total"], &shown["lines"][0]["name"]), (&order["total"], &json!("Charger")));
    let payments = alice.get("/v1/payments").await.expect(200);
    assert_eq!(payments["data"].as_array().unwrap().len(), 1);
    assert_eq!(payments["data"][0]["captured"], order["total"]);
    world.stop().await;
}

#[tokio::test]
async fn fault_a_view_that_comes_late_shows_everything_and_can_be_folded_again() {
    let world = World::start_with(|settings| settings.except = vec!["orders".to_owned()]).await;
    let alice = world.customer("alice");
    let charger = alice.product("phone", "Charger").await;
    let answer = alice.order("phone", &charger, 1, "tok_ok").await.expect(201);
    alice.cancels(&answer).await;
    let world = world.restart_with(|_| {}).await;
    let (alice, admin) = (world.customer("alice"), world.admin());
    // The cancellation came before the row that it changes.
    alice.sees_order(&answer, "/status", "cancelled").await;
    admin.act("/v1/admin/projections/orders/rebuild").await.expect(202);
    let done = |page: &Value| {
        let views = page["data"].as_array().unwrap();
        views.iter().any(|view| view["name"] == "orders" && view["build"].as_u64() > Some(1))
    };
    admin.sees("/v1/admin/projections", done).await;
    alice.sees_order(&answer, "/status", "cancelled").await;
    world.stop().await;
}

#[tokio::test]
async fn fault_another_sites_page_is_not_let_in() {
    let world = World::start().await;
    let client = reqwest::Client::new();
    let url = format!("{}/v1/products", world.url());
    let ask = |method| client.request(method, &url).header("Origin", "https://elsewhere.example");
    for method in [reqwest::Method::GET, reqwest::Method::OPTIONS] {
        let answer = ask(method).send().await.unwrap();
        assert_eq!(answer.headers().get("access-control-allow-origin"), None);
    }
    world.stop().await;
}
