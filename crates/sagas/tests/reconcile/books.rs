//! Books that do not show what they should.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use domain::{Money, payment::PaymentTiming};
use gateway::Sandbox;
use orderstream_sagas::{
    ChargeOutcome, GatewayError, PaymentGateway, ReconcileOptions, RefundAnswer, VoidOutcome,
    payments::charge_key,
    ports::LedgerPage,
    reconcile,
    reconcile::{DifferenceKind::ChargeNotInBooks, ReconcileError},
};

use crate::shop::Shop;

/// What is wrong with the books.
enum Fault {
    /// They do not show what was done under this key, which is not forgotten.
    Hides(String),
    /// So many requests in a row fail, then one is answered.
    FailsInARow(u32),
    /// Every page is empty and followed by the same one.
    Circle,
}

/// The sandbox with books of its own.
struct Desk {
    sandbox: Sandbox,
    fault: Fault,
    asked: AtomicU32,
}

impl Desk {
    fn of(shop: &Shop, fault: Fault) -> Self {
        Self { sandbox: shop.sandbox.clone(), fault, asked: AtomicU32::new(0) }
    }

    /// Counts a request; whether it fails.
    fn ask(&self) -> Result<(), GatewayError> {
        let asked = self.asked.fetch_add(1, SeqCst);
        match self.fault {
            Fault::FailsInARow(times) if asked % (times + 1) < times => {
                Err(GatewayError::Unavailable("closed".to_owned()))
            }
            _ => Ok(()),
        }
    }
}

#[async_trait::async_trait]
impl PaymentGateway for Desk {
    async fn charge(&self, key: &str, amount: Money, token: &str) -> Result<ChargeOutcome, GatewayError> {
        self.sandbox.charge(key, amount, token).await
    }
    async fn void(&self, key: &str) -> Result<VoidOutcome, GatewayError> {
        self.sandbox.void(key).await
    }
    async fn refund(&self, key: &str, charge_ref: &str, amount: Money) -> Result<RefundAnswer, GatewayError> {
        self.sandbox.refund(key, charge_ref, amount).await
    }
    async fn look_up(&self, key: &str) -> Result<Option<ChargeOutcome>, GatewayError> {
        self.ask()?;
        self.sandbox.look_up(key).await
    }
    async fn ledger(&self, after: Option<&str>) -> Result<LedgerPage, GatewayError> {
        self.ask()?;
        match &self.fault {
            Fault::Hides(key) => {
                let mut page = self.sandbox.ledger(after).await?;
                page.entries.retain(|entry| entry.key != *key);
                Ok(page)
            }
            Fault::FailsInARow(_) => self.sandbox.ledger(after).await,
            Fault::Circle => Ok(LedgerPage { entries: Vec::new(), next: Some("here".to_owned()) }),
        }
    }
}

#[tokio::test]
async fn a_capture_that_the_books_show_later_is_asked_for_by_its_key() {
    let shop = Shop::open().await;
    let (late, gone) = (shop.paid().await, shop.paid().await);
    shop.in_books(&format!("DELETE FROM entries WHERE key = '{}'", charge_key(gone, 1)));
    let desk = Desk::of(&shop, Fault::Hides(charge_key(late, 1)));
    let options = ReconcileOptions::default();
    let report = reconcile(shop.executor.log(), &desk, options, |_| {}).await.unwrap();
    let found: Vec<_> = report.differences.iter().map(|it| (it.kind, it.key.clone())).collect();
    assert_eq!(found, [(ChargeNotInBooks, charge_key(gone, 1))]);
}

#[tokio::test]
async fn a_page_is_asked_for_six_times_before_the_books_count_as_closed() {
    let shop = Shop::open().await;
    shop.request(PaymentTiming::AtOrder).await;
    let desk = Desk::of(&shop, Fault::FailsInARow(6));
    let closed = reconcile(shop.executor.log(), &desk, ReconcileOptions::default(), |_| {}).await;
    assert!(closed.unwrap_err().to_string().contains("books cannot be read"));
    assert_eq!(desk.asked.load(SeqCst), 6);
    let desk = Desk::of(&shop, Fault::FailsInARow(5));
    let report = reconcile(shop.executor.log(), &desk, ReconcileOptions::default(), |_| {}).await.unwrap();
    assert_eq!((report.payments, report.differing), (1, 0));
}

#[tokio::test]
async fn books_that_run_in_a_circle_are_left() {
    let shop = Shop::open().await;
    let desk = Desk::of(&shop, Fault::Circle);
    let told = reconcile(shop.executor.log(), &desk, ReconcileOptions::default(), |_| {}).await;
    assert!(matches!(told, Err(ReconcileError::Circle(page)) if page == "here"));
}
