//! Callbacks: told of every charge and refund, signed, again until they are taken, and nobody waits for them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use orderstream_gateway::{
    Behaviour, Sandbox, SandboxOptions, Secret, method,
    server::{CallbackOptions, SandboxServer, SandboxServerError, SandboxServerOptions},
    signature::{SIGNATURE, verify},
    wire::{Callback, CallbackStatus},
};
use sagas::PaymentGateway;

use super::support::{gateway, krw, until};

const SECRET: &str = "known to two";

/// Answers as it was told to (then 204), and keeps what it was sent.
#[derive(Clone, Default)]
struct Receiver {
    answers: Arc<Mutex<VecDeque<u16>>>,
    got: Arc<Mutex<Vec<Callback>>>,
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let signature = headers[SIGNATURE].to_str().unwrap();
    verify(&Secret::new(SECRET), signature, i64::try_from(now).unwrap(), &body).unwrap();
    receiver.got.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    let status = receiver.answers.lock().unwrap().pop_front().unwrap_or(204);
    StatusCode::from_u16(status).unwrap()
}

struct Told {
    server: SandboxServer,
    sandbox: Sandbox,
    receiver: Receiver,
    _dir: tempfile::TempDir,
}

impl Told {
    async fn start(answers: &[u16], copies: u32) -> Self {
        let receiver = Receiver::default();
        receiver.answers.lock().unwrap().extend(answers);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/told", listener.local_addr().unwrap());
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let dir = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::open(&dir.path().join("sandbox.db"), SandboxOptions::default()).unwrap();
        // What happened before it was started is not told.
        sandbox.charge("old:1", krw(1), method::OK).await.unwrap();
        let callbacks = Some(CallbackOptions { url, secret: Secret::new(SECRET), copies });
        let options = SandboxServerOptions { callbacks, ..SandboxServerOptions::default() };
        let server = SandboxServer::start(sandbox.clone(), "127.0.0.1:0", options).await.unwrap();
        Self { server, sandbox, receiver, _dir: dir }
    }

    fn got(&self) -> Vec<Callback> {
        self.receiver.got.lock().unwrap().clone()
    }

    /// Waits for so many, and a while for more.
    async fn told(&self, count: usize) -> Vec<Callback> {
        until(async || self.got().len() >= count).await;
        tokio::time::sleep(Duration::from_millis(60)).await;
        assert_eq!(self.got().len(), count, "{:?}", self.got());
        self.got()
    }
}

#[tokio::test]
async fn every_charge_and_refund_is_told_once_with_what_the_answer_said() {
    let told = Told::start(&[], 1).await;
    let gateway = gateway(&told.server.url());
    gateway.charge("a:1", krw(100), method::OK).await.unwrap();
    gateway.charge("b:1", krw(100), method::DECLINED).await.unwrap();
    gateway.refund("r:1", "ch_a:1", krw(60)).await.unwrap();
    gateway.refund("s:1", "ch_a:1", krw(60)).await.unwrap();
    gateway.void("c:1").await.unwrap();
    // Asked again, it has nothing new to tell.
    gateway.charge("a:1", krw(100), method::OK).await.unwrap();
    let mut got = told.told(4).await;
    got.sort_by(|a, b| a.key.cmp(&b.key));
    let of = |key: &str, status, provider_ref: Option<&str>, code: Option<&str>, charge_key: Option<&str>| {
        Callback {
            event_id: format!("evt_{key}"),
            key: key.to_owned(),
            status,
            provider_ref: provider_ref.map(str::to_owned),
            code: code.map(str::to_owned),
            charge_key: charge_key.map(str::to_owned),
        }
    };
    let wanted = [
        of("a:1", CallbackStatus::Captured, Some("ch_a:1"), None, None),
        of("b:1", CallbackStatus::Declined, None, Some("card_declined"), None),
        of("r:1", CallbackStatus::Refunded, Some("re_r:1"), None, Some("a:1")),
        of("s:1", CallbackStatus::Failed, None, Some("more_than_charged"), Some("a:1")),
    ];
    assert_eq!(got, wanted);
    told.server.stop().await;
}

#[tokio::test]
async fn a_callback_comes_before_an_answer_that_is_late_and_for_one_that_is_lost() {
    let told = Told::start(&[], 1).await;
    told.sandbox.behave(Behaviour { late_answer_ms: 5000, ..Behaviour::default() }).unwrap();
    let gateway = gateway(&told.server.url());
    let begun = Instant::now();
    let (answer, ()) = tokio::join!(gateway.charge("a:1", krw(100), method::OK), async {
        told.told(1).await;
        assert!(begun.elapsed() < Duration::from_millis(4000), "after {:?}", begun.elapsed());
    });
    assert!(answer.is_err());
    told.sandbox.behave(Behaviour::default()).unwrap();
    gateway.charge("b:1", krw(100), method::TIMEOUT_THEN_CAPTURED).await.unwrap_err();
    assert_eq!(told.told(2).await[1].status, CallbackStatus::Captured);
}

#[tokio::test]
async fn copies_are_sent_as_often_as_ordered() {
    let told = Told::start(&[], 5).await;
    gateway(&told.server.url()).charge("a:1", krw(100), method::OK).await.unwrap();
    let got = told.told(5).await;
    assert!(got.iter().all(|callback| *callback == got[0]));
}

#[tokio::test]
async fn what_is_not_taken_is_told_again_and_what_is_refused_is_not() {
    let told = Told::start(&[503, 404, 204], 1).await;
    let gateway = gateway(&told.server.url());
    gateway.charge("a:1", krw(100), method::OK).await.unwrap();
    told.told(3).await;
    told.receiver.answers.lock().unwrap().push_back(401);
    gateway.charge("b:1", krw(100), method::OK).await.unwrap();
    let got = told.told(4).await;
    assert_eq!(got[3].key, "b:1");
}

#[tokio::test]
async fn nobody_waits_for_a_receiver_that_is_away_not_even_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::open(&dir.path().join("sandbox.db"), SandboxOptions::default()).unwrap();
    let url = "http://127.0.0.1:9/nobody".to_owned();
    let callbacks = Some(CallbackOptions { url, secret: Secret::new(SECRET), copies: 3 });
    let options = SandboxServerOptions { callbacks, ..SandboxServerOptions::default() };
    let server = SandboxServer::start(sandbox.clone(), "127.0.0.1:0", options).await.unwrap();
    let gateway = gateway(&server.url());
    let begun = Instant::now();
    for number in 0..200 {
        gateway.charge(&format!("a{number}:1"), krw(1), method::OK).await.unwrap();
    }
    server.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(4), "after {:?}", begun.elapsed());
}

#[tokio::test]
async fn callbacks_that_cannot_be_made_are_refused_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::open(&dir.path().join("sandbox.db"), SandboxOptions::default()).unwrap();
    for (url, secret) in [("nowhere", SECRET), ("http://127.0.0.1:9/x", "")] {
        let callbacks = Some(CallbackOptions { url: url.to_owned(), secret: Secret::new(secret), copies: 1 });
        let options = SandboxServerOptions { callbacks, ..SandboxServerOptions::default() };
        let started = SandboxServer::start(sandbox.clone(), "127.0.0.1:0", options).await;
        assert!(matches!(started, Err(SandboxServerError::Callbacks(_))), "{url}");
    }
}
