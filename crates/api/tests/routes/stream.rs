use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::common::{Client, TestServer, text};

/// Server-sent events as they come in.
struct Events {
    response: reqwest::Response,
    text: String,
}

struct Step {
    id: String,
    what: String,
}

impl Events {
    async fn open(client: &Client, path: &str, last: Option<&str>) -> Self {
        let mut request = client.request(Method::GET, path);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["cache-control"], "no-store");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    async fn next(&mut self) -> Option<Step> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let block: String = self.text.drain(..end + 2).collect();
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
                let (Some(id), Some(data)) = (field("id: "), field("data: ")) else { continue };
                assert_eq!(field("event: "), Some("step"));
                let data: Value = serde_json::from_str(data).unwrap();
                assert_eq!(data["position"], id);
                return Some(Step { id: id.to_owned(), what: text(&data, "what").to_owned() });
            }
            let chunk = tokio::time::timeout(Duration::from_secs(10), self.response.chunk()).await.unwrap();
            match chunk.ok().flatten() {
                Some(chunk) => self.text.push_str(std::str::from_utf8(&chunk).unwrap()),
                None => return None,
            }
        }
    }

    async fn until(&mut self, what: &str) -> Vec<Step> {
        let mut steps = Vec::new();
        loop {
            let step = self.next().await.unwrap();
            let last = step.what == what;
            steps.push(step);
            if last {
                return steps;
            }
        }
    }
}

#[tokio::test]
async fn a_stream_tells_every_step_live_and_goes_on_where_the_client_was() {
    let server = TestServer::start().await;
    let (alice, phone) = (server.customer("alice"), server.shop("phone"));
    let product = alice.product("phone", "Charger").await;
    let order = alice.buys("phone", &product, 1).await;
    let path = format!("/v1/orders/{}", text(&order, "order_id"));
    let stream = format!("{path}/stream");
    let mut events = Events::open(&alice, &stream, None).await;
    let before = events.until("delivery.requested").await;
    assert_eq!(before[0].what, "order.placed");
    let order = alice.sees(&path, |order| order["delivery"].is_object()).await;
    phone
        .act(&format!("/v1/deliveries/{}/accept", text(&order["delivery"], "delivery_id")))
        .await
        .expect(200);
    let mut all: Vec<String> = before.iter().map(|step| step.id.clone()).collect();
    all.extend(events.until("delivery.accepted").await.into_iter().map(|step| step.id));

    let mut resumed = Events::open(&alice, &stream, Some(&all[2])).await;
    let again: Vec<String> =
        resumed.until("delivery.accepted").await.into_iter().map(|step| step.id).collect();
    assert_eq!(again, all[3..], "a step was lost or told twice");
    alice.get_with(&stream, ("last-event-id", "x")).await.problem(400, "invalid_position");

    server.stop().await;
    assert!(events.next().await.is_none(), "the stream did not end with the program");
}
