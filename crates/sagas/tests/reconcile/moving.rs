//! Both sides move while they are compared.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use domain::payment::{PaymentCommand, PaymentTiming, full_refund_of};
use gateway::method;
use orderstream_sagas::{payments::charge_key, reconcile::DifferenceKind};
use rand::Rng;

use crate::shop::Shop;

/// One payment of one of the ways that payments go.
async fn one(shop: &Shop) {
    let way = rand::rng().random_range(0..5);
    match way {
        0 => {
            let id = shop.request(PaymentTiming::AtOrder).await;
            shop.start(id).await;
            let outcome = shop.charge(id, 1, method::DECLINED).await;
            shop.record(id, 1, outcome).await;
        }
        1 => {
            let id = shop.request(PaymentTiming::Deferred).await;
            for (attempt, token) in [(1, method::DECLINED), (2, method::OK)] {
                shop.start(id).await;
                let outcome = shop.charge(id, attempt, token).await;
                shop.record(id, attempt, outcome).await;
            }
        }
        2 => {
            // Called off while it is charged.
            let id = shop.request(PaymentTiming::AtOrder).await;
            shop.start(id).await;
            let outcome = shop.charge(id, 1, method::OK).await;
            shop.give(id, PaymentCommand::VoidPayment).await;
            shop.record(id, 1, outcome).await;
            let answer = shop.refund(id, full_refund_of(id), 1, 1000).await;
            shop.record_refund(id, full_refund_of(id), 1, answer).await;
        }
        _ => {
            let id = shop.paid().await;
            for amount in [100, 0, 250] {
                shop.given_back(id, amount).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn payments_that_are_made_meanwhile_are_never_reported() {
    let shop = Arc::new(Shop::open().await);
    let orphan = shop.request(PaymentTiming::AtOrder).await;
    shop.start(orphan).await;
    shop.charge(orphan, 1, method::OK).await;
    shop.declined(orphan, 1).await;
    let over = Arc::new(AtomicBool::new(false));
    let customers: Vec<_> = (0..24)
        .map(|_| {
            let (shop, over) = (shop.clone(), over.clone());
            tokio::spawn(async move {
                while !over.load(SeqCst) {
                    one(&shop).await;
                }
            })
        })
        .collect();
    let (begun, mut runs, mut under_way) = (Instant::now(), 0, 0);
    while begun.elapsed() < Duration::from_secs(5) || runs < 10 {
        let report = shop.reconcile().await;
        let found: Vec<_> = report.differences.iter().map(|it| (it.kind, it.key.clone())).collect();
        let wanted = [(DifferenceKind::OrphanCharge, charge_key(orphan, 1))];
        assert_eq!(found, wanted, "run {runs}: {:#?}", report.differences);
        (runs, under_way) = (runs + 1, under_way + report.under_way);
    }
    over.store(true, SeqCst);
    for customer in customers {
        customer.await.unwrap();
    }
    assert!(under_way > 0, "nothing moved in {runs} runs");
    let report = shop.reconcile().await;
    assert_eq!((report.differing, report.under_way), (1, 0));
    let sums = report.sums["KRW"];
    assert_eq!(sums.log.charged_minor + 1000, sums.books.charged_minor);
    assert_eq!(sums.log.refunded_minor, sums.books.refunded_minor);
    println!("{runs} runs over {} payments, {under_way} under way", report.payments);
}
