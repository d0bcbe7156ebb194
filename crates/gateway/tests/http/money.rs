//! What the port promises holds over HTTP, with the books as the oracle.

use futures::future::join_all;
use orderstream_gateway::{LedgerKind, method};
use sagas::{ChargeOutcome, GatewayError, PaymentGateway, RefundAnswer, VoidOutcome};

use super::support::{Provider, krw};

fn captured(key: &str) -> ChargeOutcome {
    ChargeOutcome::Captured { provider_ref: format!("ch_{key}") }
}

fn declined(code: &str) -> ChargeOutcome {
    ChargeOutcome::Declined { code: code.to_owned() }
}

#[tokio::test]
async fn the_same_key_charges_once_however_often_and_at_once_it_is_sent() {
    let provider = Provider::start().await;
    let gateway = provider.gateway();
    let charges = (0..50).map(|_| gateway.charge("p:1", krw(12_000), method::OK));
    for answer in join_all(charges).await {
        assert_eq!(answer, Ok(captured("p:1")));
    }
    assert_eq!(provider.moved().await, [("p:1".to_owned(), 12_000)]);
    assert_eq!(provider.client.ledger().await.unwrap()[0].calls, 50);
}

#[tokio::test]
async fn declines_come_with_the_providers_word_and_move_nothing() {
    let provider = Provider::start().await;
    let gateway = provider.gateway();
    for (key, token, code) in [
        ("a:1", method::DECLINED, "card_declined"),
        ("b:1", method::INSUFFICIENT_FUNDS, "insufficient_funds"),
        ("c:1", "tok_other", "unknown_payment_method"),
    ] {
        assert_eq!(gateway.charge(key, krw(1), token).await, Ok(declined(code)));
        assert_eq!(gateway.look_up(key).await, Ok(Some(declined(code))));
    }
    assert_eq!(provider.moved().await, []);
}

#[tokio::test]
async fn a_charge_is_looked_up_by_a_key_with_any_characters() {
    let provider = Provider::start().await;
    let gateway = provider.gateway();
    for key in ["0192f3:1", "a/b", "50%", "x?y#z", "+&=;@"] {
        assert_eq!(gateway.look_up(key).await, Ok(None), "{key}");
        gateway.charge(key, krw(5), method::OK).await.unwrap();
        assert_eq!(gateway.look_up(key).await, Ok(Some(captured(key))), "{key}");
        assert!(matches!(gateway.void(key).await, Ok(VoidOutcome::Captured { .. })), "{key}");
    }
}

#[tokio::test]
async fn a_voided_key_declines_a_late_charge_and_a_charged_one_says_so() {
    let provider = Provider::start().await;
    let gateway = provider.gateway();
    assert_eq!(gateway.void("a:1").await, Ok(VoidOutcome::Voided));
    assert_eq!(gateway.void("a:1").await, Ok(VoidOutcome::Voided));
    assert_eq!(gateway.charge("a:1", krw(100), method::OK).await, Ok(declined("voided")));
    assert_eq!(gateway.look_up("a:1").await, Ok(Some(declined("voided"))));
    gateway.charge("b:1", krw(100), method::OK).await.unwrap();
    let taken = VoidOutcome::Captured { provider_ref: "ch_b:1".to_owned() };
    assert_eq!(gateway.void("b:1").await, Ok(taken));
    assert_eq!(provider.moved().await, [("b:1".to_owned(), 100)]);
}

#[tokio::test]
async fn refunds_never_exceed_the_charge_and_repeat_under_their_key() {
    let provider = Provider::start().await;
    let gateway = provider.gateway();
    gateway.charge("a:1", krw(100), method::OK).await.unwrap();
    let refunded = Ok(RefundAnswer::Refunded { provider_ref: "re_r:1".to_owned() });
    assert_eq!(gateway.refund("r:1", "ch_a:1", krw(60)).await, refunded);
    assert_eq!(gateway.refund("r:1", "ch_a:1", krw(60)).await, refunded);
    let failed = |code: &str| Ok(RefundAnswer::Failed { code: code.to_owned() });
    assert_eq!(gateway.refund("s:1", "ch_a:1", krw(41)).await, failed("more_than_charged"));
    assert_eq!(gateway.refund("s:1", "ch_a:1", krw(41)).await, failed("more_than_charged"));
    assert_eq!(gateway.refund("t:1", "ch_none", krw(1)).await, failed("unknown_charge"));
    assert_eq!(gateway.look_up("r:1").await, Ok(None), "a refund is no charge");
    assert_eq!(provider.moved().await, [("a:1".to_owned(), 100), ("r:1".to_owned(), 60)]);
}

#[tokio::test]
async fn a_lost_answer_is_unknown_and_found_under_the_same_key() {
    let provider = Provider::start().await;
    let gateway = provider.gateway();
    let lost = gateway.charge("a:1", krw(100), method::TIMEOUT_THEN_CAPTURED).await;
    assert!(matches!(lost, Err(GatewayError::Unknown(_))), "{lost:?}");
    assert_eq!(gateway.look_up("a:1").await, Ok(Some(captured("a:1"))));
    let again = gateway.charge("a:1", krw(100), method::TIMEOUT_THEN_CAPTURED).await;
    assert_eq!(again, Ok(captured("a:1")));
    assert_eq!(provider.moved().await, [("a:1".to_owned(), 100)]);
}

#[tokio::test]
async fn a_key_that_was_used_for_another_call_moves_nothing() {
    let provider = Provider::start().await;
    let gateway = provider.gateway();
    gateway.charge("a:1", krw(100), method::OK).await.unwrap();
    gateway.refund("r:1", "ch_a:1", krw(10)).await.unwrap();
    let refused = |error: GatewayError| {
        assert!(error.to_string().contains("422 (idempotency_key_reused)"), "{error}");
    };
    refused(gateway.charge("a:1", krw(101), method::OK).await.unwrap_err());
    refused(gateway.charge("r:1", krw(10), method::OK).await.unwrap_err());
    refused(gateway.refund("a:1", "ch_a:1", krw(100)).await.unwrap_err());
    refused(gateway.refund("r:1", "ch_a:1", krw(11)).await.unwrap_err());
    refused(gateway.refund("r:1", "ch_b:1", krw(10)).await.unwrap_err());
    refused(gateway.void("r:1").await.unwrap_err());
    assert_eq!(provider.moved().await, [("a:1".to_owned(), 100), ("r:1".to_owned(), 10)]);
}

#[tokio::test]
async fn the_books_are_read_over_http_in_the_order_in_which_they_were_written() {
    let provider = Provider::start().await;
    let gateway = provider.gateway();
    for key in ["z:1", "a:1", "m:1"] {
        gateway.charge(key, krw(7), method::OK).await.unwrap();
    }
    gateway.void("v:1").await.unwrap();
    let entries = provider.client.ledger().await.unwrap();
    assert_eq!(entries, provider.sandbox.entries().await.unwrap());
    let keys: Vec<_> = entries.iter().map(|entry| (entry.key.as_str(), entry.kind)).collect();
    let charge = LedgerKind::Charge;
    assert_eq!(keys, [("z:1", charge), ("a:1", charge), ("m:1", charge), ("v:1", LedgerKind::Void)]);
}
