//! Against a real receiver on this machine.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header::LOCATION},
    response::IntoResponse,
};
use eventlog::ManualClock;
use serde_json::{Value, json};

use super::*;
use crate::channels::testing::{order_message, voucher_message};

const SECRET: &str = "a shared secret";
const NOW: i64 = 1_790_000_000;

/// A receiver on a port of its own: gives the answers that it was told to give (then 200), and keeps what it was sent.
#[derive(Clone)]
struct Receiver {
    url: String,
    state: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    answers: VecDeque<u16>,
    requests: Vec<(HeaderMap, Bytes)>,
}

impl Receiver {
    async fn start(answers: &[u16]) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let kept = Kept { answers: answers.iter().copied().collect(), requests: Vec::new() };
        let receiver = Self { url, state: Arc::new(Mutex::new(kept)) };
        let router = Router::new().fallback(receive).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        receiver
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn channel(&self) -> WebhookChannel {
        channel(&self.url, true)
    }
}

async fn receive(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
    let mut kept = receiver.kept();
    kept.requests.push((headers, body));
    let status = StatusCode::from_u16(kept.answers.pop_front().unwrap_or(200)).unwrap();
    (status, [(LOCATION, receiver.url.replace("/hook", "/elsewhere"))], "thank you")
}

fn channel(url: &str, allow_private_addresses: bool) -> WebhookChannel {
    let url = url.to_owned();
    let settings = Webhook { url, secret: Secret::new(SECRET), timeout_ms: 500, allow_private_addresses };
    let now = Timestamp::from_timestamp(NOW, 0).unwrap();
    WebhookChannel::new(&settings, Arc::new(ManualClock::new(now))).unwrap()
}

async fn deliver(channel: &WebhookChannel) -> Result<(), ChannelError> {
    channel.deliver(order_message(NotifiedChange::OrderConfirmed)).await
}

/// What a receiver does: computes the digest over the body as it came and compares it in constant time.
fn is_ours(header: &str, body: &[u8], secret: &str) -> bool {
    signature::verify(&Secret::new(secret), header, NOW, body).is_ok()
}

#[tokio::test]
async fn a_message_is_posted_as_json_and_signed() {
    let receiver = Receiver::start(&[]).await;
    deliver(&receiver.channel()).await.unwrap();
    let (headers, body) = receiver.kept().requests.remove(0);
    let message = order_message(NotifiedChange::OrderConfirmed);
    let sent: Value = serde_json::from_slice(&body).unwrap();
    let wanted = json!({
        "notification_id": message.notification_id, "order_id": message.subject.uuid(), "customer_id": "alice",
        "shop_id": "books", "change": "order_confirmed", "at": "2026-09-21T14:13:20Z",
    });
    assert_eq!(sent, wanted);
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers[NOTIFICATION_ID], message.notification_id.to_string());
    let signed = headers[signature::SIGNATURE].to_str().unwrap();
    assert!(signed.starts_with(&format!("t={NOW},v1=")), "{signed}");
    assert!(is_ours(signed, &body, SECRET));
    let later = signed.replace(&NOW.to_string(), &(NOW + 1).to_string());
    assert!(!is_ours(&later, &body, SECRET), "another time was taken");
    assert!(!is_ours(signed, &[&body[..], b" "].concat(), SECRET), "another body was taken");
    assert!(!is_ours(signed, &body, "a guess"), "another secret was taken");
}

#[tokio::test]
async fn a_voucher_goes_with_its_code_and_a_reservation_has_no_shop() {
    let receiver = Receiver::start(&[]).await;
    let message = voucher_message();
    receiver.channel().deliver(message.clone()).await.unwrap();
    let sent: Value = serde_json::from_slice(&receiver.kept().requests[0].1).unwrap();
    let voucher = message.voucher.unwrap();
    assert_eq!(sent["voucher"], json!({"voucher_id": voucher.voucher_id, "code": voucher.code.as_str()}));
    assert_eq!(sent["reservation_id"], json!(message.subject.uuid()));
    assert!(sent.get("order_id").is_none() && sent.get("shop_id").is_none(), "{sent}");
}

#[tokio::test]
async fn a_receiver_in_trouble_is_asked_again_and_one_that_refuses_is_not() {
    let receiver = Receiver::start(&[503, 500, 408, 425, 429, 204, 404, 400, 410, 200]).await;
    let channel = receiver.channel();
    for code in [503, 500, 408, 425, 429] {
        let wanted = ChannelError::Transient(format!("the webhook answered {code}"));
        assert_eq!(deliver(&channel).await, Err(wanted));
    }
    assert_eq!(deliver(&channel).await, Ok(()));
    for code in [404, 400, 410] {
        assert_eq!(deliver(&channel).await, Err(ChannelError::Permanent(format!("webhook_{code}"))));
    }
    assert_eq!(deliver(&channel).await, Ok(()));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for code in [301, 302, 303, 307, 308] {
        let receiver = Receiver::start(&[code]).await;
        let refused = ChannelError::Permanent(format!("webhook_{code}"));
        assert_eq!(deliver(&receiver.channel()).await, Err(refused));
        assert_eq!(receiver.kept().requests.len(), 1);
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_refused_without_connecting() {
    let receiver = Receiver::start(&[]).await;
    let named = receiver.url.replace("127.0.0.1", "localhost");
    let refused = ChannelError::Permanent("webhook_address_refused".to_owned());
    assert_eq!(deliver(&channel(&named, false)).await, Err(refused));
    assert!(receiver.kept().requests.is_empty());
    assert_eq!(deliver(&channel(&named, true)).await, Ok(()));
}

#[test]
fn of_the_addresses_of_a_name_only_public_ones_are_connected_to() {
    let at = |address: &str| -> SocketAddr { format!("{address}:0").parse().unwrap() };
    let (public, private) = (at("1.1.1.1"), at("10.0.0.1"));
    assert_eq!(usable("x", vec![private, public], false), Ok(vec![public]));
    assert_eq!(usable("x", vec![private, public], true), Ok(vec![private, public]));
    assert_eq!(usable("x", vec![], false), Ok(vec![]));
    let refused = usable("x", vec![private, at("[::1]")], false).unwrap_err();
    assert_eq!(refused, AddressRefused { name: "x".to_owned(), address: private.ip() });
}

#[tokio::test]
async fn a_receiver_that_is_away_or_says_nothing_is_asked_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?token=t0ken", listener.local_addr().unwrap());
    let channel = channel(&url, true);
    // It listens and never answers.
    let silent = deliver(&channel).await.unwrap_err();
    drop(listener);
    let away = deliver(&channel).await.unwrap_err();
    for error in [silent, away] {
        assert!(matches!(error, ChannelError::Transient(_)), "{error}");
        assert!(!error.to_string().contains("t0ken"), "the URL is in {error}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let written = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 65_536]).await.unwrap() > 0);
        let mut written = 0_usize;
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
        let mut answer = stream.write_all(head).await;
        while answer.is_ok() {
            answer = stream.write_all(&[b'x'; 65_536]).await;
            written += 65_536;
        }
        written
    });
    assert_eq!(deliver(&channel(&url, true)).await, Ok(()));
    // The connection is closed, so the receiver can write no more than what buffers hold.
    let written = tokio::time::timeout(Duration::from_secs(10), written).await.unwrap().unwrap();
    assert!(written < 64 * 1024 * 1024, "{written} bytes were taken");
}
