use reqwest::Method;
use serde_json::Value;

use crate::common::TestServer;

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
