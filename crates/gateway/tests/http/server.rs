//! The server: it changes its behaviour while it runs, and stops in good order.

use std::time::Duration;

use orderstream_gateway::{
    Behaviour, Sandbox, SandboxOptions, method,
    server::{SandboxServer, SandboxServerError, SandboxServerOptions},
};
use reqwest::{Client, StatusCode};
use sagas::{GatewayError, PaymentGateway};

use super::support::{Provider, krw, serve};

#[tokio::test]
async fn in_an_outage_every_call_about_money_is_503_and_the_rest_answers() {
    let provider = Provider::start().await;
    let (client, url) = (Client::new(), provider.server.url());
    provider.behave(Behaviour { outage: true, ..Behaviour::default() }).await;
    let status = async |request: reqwest::RequestBuilder| request.send().await.unwrap();
    for request in [
        client.post(format!("{url}/v1/charges")),
        client.post(format!("{url}/v1/charges/a:1/void")),
        client.get(format!("{url}/v1/charges/a:1")),
        client.post(format!("{url}/v1/refunds")),
    ] {
        let answer = status(request).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()["retry-after"], "1");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    for path in ["/v1/ledger", "/v1/behaviour", "/livez", "/readyz", "/openapi.json"] {
        assert_eq!(status(client.get(format!("{url}{path}"))).await.status(), StatusCode::OK, "{path}");
    }
    provider.behave(Behaviour::default()).await;
    provider.gateway().charge("a:1", krw(100), method::OK).await.unwrap();
}

#[tokio::test]
async fn a_fail_rate_fails_calls_without_moving_money() {
    let provider = Provider::start().await;
    let gateway = provider.gateway();
    provider.behave(Behaviour { fail_rate: 1.0, ..Behaviour::default() }).await;
    let failed = gateway.charge("a:1", krw(100), method::OK).await;
    assert!(matches!(&failed, Err(GatewayError::Unknown(text)) if text.contains("503")), "{failed:?}");
    assert_eq!(provider.moved().await, []);

    provider.behave(Behaviour { fail_rate: 0.5, ..Behaviour::default() }).await;
    let mut made = 0;
    for number in 0..200 {
        made += usize::from(gateway.charge(&format!("b{number}:1"), krw(1), method::OK).await.is_ok());
    }
    assert!((50..150).contains(&made), "{made} of 200 at a fail rate of 0.5");
    assert_eq!(provider.moved().await.len(), made);
}

#[tokio::test]
async fn the_behaviour_is_read_and_changed_while_it_runs() {
    let provider = Provider::start().await;
    let wanted =
        Behaviour { latency_min_ms: 1, latency_max_ms: 2, late_answer_ms: 3, ..Behaviour::default() };
    provider.behave(wanted).await;
    assert_eq!(provider.client.behaviour().await.unwrap(), wanted);
    assert_eq!(provider.sandbox.behaviour(), wanted);
    let impossible = Behaviour { latency_min_ms: 9, ..wanted };
    let refused = provider.client.behave(impossible).await.unwrap_err().to_string();
    assert!(refused.contains("422") && refused.contains("latency_min_ms (9)"), "{refused}");
    assert_eq!(provider.client.behaviour().await.unwrap(), wanted);
}

#[tokio::test]
async fn stopping_ends_the_calls_that_are_under_way_and_takes_no_new_ones() {
    let provider = Provider::start().await;
    provider.behave(Behaviour { latency_min_ms: 200, latency_max_ms: 200, ..Behaviour::default() }).await;
    let gateway = provider.gateway();
    let under_way = tokio::spawn(async move {
        let answer = gateway.charge("a:1", krw(100), method::OK).await;
        (answer, gateway)
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    provider.server.stop().await;
    let (answer, gateway) = under_way.await.unwrap();
    assert!(answer.is_ok(), "{answer:?}");
    let after = gateway.charge("b:1", krw(100), method::OK).await;
    assert!(matches!(after, Err(GatewayError::Unavailable(_))), "{after:?}");
    assert_eq!(provider.sandbox.entries().await.unwrap().len(), 1);
}

#[tokio::test]
async fn stopping_ends_a_call_whose_caller_is_gone() {
    let provider = Provider::start().await;
    provider.behave(Behaviour { latency_min_ms: 600, latency_max_ms: 600, ..Behaviour::default() }).await;
    assert!(provider.gateway().charge("a:1", krw(100), method::OK).await.is_err());
    provider.server.stop().await;
    assert_eq!(provider.sandbox.entries().await.unwrap().len(), 1);
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let options = SandboxOptions { latency_ms: 60_000..=60_000, ..SandboxOptions::default() };
    let sandbox = Sandbox::open(&dir.path().join("sandbox.db"), options).unwrap();
    let patience =
        SandboxServerOptions { stop_wait: Duration::from_millis(100), ..SandboxServerOptions::default() };
    let server = SandboxServer::start(sandbox, "127.0.0.1:0", patience).await.unwrap();
    assert!(super::support::gateway(&server.url()).charge("a:1", krw(1), method::OK).await.is_err());
    tokio::time::timeout(Duration::from_secs(5), server.stop()).await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let provider = Provider::start().await;
    let taken = provider.server.address().to_string();
    let again = SandboxServer::start(provider.sandbox.clone(), &taken, SandboxServerOptions::default()).await;
    let Err(SandboxServerError::Listen { listen, .. }) = again else { panic!("two servers at one address") };
    assert_eq!(listen, taken);
}

#[tokio::test]
async fn it_is_not_ready_when_its_books_are_closed_and_calls_are_unknown() {
    let provider = Provider::start().await;
    let ready = format!("{}/readyz", provider.server.url());
    assert_eq!(reqwest::get(&ready).await.unwrap().status(), StatusCode::OK);
    provider.sandbox.close().await;
    assert_eq!(reqwest::get(&ready).await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    let answer = provider.gateway().charge("a:1", krw(1), method::OK).await;
    assert!(matches!(answer, Err(GatewayError::Unknown(_))), "{answer:?}");
}

#[tokio::test]
async fn two_servers_may_share_one_sandbox() {
    let provider = Provider::start().await;
    let second = serve(&provider.sandbox, "127.0.0.1:0").await;
    provider.gateway().charge("a:1", krw(100), method::OK).await.unwrap();
    super::support::gateway(&second.url()).charge("a:1", krw(100), method::OK).await.unwrap();
    assert_eq!(provider.moved().await, [("a:1".to_owned(), 100)]);
}

/// Every call of the port under answers that go wrong; what each came to.
async fn under(fault: &str) -> (Provider, Vec<String>) {
    let provider = Provider::start().await;
    let behaviour = serde_json::from_value(serde_json::json!({ fault: 1.0 })).unwrap();
    provider.behave(behaviour).await;
    let gateway = provider.gateway();
    let calls = [
        gateway.charge("a:1", krw(100), method::OK).await.err(),
        gateway.look_up("a:1").await.err(),
        gateway.void("b:1").await.err(),
        gateway.refund("r:1", "ch_a:1", krw(60)).await.err(),
    ];
    let unknown = |call: Option<GatewayError>| match call {
        Some(GatewayError::Unknown(why)) => why,
        other => panic!("{fault}: {other:?}"),
    };
    (provider, calls.map(unknown).into())
}

#[tokio::test]
async fn answers_go_wrong_after_the_books_were_written_and_the_same_key_finds_out() {
    for (fault, why) in [
        ("garbage_rate", "cannot be understood"),
        ("wrong_body_rate", "cannot be understood"),
        ("drop_rate", "connection broke"),
    ] {
        let (provider, whys) = under(fault).await;
        assert!(whys.iter().all(|it| it.contains(why)), "{fault}: {whys:?}");
        assert_eq!(provider.moved().await, [("a:1".to_owned(), 100), ("r:1".to_owned(), 60)], "{fault}");
        provider.behave(Behaviour::default()).await;
        let gateway = provider.gateway();
        assert!(gateway.look_up("a:1").await.unwrap().is_some());
        gateway.charge("a:1", krw(100), method::OK).await.unwrap();
        gateway.refund("r:1", "ch_a:1", krw(60)).await.unwrap();
        assert_eq!(provider.moved().await.len(), 2, "{fault}: the same keys moved nothing");
    }
}

#[tokio::test]
async fn a_dropped_answer_has_not_a_single_byte() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let provider = Provider::start().await;
    provider.behave(Behaviour { drop_rate: 1.0, ..Behaviour::default() }).await;
    let mut connection = tokio::net::TcpStream::connect(provider.server.address()).await.unwrap();
    let request = "GET /v1/charges/a:1 HTTP/1.1\r\nhost: sandbox\r\n\r\n";
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
}
