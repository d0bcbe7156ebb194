//! A payment provider on a port of its own, and connections that take a place for as long as a test likes.

#![allow(dead_code)]

use std::time::Duration;

use gateway::{
    Behaviour, Sandbox, SandboxOptions,
    server::{SandboxServer, SandboxServerOptions},
};
use orderstream::Settings;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::common::{Answer, Client, TestServer};

/// A provider that is reached over HTTP.
pub(crate) struct Provider {
    pub(crate) sandbox: Sandbox,
    server: SandboxServer,
    _folder: TempDir,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::open(&folder.path().join("sandbox.db"), SandboxOptions::default()).unwrap();
        let options = SandboxServerOptions::default();
        let server = SandboxServer::start(sandbox.clone(), "127.0.0.1:0", options).await.unwrap();
        Self { sandbox, server, _folder: folder }
    }

    /// Answers take so long.
    pub(crate) fn takes(&self, millis: u64) {
        let behaviour = Behaviour { latency_min_ms: millis, latency_max_ms: millis, ..Behaviour::default() };
        self.sandbox.behave(behaviour).unwrap();
    }

    /// Every call fails, or none.
    pub(crate) fn is_away(&self, outage: bool) {
        self.sandbox.behave(Behaviour { outage, ..Behaviour::default() }).unwrap();
    }

    /// A platform that makes its payments here.
    pub(crate) async fn platform(&self, change: impl FnOnce(&mut Settings)) -> TestServer {
        TestServer::start_with(|settings| {
            settings.gateway.url = self.server.url();
            change(settings);
        })
        .await
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
        self.sandbox.close().await;
    }
}

/// A request whose body does not come: it holds its place.
pub(crate) async fn hanging(server: &TestServer, token: &str, line: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.server.address()).await.unwrap();
    let header = format!(
        "{line} HTTP/1.1\r\nhost: test\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n\
         content-length: 10\r\n\r\n"
    );
    stream.write_all(header.as_bytes()).await.unwrap();
    stream
}

/// The answer to what was sent over a plain connection, as far as its first packet goes.
pub(crate) async fn answer_of(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 16 * 1024];
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut bytes)).await;
    let length = read.expect("an answer in time").unwrap();
    String::from_utf8_lossy(&bytes[..length]).into_owned()
}

/// Asks until `enough`.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, enough: impl Fn() -> F) {
    let begun = std::time::Instant::now();
    while !enough().await {
        assert!(begun.elapsed() < crate::common::PATIENCE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How many requests of a class are under way.
pub(crate) async fn under_way(server: &TestServer, class: &str) -> f64 {
    let line = format!("orderstream_http_requests_under_way{{class=\"{class}\"}} ");
    let text = server.nobody().get("/metrics").await.expect(200);
    let text = text.as_str().unwrap();
    let found = text.lines().find_map(|it| it.strip_prefix(&line)).unwrap();
    found.parse().unwrap()
}

/// Asserts a refusal: status, code, a Retry-After of at least a second.
#[track_caller]
pub(crate) fn refused(answer: Answer, status: u16, code: &str) -> Value {
    let wait: u64 = answer.header("retry-after").parse().expect("a Retry-After in seconds");
    assert!(wait >= 1, "Retry-After is {wait}");
    assert!(!answer.header("x-request-id").is_empty());
    answer.problem(status, code)
}

/// A shop whose orders are paid later; a product of it.
pub(crate) async fn later(server: &TestServer) -> String {
    let policy =
        json!({"payment": {"when": "deferred", "pay_within_secs": 3600}, "cancellable_until": "accepted"});
    server.admin().put("/v1/shops/later", json!({"name": "Later", "policy": policy})).await.expect(201);
    server.shop("later").lists("later", "Sofa", 500, None).await
}

/// A product of which there are any number, in a shop that is paid at order.
pub(crate) async fn endless(server: &TestServer) -> String {
    server.shop("pizza").lists("pizza", "Plain", 1_000, None).await
}

/// Where an order is paid.
#[track_caller]
pub(crate) fn pay_path(order: &Value) -> String {
    format!("/v1/payments/{}/pay", crate::common::text(&order["payment"], "payment_id"))
}

/// Posts under a key.
pub(crate) async fn keyed(who: &Client, path: &str, key: &str, body: &Value) -> Answer {
    who.post_with(path, ("idempotency-key", key), body.clone()).await
}
