//! Charges that the log does not know are put there; nothing else is mended.

use domain::{
    Actor,
    payment::{PaymentCommand, PaymentTiming, full_refund_of},
};
use gateway::method;
use orderstream_sagas::{
    ReconcileReport, RefundAnswer, mend,
    payments::{charge_key, refund_key},
    reconcile::MendResult::{Captured, NotMended, Refunding},
};

use crate::shop::Shop;

async fn mended(shop: &Shop) -> ReconcileReport {
    let mut report = shop.reconcile().await;
    mend(&shop.executor, shop.clock.as_ref(), &Actor::System, &mut report).await.unwrap();
    report
}

#[tokio::test]
async fn an_orphan_charge_is_found_late_and_goes_back() {
    let shop = Shop::open().await;
    let id = shop.request(PaymentTiming::AtOrder).await;
    shop.start(id).await;
    shop.charge(id, 1, method::OK).await;
    shop.declined(id, 1).await;
    let report = mended(&shop).await;
    assert_eq!((report.differing, report.left()), (1, 0));
    assert_eq!((report.mended[0].result, &report.mended[0].key), (Refunding, &charge_key(id, 1)));
    assert_eq!(shop.status(id).await, "refunding");
    // A second run finds the refund under way, and the refund made.
    let again = mended(&shop).await;
    assert_eq!((again.differing, again.under_way, again.mended.len()), (0, 1, 0), "{again:#?}");
    let refund_id = full_refund_of(id);
    let answer = shop.refund(id, refund_id, 1, 1000).await;
    shop.record_refund(id, refund_id, 1, answer).await;
    let at_rest = shop.reconcile().await;
    assert_eq!((at_rest.differing, at_rest.under_way), (0, 0));
}

#[tokio::test]
async fn a_charge_whose_payment_still_waits_pays_it() {
    let shop = Shop::open().await;
    let (declined, under_way) =
        (shop.request(PaymentTiming::Deferred).await, shop.request(PaymentTiming::AtOrder).await);
    for id in [declined, under_way] {
        shop.start(id).await;
        shop.charge(id, 1, method::OK).await;
    }
    shop.declined(declined, 1).await;
    let report = mended(&shop).await;
    assert_eq!((report.differing, report.left()), (1, 0));
    assert!(report.mended.len() == 2 && report.mended.iter().all(|it| it.result == Captured), "{report:#?}");
    for id in [declined, under_way] {
        assert_eq!(shop.status(id).await, "captured");
    }
    assert_eq!(shop.differences().await, []);
}

#[tokio::test]
async fn what_the_log_cannot_take_note_of_is_left_and_said() {
    let shop = Shop::open().await;
    let paid = shop.paid().await;
    shop.enter("charge", &charge_key(paid, 2), 1000, "ch_second");
    shop.enter("charge", &charge_key(shop.new_id(), 1), 1000, "ch_nobody");
    let other_amount = shop.request(PaymentTiming::AtOrder).await;
    shop.start(other_amount).await;
    shop.enter("charge", &charge_key(other_amount, 1), 900, "ch_less");
    shop.declined(other_amount, 1).await;
    let twice = shop.request(PaymentTiming::Deferred).await;
    shop.start(twice).await;
    shop.charge(twice, 1, method::OK).await;
    shop.declined(twice, 1).await;
    shop.start(twice).await;
    let outcome = shop.charge(twice, 2, method::OK).await;
    shop.record(twice, 2, outcome).await;
    let refund = shop.start_refund(paid, 100).await;
    shop.record_refund(paid, refund, 1, RefundAnswer::Refunded { provider_ref: "re_1".to_owned() }).await;
    let head = shop.executor.log().head().await.unwrap();
    let report = mended(&shop).await;
    assert_eq!((report.differing, report.left(), report.mended.len()), (5, 5, 4), "{report:#?}");
    assert!(report.mended.iter().all(|it| it.result == NotMended && it.what.contains("at the provider")));
    assert!(report.differences.iter().any(|it| it.key == refund_key(refund, 1)));
    assert_eq!(shop.executor.log().head().await.unwrap(), head, "something was written");
}

#[tokio::test]
async fn comparing_alone_changes_nothing() {
    let shop = Shop::open().await;
    let id = shop.request(PaymentTiming::AtOrder).await;
    shop.start(id).await;
    shop.charge(id, 1, method::OK).await;
    shop.give(id, PaymentCommand::VoidPayment).await;
    shop.declined(id, 1).await;
    let (head, books) = (shop.executor.log().head().await.unwrap(), shop.sandbox.entries().await.unwrap());
    assert_eq!(shop.reconcile().await.differing, 1);
    assert_eq!(shop.executor.log().head().await.unwrap(), head);
    assert_eq!(shop.sandbox.entries().await.unwrap(), books);
}
