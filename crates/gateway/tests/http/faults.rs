//! Each fault is what the port calls it: unavailable when certainly nothing was sent, else unknown.

use std::time::{Duration, Instant};

use orderstream_gateway::{Behaviour, HttpGateway, method};
use sagas::{ChargeOutcome, GatewayError, PaymentGateway};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::{
    bad_server::{BadServer, Fault},
    support::{DEADLINE, Provider, gateway, krw, serve, until},
};

/// Every call of the port; what each came to.
async fn all_calls(gateway: &HttpGateway) -> Vec<GatewayError> {
    vec![
        gateway.charge("a:1", krw(100), method::OK).await.unwrap_err(),
        gateway.void("a:1").await.unwrap_err(),
        gateway.refund("r:1", "ch_a:1", krw(100)).await.unwrap_err(),
        gateway.look_up("a:1").await.unwrap_err(),
    ]
}

async fn all_unknown(server: BadServer, why: &str) {
    for error in all_calls(&gateway(&server.url)).await {
        assert!(matches!(&error, GatewayError::Unknown(text) if text.contains(why)), "{why}: {error:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    for error in all_calls(&gateway(&url)).await {
        assert!(matches!(&error, GatewayError::Unavailable(text) if text.contains("refused")), "{error:?}");
    }
}

#[tokio::test]
async fn a_connection_that_is_not_made_in_time_is_unavailable() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody accepts, so the next to come after these is left waiting.
    let mut fill = Vec::new();
    while let Ok(stream) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await
    {
        fill.push(stream.unwrap());
        assert!(fill.len() < 100, "the queue never fills");
    }
    let answer = gateway(&format!("http://{address}")).charge("a:1", krw(100), method::OK).await;
    assert!(matches!(answer, Err(GatewayError::Unavailable(_))), "{answer:?}");
}

#[tokio::test]
async fn no_answer_within_the_deadline_is_unknown_and_comes_in_time() {
    let server = BadServer::start(Fault::Hangs(Vec::new())).await;
    let before = Instant::now();
    let answer = gateway(&server.url).charge("a:1", krw(100), method::OK).await;
    assert!(matches!(&answer, Err(GatewayError::Unknown(text)) if text.contains("400 ms")), "{answer:?}");
    assert!((DEADLINE..DEADLINE * 2).contains(&before.elapsed()), "{:?}", before.elapsed());
}

#[tokio::test]
async fn an_answer_that_begins_and_never_ends_is_unknown() {
    let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"status\":".to_vec();
    all_unknown(BadServer::start(Fault::Hangs(begun.clone())).await, "within 400 ms").await;
    all_unknown(BadServer::start(Fault::Answers(begun)).await, "broke off").await;
}

#[tokio::test]
async fn garbage_is_unknown() {
    for garbage in
        [&b""[..], b"\0\x01\x02 no http", b"HTTP/1.1 999999 what\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"]
    {
        all_unknown(BadServer::start(Fault::Answers(garbage.to_vec())).await, "connection broke").await;
    }
}

#[tokio::test]
async fn an_endless_answer_is_unknown_and_not_kept() {
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = b"10\r\n0123456789abcdef\r\n".repeat(8192);
    let server = BadServer::start(Fault::Endless([&head[..], &chunk].concat())).await;
    let answer = gateway(&server.url).charge("a:1", krw(100), method::OK).await;
    assert!(
        matches!(&answer, Err(GatewayError::Unknown(text)) if text.contains("longer than")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn an_answer_of_200_with_a_wrong_body_is_unknown() {
    for body in [
        "",
        "null",
        "[]",
        "<html>ok</html>",
        r#"{"status":"captured"}"#,
        r#"{"status":"captured","provider_ref":7}"#,
        r#"{"status":"pending","provider_ref":"x"}"#,
        r#"{"provider_ref":"x"}"#,
        r#"{"status":"captured","provider_ref":"x"} and more"#,
    ] {
        all_unknown(BadServer::answering("200 OK", body).await, "cannot be understood").await;
    }
    let empty = BadServer::answering("200 OK", r#"{"status":"captured","provider_ref":""}"#).await;
    let answer = gateway(&empty.url).charge("a:1", krw(100), method::OK).await;
    assert!(matches!(answer, Err(GatewayError::Unknown(_))), "{answer:?}");
}

#[tokio::test]
async fn any_other_status_is_unknown_even_with_the_body_of_a_success() {
    let success = r#"{"status":"captured","provider_ref":"x"}"#;
    for status in [
        "201 Created",
        "202 Accepted",
        "302 Found",
        "400 No",
        "401 No",
        "404 No",
        "409 No",
        "422 No",
        "429 Slow",
    ] {
        all_unknown(BadServer::answering(status, success).await, &status[..3]).await;
    }
    for status in ["500 Oh", "502 Oh", "503 Oh", "504 Oh"] {
        all_unknown(BadServer::answering(status, success).await, &status[..3]).await;
    }
}

#[tokio::test]
async fn a_404_that_does_not_come_from_the_provider_is_not_taken_for_no_charge() {
    for body in ["", "not found", r#"{"code":"charge_not_found"}"#] {
        let server = BadServer::answering("404 Not Found", body).await;
        let answer = gateway(&server.url).look_up("a:1").await;
        assert!(matches!(answer, Err(GatewayError::Unknown(_))), "{body}: {answer:?}");
    }
    let provider = Provider::start().await;
    let elsewhere = gateway(&format!("{}/elsewhere", provider.server.url()));
    let answer = elsewhere.look_up("a:1").await;
    assert!(
        matches!(&answer, Err(GatewayError::Unknown(text)) if text.contains("no_such_route")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_connection_closed_after_the_charge_is_unknown_and_the_same_key_finds_it() {
    let provider = Provider::start().await;
    let bad = BadServer::start(Fault::ChargesAndCloses(provider.sandbox.clone())).await;
    let answer = gateway(&bad.url).charge("a:1", krw(100), method::OK).await;
    assert!(matches!(answer, Err(GatewayError::Unknown(_))), "{answer:?}");
    let good = provider.gateway();
    let captured = ChargeOutcome::Captured { provider_ref: "ch_a:1".to_owned() };
    assert_eq!(good.look_up("a:1").await, Ok(Some(captured.clone())));
    assert_eq!(good.charge("a:1", krw(100), method::OK).await, Ok(captured));
    assert_eq!(provider.moved().await, [("a:1".to_owned(), 100)]);
}

#[tokio::test]
async fn a_charge_that_is_answered_too_late_is_unknown_and_was_made() {
    let provider = Provider::start().await;
    let late = DEADLINE.as_millis() as u64 * 2;
    provider.behave(Behaviour { late_answer_ms: late, ..Behaviour::default() }).await;
    let gateway = provider.gateway();
    let answer = gateway.charge("a:1", krw(100), method::OK).await;
    assert!(matches!(answer, Err(GatewayError::Unknown(_))), "{answer:?}");
    assert_eq!(provider.moved().await, [("a:1".to_owned(), 100)]);
    assert!(matches!(gateway.look_up("a:1").await, Ok(Some(ChargeOutcome::Captured { .. }))));
}

#[tokio::test]
async fn a_charge_whose_caller_gave_up_waiting_is_made_all_the_same() {
    let provider = Provider::start().await;
    let slow = DEADLINE.as_millis() as u64 + 200;
    provider.behave(Behaviour { latency_min_ms: slow, latency_max_ms: slow, ..Behaviour::default() }).await;
    let gateway = provider.gateway();
    assert!(matches!(gateway.charge("a:1", krw(100), method::OK).await, Err(GatewayError::Unknown(_))));
    assert_eq!(provider.moved().await, [], "not yet");
    until(async || provider.moved().await == [("a:1".to_owned(), 100)]).await;
}

#[tokio::test]
async fn a_provider_that_restarts_is_reached_again_by_the_same_gateway() {
    let provider = Provider::start().await;
    let gateway = provider.gateway();
    gateway.charge("a:1", krw(100), method::OK).await.unwrap();
    let address = provider.server.address().to_string();
    provider.server.stop().await;
    let down = gateway.charge("b:1", krw(100), method::OK).await;
    assert!(matches!(down, Err(GatewayError::Unavailable(_))), "{down:?}");
    let again = serve(&provider.sandbox, &address).await;
    gateway.charge("b:1", krw(100), method::OK).await.unwrap();
    gateway.charge("a:1", krw(100), method::OK).await.unwrap();
    assert_eq!(provider.sandbox.entries().await.unwrap().len(), 2);
    again.stop().await;
}

#[tokio::test]
async fn an_answer_that_comes_too_late_is_there_for_the_look_up() {
    let provider = Provider::start().await;
    // Every call, a look-up, too, takes longer than the deadline.
    let slow = DEADLINE.as_millis() as u64 + 60;
    provider.behave(Behaviour { latency_min_ms: slow, latency_max_ms: slow, ..Behaviour::default() }).await;
    let gateway = provider.gateway();
    let answer = gateway.charge("a:1", krw(100), method::OK).await;
    assert!(matches!(answer, Err(GatewayError::Unknown(_))), "{answer:?}");
    let found = gateway.look_up("a:1").await;
    assert!(matches!(found, Ok(Some(ChargeOutcome::Captured { .. }))), "{found:?}");
    let asked = gateway.look_up("a:1").await;
    assert!(matches!(asked, Err(GatewayError::Unknown(_))), "it is had once: {asked:?}");
    assert_eq!(provider.moved().await, [("a:1".to_owned(), 100)]);
}
