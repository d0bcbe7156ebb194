use reqwest::Method;
use serde_json::Value;

use crate::{
    common::TestServer,
    staging::{eaten, house, pay_path, refunds_path, stay},
};

const ID: &str = "01900000-0000-7000-8000-000000000000";

/// The path with an id in each place.
fn concrete(path: &str) -> String {
    let fill = |part: &str| match part {
        "{shop_id}" => "nowhere".to_owned(),
        "{customer_id}" => "alice".to_owned(),
        "{process}" => "checkout".to_owned(),
        "{name}" => "nonsense".to_owned(),
        "{code}" => "out_of_stock".to_owned(),
        part if part.starts_with('{') => ID.to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(fill).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_documented_operation_answers_and_says_enough() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let document = server.nobody().get("/openapi.json").await.expect(200);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!(document, orderstream::routes::document());
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations += 1;
            let name = format!("{method} {path}");
            assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{name} has no summary");
            assert!(operation["security"].is_array(), "{name} says nothing of security");
            let answers = operation["responses"].as_object().unwrap();
            assert!(answers.contains_key("500"), "{name} has no problem answers");
            let protected = operation["security"] != serde_json::json!([{}]);
            let unauthorized =
                server.nobody().request(method.to_uppercase().parse().unwrap(), &concrete(path));
            let status = server.nobody().send(unauthorized).await.status;
            assert_eq!(status == 401, protected, "{name} answers {status} without a token");
            let method: Method = method.to_uppercase().parse().unwrap();
            let request = admin.request(method.clone(), &concrete(path));
            let answer = admin.send(request).await;
            let code = answer.body["code"].as_str().unwrap_or_default();
            assert!(code != "no_such_route" && code != "method_not_allowed", "{name} does not exist");
            assert!(
                answers.contains_key(&answer.status.to_string()),
                "{name} answers {} undocumented",
                answer.status
            );
        }
    }
    assert!(operations >= 35, "{operations} operations");
    server.stop().await;
}

#[tokio::test]
async fn references_in_the_document_lead_somewhere_and_rows_hide_what_is_internal() {
    let document = orderstream::routes::document();
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let order = &document["components"]["schemas"]["OrderRow"]["properties"];
    assert!(order.get("internal").is_none() && order["recipient"].is_object());
    assert_eq!(order["position"]["type"], "string");
}

#[tokio::test]
async fn the_documentation_and_the_meaning_of_codes_are_served() {
    let server = TestServer::start().await;
    let nobody = server.nobody();
    let page = nobody.get("/docs/").await;
    assert!(page.status == 200 && page.header("content-type").starts_with("text/html"), "{page:?}");
    let codes = nobody.get("/problems").await.expect(200);
    assert!(codes["data"].as_array().unwrap().len() > 50);
    assert_eq!(nobody.get("/problems/out_of_stock").await.expect(200)["status"], 409);
    nobody.get("/problems/nonsense").await.problem(404, "not_found");
    server.stop().await;
}

/// Stays, vouchers, refunds, coupons, pages and figures.
const NEW: &[(&str, &[&str])] = &[
    ("/v1/resorts", &["get", "post"]),
    ("/v1/resorts/{resort_id}", &["get", "patch", "delete"]),
    ("/v1/resorts/{resort_id}/nights", &["get"]),
    ("/v1/reservations", &["get", "post"]),
    ("/v1/reservations/{reservation_id}", &["get"]),
    ("/v1/reservations/{reservation_id}/cancel", &["post"]),
    ("/v1/reservations/{reservation_id}/timeline", &["get"]),
    ("/v1/vouchers", &["get"]),
    ("/v1/vouchers/{voucher_id}", &["get"]),
    ("/v1/vouchers/{voucher_id}/send", &["post"]),
    ("/v1/orders/{order_id}/refunds", &["post"]),
    ("/v1/refunds", &["get"]),
    ("/v1/refunds/{refund_id}", &["get"]),
    ("/v1/refunds/{refund_id}/cancel", &["post"]),
    ("/v1/deliveries/{delivery_id}/receive-return", &["post"]),
    ("/v1/deliveries/{delivery_id}/cancel-return", &["post"]),
    ("/v1/coupons", &["get"]),
    ("/v1/coupons/{coupon_id}", &["get"]),
    ("/v1/customers/{customer_id}/page", &["get"]),
    ("/v1/admin/figures", &["get"]),
];

#[test]
fn stays_vouchers_refunds_coupons_pages_and_figures_are_documented_operation_by_operation() {
    let document = orderstream::routes::document();
    let (tags, schemas) = (&document["tags"], document["components"]["schemas"].as_object().unwrap());
    for (path, methods) in NEW {
        let operations = document["paths"][path].as_object().unwrap_or_else(|| panic!("{path} is missing"));
        assert_eq!(operations.len(), methods.len(), "{path}");
        for method in *methods {
            let operation = &operations[*method];
            let tag = &operation["tags"][0];
            assert!(tags.as_array().unwrap().iter().any(|known| known["name"] == *tag), "{tag} of {path}");
            let answers = operation["responses"].as_object().unwrap();
            let good = answers.iter().filter(|(status, _)| status.starts_with('2') && *status != "204");
            for (status, answer) in good {
                let schema = &answer["content"]["application/json"]["schema"];
                let name = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next());
                let known = name.is_some_and(|name| schemas.contains_key(name));
                assert!(known, "{status} of {method} {path} has no schema: {answer}");
            }
            let explained = |parameter: &Value| {
                !parameter["description"].as_str().unwrap_or_default().is_empty()
                    || parameter["schema"]["enum"].is_array()
            };
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            assert!(parameters.iter().all(explained), "a parameter of {method} {path} is not explained");
            assert_eq!(
                *method == "get",
                !parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key"),
                "{method} {path} and keys"
            );
        }
    }
    for row in ["ResortRow", "ReservationRow", "VoucherRow", "RefundRow", "CouponRow", "FiguresRow"] {
        let properties = schemas[row]["properties"].as_object().unwrap();
        assert!(!properties.contains_key("internal"), "{row} shows what is internal");
        assert_eq!(properties["position"]["type"], "string", "{row}");
    }
}

#[test]
fn every_example_in_the_document_fits_its_schema() {
    fn fits(schema: &Value, example: &Value) -> bool {
        let kinds = match &schema["type"] {
            Value::Array(kinds) => kinds.clone(),
            kind => vec![kind.clone()],
        };
        let number = |name: &str| schema[name].as_f64();
        kinds.iter().filter_map(Value::as_str).any(|kind| match kind {
            "string" => example.is_string(),
            "integer" => example.is_i64() || example.is_u64(),
            "number" => example.is_number(),
            "boolean" => example.is_boolean(),
            "null" => example.is_null(),
            "array" => example.is_array(),
            _ => example.is_object(),
        }) && number("minimum").is_none_or(|least| example.as_f64().is_some_and(|it| it >= least))
            && number("maximum").is_none_or(|most| example.as_f64().is_some_and(|it| it <= most))
            && (schema["format"] != "uuid"
                || example.as_str().is_some_and(|it| it.parse::<uuid::Uuid>().is_ok()))
    }
    fn check(value: &Value, at: &str, found: &mut usize) {
        match value {
            Value::Object(object) => {
                let examples = object
                    .get("example")
                    .into_iter()
                    .chain(object.get("examples").and_then(Value::as_array).into_iter().flatten());
                for example in examples.filter(|_| object.contains_key("type")) {
                    *found += 1;
                    assert!(fits(value, example), "{at}: {example} does not fit {value}");
                }
                object.iter().for_each(|(name, value)| check(value, &format!("{at}/{name}"), found));
            }
            Value::Array(values) => values.iter().for_each(|value| check(value, at, found)),
            _ => {}
        }
    }
    let mut found = 0;
    check(&orderstream::routes::document(), "", &mut found);
    assert!(found >= 20, "{found} examples");
}

#[tokio::test]
async fn the_examples_of_a_stay_and_a_refund_are_taken_as_they_stand() {
    let server = TestServer::start().await;
    let document = orderstream::routes::document();
    let example = |schema: &str, field: &str| {
        document["components"]["schemas"][schema]["properties"][field]["example"].clone()
    };
    let mut house = house();
    for field in ["name", "kind"] {
        house[field] = example("NewResort", field);
    }
    let resort = server.manager("mira").post("/v1/resorts", house).await.expect(201);
    let mut stay = stay(&resort, 3, 5);
    for field in ["name", "phone", "email"] {
        stay["guest"][field] = example("Guest", field);
    }
    let grace = server.customer("grace");
    let reserved = grace.post("/v1/reservations", stay.clone()).await.expect(201);
    assert_eq!(reserved["guest"], stay["guest"]);
    let pay = pay_path(&reserved);
    let paid = serde_json::json!({"payment_method": example("Pay", "payment_method")});
    grace.post(&pay, paid).await.expect(200);
    let order = eaten(&server, 1).await;
    let wish = serde_json::json!({"reason": example("NewRefund", "reason")});
    let asked = grace.post(&refunds_path(&order), wish.clone()).await.expect(201);
    assert_eq!(asked["reason"], wish["reason"]);
    server.stop().await;
}
