//! Whatever the body of a request is, the answer is in order, and the platform answers afterwards.
#![allow(clippy::unwrap_used, missing_docs)]

use bolero::check;
use domain::audit::Audit;
use orderstream::auth::Role;
use orderstream_fuzz::{
    edit::{Edit, Scratch, changed},
    scratch::{Platforms, ROLES, order, resort, stay},
    time,
};
use serde_json::{Value, json};

/// An operation with a body: method, path, a good body, who may.
type Operation = (&'static str, String, Value, Role);

/// Every operation of the document that changes something, its path made of things that are there.
fn operations(all: &Platforms) -> Vec<Operation> {
    let document = orderstream::routes::document();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in ["post", "put", "patch", "delete"] {
            if methods.get(method).is_some() {
                let (body, role) = good(all, method, path);
                found.push((method, concrete(all, path), body, role));
            }
        }
    }
    found
}

fn concrete(all: &Platforms, path: &str) -> String {
    let mut path = path.to_owned();
    for (name, id) in &all.ids {
        path = path.replace(&format!("{{{name}}}"), id);
    }
    assert!(!path.contains('{'), "{path} has a part of which there is no example");
    path
}

fn good(all: &Platforms, method: &str, path: &str) -> (Value, Role) {
    let id = |name: &str| json!(all.ids[name]);
    let price = json!({"amount_minor": 9_000, "currency": "KRW"});
    match (method, path) {
        ("post", "/v1/orders") => (order(&id("product_id")), Role::Customer),
        ("post", "/v1/reservations") => (stay(&id("resort_id")), Role::Customer),
        ("post", "/v1/resorts") => (resort(), Role::Manager),
        ("patch", "/v1/resorts/{resort_id}") => {
            let mut changes = resort();
            changes.as_object_mut().unwrap().remove("time_zone");
            (changes, Role::Manager)
        }
        ("delete", path) if path.starts_with("/v1/resorts") => (json!({}), Role::Manager),
        ("post", "/v1/shops/{shop_id}/products") => {
            (json!({"name": "Pizza", "price": price, "stock": 1_000}), Role::Shop)
        }
        ("patch", "/v1/products/{product_id}") => (json!({"name": "Pizza", "price": price}), Role::Shop),
        ("post", "/v1/products/{product_id}/restock") => (json!({"quantity": 5}), Role::Shop),
        ("put", "/v1/shops/{shop_id}") => {
            let policy = json!({
                "payment": {"when": "at_order", "decide_within_secs": 60}, "preparation": true,
                "cancellable_until": "accepted", "notify": ["order_confirmed"], "refund_window_secs": 86_400,
                "coupon": {"value": {"kind": "percent", "value": 10}, "minimum": price},
            });
            (json!({"name": "Pizza Delivery", "policy": policy}), Role::Admin)
        }
        ("post", "/v1/payments/{payment_id}/pay") => (json!({"payment_method": "tok_ok"}), Role::Customer),
        ("post", "/v1/orders/{order_id}/refunds") => {
            let lines = json!([{"product_id": id("product_id"), "quantity": 1}]);
            (json!({"reason": "cold", "lines": lines}), Role::Customer)
        }
        ("post", "/v1/payment-callbacks") => {
            let key = format!("{}:1", all.ids["payment_id"]);
            (json!({"event_id": "e1", "key": key, "status": "captured", "provider_ref": "r1"}), Role::Admin)
        }
        ("post", path) if path.starts_with("/v1/deliveries") => {
            let which = path.ends_with("-return");
            (
                if which { json!({"refund_id": id("refund_id")}) } else { json!({"reason": "gone"}) },
                Role::Shop,
            )
        }
        ("post", "/v1/admin/payments/reconcile") => (json!({"repair": false}), Role::Admin),
        (_, path) if path.starts_with("/v1/admin") || path.starts_with("/v1/shops") => {
            (json!({}), Role::Admin)
        }
        (_, path) if path.starts_with("/v1/products") => (json!({}), Role::Shop),
        _ => (json!({"reason": "changed my mind"}), Role::Customer),
    }
}

/// Things that would take what the other inputs need.
fn spares_the_scene(method: &str, path: &str) -> bool {
    method != "delete" && !path.ends_with("/close")
}

#[test]
fn any_body_is_answered_in_order() {
    let all = Platforms::the();
    let operations = operations(all);
    check!().with_test_time(time()).with_type::<(u8, u8, Vec<u8>)>().for_each(|(which, who, body)| {
        let (method, path, _, role) = &operations[usize::from(*which) % operations.len()];
        // Mostly somebody who may.
        let role = *ROLES.get(usize::from(*who)).unwrap_or(role);
        all.ask_as(role, &method.to_uppercase(), path, body.clone()).is_in_order();
    });
}

#[test]
fn a_changed_body_is_answered_in_order_and_the_log_stays_sound() {
    let all = Platforms::the();
    let mut operations = operations(all);
    operations.retain(|(method, path, ..)| spares_the_scene(method, path));
    let mut done = 0_u64;
    check!().with_test_time(time() * 2).with_type::<(u8, Vec<Edit>, Vec<Scratch>)>().for_each(
        |(which, edits, scratches)| {
            let (method, path, body, role) = &operations[usize::from(*which) % operations.len()];
            // Half of them with changes to the values alone, which get further.
            let scratches = if which % 2 == 0 { &scratches[..] } else { &[] };
            let answer = all.ask_as(*role, &method.to_uppercase(), path, changed(body, edits, scratches));
            answer.is_in_order();
            done += u64::from(answer.status.is_success());
        },
    );
    assert!(done > 0, "nothing was ever done: the bodies are wrong from the start");
    let answer = all.ask_as(Role::Admin, "GET", "/v1/orders?limit=100", Vec::new());
    answer.is_in_order();
    assert_eq!(answer.status, 200);
    is_sound(all);
}

/// Every event that was written is read again, and no invariant is broken.
fn is_sound(all: &Platforms) {
    let mut audit = Audit::new();
    let (mut after, mut events) = (0, 0_u64);
    loop {
        let page = all.run(all.log().read_all(after, 1_000)).unwrap();
        let Some(last) = page.last() else { break };
        after = last.position;
        for event in &page {
            events += 1;
            audit.observe(event);
        }
    }
    assert!(events > 0);
    let report = audit.finish();
    assert!(report.is_clean(), "{:?}", report.violations);
}
