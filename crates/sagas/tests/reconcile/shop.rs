//! Somebody who takes payments: by the same commands and calls as the process `payments`, step by step.

use std::sync::Arc;

use domain::{
    Actor, Aggregate as _, ContactId, Currency, Money, OrderId, PaymentId, RefundId, ShopId,
    order::payment_of,
    payment::{CaptureOutcome, Payment, PaymentCommand, PaymentTiming, RefundOutcome},
};
use eventlog::{
    Clock, CommandContext, ExecuteError, Executed, Executor, ExecutorOptions, IdGen, Log, LogOptions,
    SystemClock,
};
use gateway::{Sandbox, SandboxOptions, method};
use orderstream_sagas::{
    ChargeOutcome, PaymentGateway, ReconcileOptions, ReconcileReport, RefundAnswer,
    payments::{charge_key, refund_key},
    reconcile,
    reconcile::DifferenceKind,
};

pub struct Shop {
    pub executor: Executor,
    pub sandbox: Sandbox,
    pub clock: Arc<dyn Clock>,
    ids: IdGen,
    folder: tempfile::TempDir,
}

pub fn won(amount_minor: i64) -> Money {
    Money { amount_minor, currency: Currency::KRW }
}

impl Shop {
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open_sqlite(&folder.path().join("log.db"), LogOptions::default()).await.unwrap();
        let path = folder.path().join("sandbox.db");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Self {
            executor: Executor::new(log, None, ExecutorOptions::default()),
            sandbox: Sandbox::open(&path, SandboxOptions::default()).unwrap(),
            ids: IdGen::new(clock.clone()),
            clock,
            folder,
        }
    }

    pub async fn try_give(
        &self,
        id: PaymentId,
        command: PaymentCommand,
    ) -> Result<Executed, ExecuteError<domain::payment::PaymentError>> {
        let context = CommandContext {
            command_id: self.ids.next_anywhere(),
            correlation_id: id.uuid(),
            causation_id: None,
            actor: Actor::System,
            at: self.clock.now(),
            traceparent: None,
        };
        self.executor.execute::<Payment>(&id, command, context).await
    }

    pub async fn give(&self, id: PaymentId, command: PaymentCommand) {
        self.try_give(id, command).await.unwrap();
    }

    pub fn new_id(&self) -> PaymentId {
        let shop: ShopId = "phone".parse().unwrap();
        payment_of(OrderId::from_uuid(self.ids.next(shop.partition())))
    }

    /// Wants money.
    pub async fn request(&self, timing: PaymentTiming) -> PaymentId {
        let id = self.new_id();
        let command = PaymentCommand::RequestPayment {
            payment_id: id,
            subject: OrderId::from_uuid(id.uuid()).into(),
            customer_id: "alice".parse().unwrap(),
            shop_id: Some("phone".parse().unwrap()),
            amount: won(1000),
            timing,
            method: None,
            due_at: self.clock.now() + chrono::Duration::hours(1),
        };
        self.give(id, command).await;
        id
    }

    /// Puts the intent to charge on the log.
    pub async fn start(&self, id: PaymentId) {
        let method = ContactId::from_uuid(id.uuid());
        self.give(id, PaymentCommand::StartCapture { method, at: self.clock.now() }).await;
    }

    pub async fn charge(&self, id: PaymentId, attempt: u32, token: &str) -> ChargeOutcome {
        self.sandbox.charge(&charge_key(id, attempt), won(1000), token).await.unwrap()
    }

    pub async fn record(&self, id: PaymentId, attempt: u32, outcome: ChargeOutcome) {
        let outcome = match outcome {
            ChargeOutcome::Captured { provider_ref } => CaptureOutcome::Captured { provider_ref },
            ChargeOutcome::Declined { code } => CaptureOutcome::Declined { decline_code: code },
        };
        self.give(id, PaymentCommand::RecordCapture { attempt, outcome, at: self.clock.now() }).await;
    }

    pub async fn declined(&self, id: PaymentId, attempt: u32) {
        self.record(id, attempt, ChargeOutcome::Declined { code: "no_funds".to_owned() }).await;
    }

    /// A payment from its request to its capture.
    pub async fn paid(&self) -> PaymentId {
        let id = self.request(PaymentTiming::AtOrder).await;
        self.start(id).await;
        let outcome = self.charge(id, 1, method::OK).await;
        self.record(id, 1, outcome).await;
        id
    }

    /// Puts the intent to give back on the log.
    pub async fn start_refund(&self, id: PaymentId, amount: i64) -> RefundId {
        let refund_id = RefundId::from_uuid(self.new_id().uuid());
        self.give(id, PaymentCommand::StartRefund { refund_id, amount: won(amount) }).await;
        refund_id
    }

    pub async fn refund(
        &self,
        id: PaymentId,
        refund_id: RefundId,
        attempt: u32,
        amount: i64,
    ) -> RefundAnswer {
        let charge = format!("ch_{}", charge_key(id, 1));
        self.sandbox.refund(&refund_key(refund_id, attempt), &charge, won(amount)).await.unwrap()
    }

    pub async fn record_refund(
        &self,
        id: PaymentId,
        refund_id: RefundId,
        attempt: u32,
        answer: RefundAnswer,
    ) {
        let outcome = match answer {
            RefundAnswer::Refunded { provider_ref } => RefundOutcome::Refunded { provider_ref },
            RefundAnswer::Failed { code } => RefundOutcome::Failed { failure_code: code },
        };
        self.give(id, PaymentCommand::RecordRefund { refund_id, attempt, outcome }).await;
    }

    /// A refund from its start to its end.
    pub async fn given_back(&self, id: PaymentId, amount: i64) -> RefundId {
        let refund_id = self.start_refund(id, amount).await;
        // There is nothing to ask the provider for.
        if amount == 0 {
            return refund_id;
        }
        let answer = self.refund(id, refund_id, 1, amount).await;
        self.record_refund(id, refund_id, 1, answer).await;
        refund_id
    }

    /// Changes the books by hand.
    pub fn in_books(&self, sql: &str) {
        let books = rusqlite::Connection::open(self.folder.path().join("sandbox.db")).unwrap();
        books.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        let rows = books.execute(sql, []).unwrap();
        assert_eq!(rows, 1, "{sql}");
    }

    /// Enters a row that moved money.
    pub fn enter(&self, kind: &str, key: &str, amount: i64, charge_ref: &str) {
        self.in_books(&format!(
            "INSERT INTO entries VALUES ('{key}', '{kind}', {amount}, 'KRW', '{charge_ref}', NULL, 1)"
        ));
    }

    pub async fn reconcile(&self) -> ReconcileReport {
        let options = ReconcileOptions { list_foreign: true };
        reconcile(self.executor.log(), &self.sandbox, options, |_| {}).await.unwrap()
    }

    /// The kinds, keys and amounts of what differs.
    pub async fn differences(&self) -> Vec<(DifferenceKind, String, Option<i64>, Option<i64>)> {
        let report = self.reconcile().await;
        assert_eq!(report.differing, report.differences.len() as u64);
        let short = |it: orderstream_sagas::reconcile::Difference| {
            assert!(!it.what.is_empty());
            (it.kind, it.key, it.log.map(|a| a.amount_minor), it.books.map(|a| a.amount_minor))
        };
        report.differences.into_iter().map(short).collect()
    }

    pub async fn status(&self, id: PaymentId) -> &'static str {
        self.executor.inspect::<Payment, _>(&id, |_, payment: &Payment| payment.status()).await.unwrap()
    }
}
