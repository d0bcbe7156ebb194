//! Every kind of difference is found, and none is invented.

use domain::payment::{PaymentCommand, PaymentTiming};
use gateway::{Behaviour, LedgerKind, method};
use orderstream_sagas::{
    ChargeOutcome, PaymentGateway, RefundAnswer,
    payments::{charge_key, refund_key},
    reconcile::DifferenceKind::{
        ChargeAmountDiffers, ChargeNotInBooks, ChargedTwice, OrphanCharge, ProviderRefDiffers,
        RefundAmountDiffers, RefundNotInBooks, RefundNotOnLog, UnknownCharge,
    },
};

use crate::shop::{Shop, won};

#[tokio::test]
async fn nothing_differs_where_everything_is_as_it_should_be() {
    let shop = Shop::open().await;
    assert_eq!(shop.differences().await, []);
    let paid = shop.paid().await;
    shop.given_back(paid, 300).await;
    shop.given_back(paid, 0).await;
    let declined = shop.request(PaymentTiming::AtOrder).await;
    shop.start(declined).await;
    let outcome = shop.charge(declined, 1, method::DECLINED).await;
    shop.record(declined, 1, outcome).await;
    // Declined, then paid with another card.
    let later = shop.request(PaymentTiming::Deferred).await;
    shop.start(later).await;
    let outcome = shop.charge(later, 1, method::DECLINED).await;
    shop.record(later, 1, outcome).await;
    shop.start(later).await;
    let outcome = shop.charge(later, 2, method::OK).await;
    shop.record(later, 2, outcome).await;
    // The key was closed unused.
    let voided = shop.request(PaymentTiming::AtOrder).await;
    shop.start(voided).await;
    shop.sandbox.void(&charge_key(voided, 1)).await.unwrap();
    shop.declined(voided, 1).await;
    // A refund that failed and worked at the second attempt.
    let twice = shop.paid().await;
    let refund = shop.start_refund(twice, 500).await;
    shop.record_refund(twice, refund, 1, RefundAnswer::Failed { code: "closed".to_owned() }).await;
    shop.give(twice, PaymentCommand::RetryRefund { refund_id: refund, failed_attempt: 1 }).await;
    let answer = shop.refund(twice, refund, 2, 500).await;
    shop.record_refund(twice, refund, 2, answer).await;

    let report = shop.reconcile().await;
    assert_eq!((report.differing, report.under_way, report.foreign), (0, 0, 0), "{report:#?}");
    assert_eq!((report.payments, report.left()), (5, 0));
    let head = shop.executor.log().head().await.unwrap();
    assert_eq!((report.position, report.events), (head, head));
    assert_eq!(report.entries, shop.sandbox.entries().await.unwrap().len() as u64);
    let sums = report.sums["KRW"];
    assert_eq!(sums.log, sums.books);
    let log = sums.log;
    assert_eq!((log.charges, log.charged_minor, log.refunds, log.refunded_minor), (3, 3000, 2, 800));
}

#[tokio::test]
async fn what_is_under_way_is_no_difference_whatever_the_books_say() {
    let shop = Shop::open().await;
    let (asked, charged, denied) = (
        shop.request(PaymentTiming::AtOrder).await,
        shop.request(PaymentTiming::AtOrder).await,
        shop.request(PaymentTiming::AtOrder).await,
    );
    for id in [asked, charged, denied] {
        shop.start(id).await;
    }
    shop.charge(charged, 1, method::OK).await;
    shop.charge(denied, 1, method::DECLINED).await;
    let paid = shop.paid().await;
    let (waiting, made) = (shop.start_refund(paid, 100).await, shop.start_refund(paid, 200).await);
    shop.refund(paid, made, 1, 200).await;
    let failed = shop.start_refund(paid, 300).await;
    shop.record_refund(paid, failed, 1, RefundAnswer::Failed { code: "closed".to_owned() }).await;
    let report = shop.reconcile().await;
    assert_eq!(report.differences, [], "{report:#?}");
    let mut keys: Vec<_> =
        [asked, charged, denied].map(|id| (charge_key(id, 1), LedgerKind::Charge, id == charged)).to_vec();
    keys.extend([waiting, made, failed].map(|id| (refund_key(id, 1), LedgerKind::Refund, true)));
    keys.sort_by(|a, b| a.0.cmp(&b.0));
    let open = report.open.iter().map(|it| (it.key.clone(), it.kind, it.provider_ref.is_some()));
    assert_eq!(open.collect::<Vec<_>>(), keys);
}

#[tokio::test]
async fn a_charge_of_a_payment_or_an_attempt_that_the_log_does_not_know_is_found() {
    let shop = Shop::open().await;
    let (stranger, paid) = (shop.new_id(), shop.paid().await);
    let (no_payment, no_attempt) = (charge_key(stranger, 1), charge_key(paid, 2));
    shop.enter("charge", &no_payment, 700, "ch_x");
    shop.enter("charge", &no_attempt, 800, "ch_y");
    // No money moved: nobody misses anything.
    shop.sandbox.charge(&charge_key(shop.new_id(), 1), won(5), method::DECLINED).await.unwrap();
    let mut wanted =
        vec![(UnknownCharge, no_payment, None, Some(700)), (UnknownCharge, no_attempt, None, Some(800))];
    wanted.sort();
    assert_eq!(shop.differences().await, wanted);
}

#[tokio::test]
async fn a_charge_that_the_log_calls_declined_voided_or_expired_is_an_orphan_until_it_is_given_back() {
    let shop = Shop::open().await;
    let [declined, voided, expired] = [
        shop.request(PaymentTiming::AtOrder).await,
        shop.request(PaymentTiming::AtOrder).await,
        shop.request(PaymentTiming::Deferred).await,
    ];
    for id in [declined, voided, expired] {
        shop.start(id).await;
        shop.charge(id, 1, method::OK).await;
    }
    shop.give(voided, PaymentCommand::VoidPayment).await;
    for id in [declined, voided, expired] {
        shop.declined(id, 1).await;
    }
    let at = shop.clock.now() + chrono::Duration::hours(2);
    shop.give(expired, PaymentCommand::ExpirePayment { at }).await;
    let mut wanted =
        [declined, voided, expired].map(|id| (OrphanCharge, charge_key(id, 1), Some(1000), Some(1000)));
    wanted.sort();
    assert_eq!(shop.differences().await, wanted);
    // Somebody gives one back at the provider's desk, and a part of another.
    let name = |id| format!("ch_{}", charge_key(id, 1));
    shop.enter("refund", "by-hand-1", 1000, &name(declined));
    shop.enter("refund", "by-hand-2", 999, &name(voided));
    let found = shop.differences().await;
    let orphans: Vec<_> = found.iter().filter(|it| it.0 == OrphanCharge).map(|it| it.1.clone()).collect();
    let mut still = vec![charge_key(voided, 1), charge_key(expired, 1)];
    still.sort();
    assert_eq!(orphans, still);
    let partly = (RefundNotOnLog, "by-hand-2".to_owned(), None, Some(999));
    assert_eq!((found.len(), found.contains(&partly)), (3, true), "{found:?}");
}

#[tokio::test]
async fn a_payment_that_was_charged_twice_is_found() {
    let shop = Shop::open().await;
    let id = shop.request(PaymentTiming::Deferred).await;
    shop.start(id).await;
    shop.charge(id, 1, method::OK).await;
    shop.declined(id, 1).await;
    shop.start(id).await;
    let outcome = shop.charge(id, 2, method::OK).await;
    shop.record(id, 2, outcome).await;
    let wanted = (ChargedTwice, charge_key(id, 1), Some(1000), Some(1000));
    assert_eq!(shop.differences().await, [wanted]);
}

#[tokio::test]
async fn a_capture_that_is_not_in_the_books_is_found() {
    let shop = Shop::open().await;
    let (gone, denied) = (shop.paid().await, shop.paid().await);
    shop.in_books(&format!("DELETE FROM entries WHERE key = '{}'", charge_key(gone, 1)));
    let key = charge_key(denied, 1);
    shop.in_books(&format!("UPDATE entries SET charge_ref = NULL, code = 'no' WHERE key = '{key}'"));
    let mut wanted = [gone, denied].map(|id| (ChargeNotInBooks, charge_key(id, 1), Some(1000), None));
    wanted.sort();
    assert_eq!(shop.differences().await, wanted);
    for it in shop.reconcile().await.differences {
        let why =
            if it.key == key { "the books say that no money moved" } else { "the books do not know the key" };
        assert!(it.what.ends_with(why), "{it:?}");
    }
}

#[tokio::test]
async fn other_amounts_currencies_and_names_are_found() {
    let shop = Shop::open().await;
    let (amount, currency, name) = (shop.paid().await, shop.paid().await, shop.paid().await);
    let change = |id, what: &str| {
        shop.in_books(&format!("UPDATE entries SET {what} WHERE key = '{}'", charge_key(id, 1)));
    };
    change(amount, "amount_minor = 999");
    change(currency, "currency = 'EUR'");
    change(name, "charge_ref = 'ch_other'");
    let mut wanted = vec![
        (ChargeAmountDiffers, charge_key(amount, 1), Some(1000), Some(999)),
        (ChargeAmountDiffers, charge_key(currency, 1), Some(1000), Some(1000)),
        (ProviderRefDiffers, charge_key(name, 1), Some(1000), Some(1000)),
    ];
    wanted.sort();
    assert_eq!(shop.differences().await, wanted);
    let report = shop.reconcile().await;
    assert_eq!(report.sums["EUR"].books.charged_minor, 1000);
    assert_eq!(report.sums["KRW"].log.charged_minor, 3000);
}

#[tokio::test]
async fn refunds_that_only_one_side_has_are_found() {
    let shop = Shop::open().await;
    let paid = shop.paid().await;
    let gone = shop.given_back(paid, 100).await;
    shop.in_books(&format!("DELETE FROM entries WHERE key = '{}'", refund_key(gone, 1)));
    // The log believes that it failed.
    let failed = shop.start_refund(paid, 200).await;
    shop.refund(paid, failed, 1, 200).await;
    shop.record_refund(paid, failed, 1, RefundAnswer::Failed { code: "mistaken".to_owned() }).await;
    // The log never heard of these.
    let charge = format!("ch_{}", charge_key(paid, 1));
    let (ours, of_nothing) = (format!("{}:1", shop.new_id()), format!("{}:1", shop.new_id()));
    shop.enter("refund", &ours, 50, &charge);
    shop.enter("refund", &of_nothing, 60, "ch_unknown");
    shop.enter("refund", "desk-7", 70, &charge);
    let mut wanted = vec![
        (RefundNotInBooks, refund_key(gone, 1), Some(100), None),
        (RefundNotOnLog, refund_key(failed, 1), Some(200), Some(200)),
        (RefundNotOnLog, ours, None, Some(50)),
        (RefundNotOnLog, of_nothing, None, Some(60)),
        (RefundNotOnLog, "desk-7".to_owned(), None, Some(70)),
    ];
    wanted.sort();
    assert_eq!(shop.differences().await, wanted);
}

#[tokio::test]
async fn refunds_of_another_amount_from_another_charge_or_made_twice_are_found() {
    let shop = Shop::open().await;
    let paid = shop.paid().await;
    let (amount, charge, twice) = (
        shop.given_back(paid, 100).await,
        shop.given_back(paid, 200).await,
        shop.start_refund(paid, 300).await,
    );
    shop.in_books(&format!("UPDATE entries SET amount_minor = 101 WHERE key = '{}'", refund_key(amount, 1)));
    shop.in_books(&format!("UPDATE entries SET charge_ref = 'ch_z' WHERE key = '{}'", refund_key(charge, 1)));
    shop.refund(paid, twice, 1, 300).await;
    shop.record_refund(paid, twice, 1, RefundAnswer::Failed { code: "mistaken".to_owned() }).await;
    shop.give(paid, PaymentCommand::RetryRefund { refund_id: twice, failed_attempt: 1 }).await;
    let answer = shop.refund(paid, twice, 2, 300).await;
    shop.record_refund(paid, twice, 2, answer).await;
    let mut wanted = vec![
        (RefundAmountDiffers, refund_key(amount, 1), Some(100), Some(101)),
        (ProviderRefDiffers, refund_key(charge, 1), Some(200), Some(200)),
        (RefundAmountDiffers, refund_key(twice, 2), Some(300), Some(600)),
    ];
    wanted.sort();
    assert_eq!(shop.differences().await, wanted);
}

#[tokio::test]
async fn keys_of_other_systems_are_counted_and_listed_and_do_not_count_as_ours() {
    let shop = Shop::open().await;
    let paid = shop.paid().await;
    let key = charge_key(paid, 1);
    let foreign = [
        "invoice-1".to_owned(),
        format!("{key}:1"),
        key.to_uppercase(),
        format!("{paid}:0"),
        format!("{paid}:01"),
    ];
    for key in &foreign {
        shop.enter("charge", key, 10, &format!("ch_{key}"));
    }
    shop.enter("refund", "credit-1", 5, "ch_invoice-1");
    let report = shop.reconcile().await;
    assert_eq!((report.differing, report.foreign), (0, 6), "{report:#?}");
    let listed: Vec<_> = report.foreign_entries.iter().map(|it| it.key.clone()).collect();
    assert_eq!(listed, [&foreign[..], &["credit-1".to_owned()]].concat());
    assert_eq!(report.sums["KRW"].books.charged_minor, 1000);
}

#[tokio::test]
async fn a_provider_that_fails_now_and_then_is_asked_again() {
    let shop = Shop::open().await;
    shop.paid().await;
    let wobbly = Behaviour { fail_rate: 0.3, ..Behaviour::default() };
    shop.sandbox.behave(wobbly).unwrap();
    assert_eq!(shop.differences().await, []);
}

#[tokio::test]
async fn an_outcome_that_is_recorded_late_leaves_no_difference() {
    let shop = Shop::open().await;
    let id = shop.request(PaymentTiming::AtOrder).await;
    shop.start(id).await;
    let outcome = shop.charge(id, 1, method::OK).await;
    shop.declined(id, 1).await;
    shop.record(id, 1, outcome.clone()).await;
    assert!(matches!(outcome, ChargeOutcome::Captured { .. }));
    assert_eq!(shop.status(id).await, "refunding");
    let report = shop.reconcile().await;
    assert_eq!((report.differing, report.under_way), (0, 1), "{report:#?}");
}
