//! The sandbox: a payment provider that moves no money. What it does is decided by the payment token, so that every
//! outcome can be tried out. Its ledger is a file of its own and survives a crash, as a real provider's books would.

use std::{
    ops::RangeInclusive,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use domain::Money;
use eventlog::StoreError;
use sagas::ports::{
    Availability, ChargeOutcome, GatewayError, LedgerEntry, LedgerPage, PaymentGateway, RefundAnswer,
    VoidOutcome,
};
use tokio::time::sleep;

use crate::{
    behaviour::{Behaviour, BehaviourError, Fault},
    ledger::Ledger,
};

/// The payment tokens that the sandbox knows; it declines all others as `unknown_payment_method`.
pub mod method {
    /// Is charged.
    pub const OK: &str = "tok_ok";
    /// Is declined as `card_declined`.
    pub const DECLINED: &str = "tok_declined";
    /// Is declined as `insufficient_funds`.
    pub const INSUFFICIENT_FUNDS: &str = "tok_insufficient_funds";
    /// Is charged, after [`super::SLOW`].
    pub const SLOW: &str = "tok_slow";
    /// Is charged, but the first answer is lost.
    pub const TIMEOUT_THEN_CAPTURED: &str = "tok_timeout_then_captured";
}

/// How long the sandbox takes for `tok_slow`.
pub const SLOW: Duration = Duration::from_secs(2);

/// What a caller is told to wait during an outage. *Source*: ours; nobody knows when an outage ends.
pub(crate) const OUTAGE_RETRY_AFTER: Duration = Duration::from_secs(1);

/// How the sandbox behaves at first; see [`Sandbox::behave`].
#[derive(Clone, Debug)]
pub struct SandboxOptions {
    /// How long an answer takes, in milliseconds.
    pub latency_ms: RangeInclusive<u64>,
    /// Share of calls, 0.0 to 1.0, that fail without having done anything.
    pub fail_rate: f64,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self { latency_ms: 0..=0, fail_rate: 0.0 }
    }
}

/// A payment provider that moves no money. Clones share books and behaviour.
#[derive(Clone)]
pub struct Sandbox {
    ledger: Ledger,
    behaviour: Arc<RwLock<Behaviour>>,
}

impl Sandbox {
    /// Opens the sandbox over the ledger in `path`, creating it if need be. Blocks.
    ///
    /// # Errors
    /// When the ledger cannot be opened.
    pub fn open(path: &Path, options: SandboxOptions) -> Result<Self, StoreError> {
        let behaviour = Arc::new(RwLock::new(options.into()));
        Ok(Self { ledger: Ledger::open(path)?, behaviour })
    }

    /// How it behaves now.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        *self.behaviour.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Behaves like this from the next call on.
    ///
    /// # Errors
    /// See [`BehaviourError`]; it behaves as before then.
    pub fn behave(&self, behaviour: Behaviour) -> Result<(), BehaviourError> {
        behaviour.check()?;
        *self.behaviour.write().unwrap_or_else(PoisonError::into_inner) = behaviour;
        Ok(())
    }

    /// Every charge and refund, in the order in which they came in: the oracle of tests.
    ///
    /// # Errors
    /// The ledger does not answer.
    pub async fn entries(&self) -> Result<Vec<LedgerEntry>, StoreError> {
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let page = self.ledger.page(after).await?;
            all.extend(page.entries);
            match page.next.and_then(|next| next.parse().ok()) {
                Some(next) => after = next,
                None => return Ok(all),
            }
        }
    }

    /// A page of the same.
    pub(crate) async fn page(&self, after: i64) -> Result<LedgerPage, StoreError> {
        self.ledger.page(after).await
    }

    /// The last row of the books.
    pub(crate) async fn last_row(&self) -> Result<i64, StoreError> {
        self.ledger.last_row().await
    }

    /// The next entries behind a row, each with its row.
    pub(crate) async fn rows_after(&self, row: i64) -> Result<Vec<(i64, LedgerEntry)>, StoreError> {
        self.ledger.rows_after(row).await
    }

    /// Writes what waits, then closes the ledger.
    pub async fn close(&self) {
        self.ledger.close().await;
    }

    /// What the books say about a key.
    pub(crate) async fn entry(&self, key: &str) -> Result<Option<LedgerEntry>, StoreError> {
        self.ledger.entry(key).await
    }

    async fn think(&self) -> Result<Behaviour, GatewayError> {
        let behaviour = self.behaviour();
        let failed =
            |why: &str| Err(GatewayError::Unavailable(format!("the sandbox {why} as it was told to")));
        if behaviour.outage {
            return failed("is down,");
        }
        pause(behaviour.latency()).await;
        if behaviour.fails() { failed("fails") } else { Ok(behaviour) }
    }
}

/// An answer to a call that was carried out, and what is to go wrong with it on the way.
pub(crate) struct Answered<T> {
    pub(crate) answer: T,
    pub(crate) fault: Option<Fault>,
}

impl<T> Answered<T> {
    /// As it comes out inside the process.
    fn arrived(self) -> Result<T, GatewayError> {
        self.fault.map_or(Ok(self.answer), |fault| Err(GatewayError::Unknown(fault.told().to_owned())))
    }
}

/// The calls as the server makes them, which lets faults happen where they would.
impl Sandbox {
    pub(crate) async fn charged(
        &self,
        key: &str,
        amount: Money,
        token: &str,
    ) -> Result<Answered<ChargeOutcome>, GatewayError> {
        let behaviour = self.think().await?;
        if token == method::SLOW {
            sleep(SLOW).await;
        }
        let declined = match token {
            method::OK | method::SLOW | method::TIMEOUT_THEN_CAPTURED => None,
            method::DECLINED => Some("card_declined"),
            method::INSUFFICIENT_FUNDS => Some("insufficient_funds"),
            _ => Some("unknown_payment_method"),
        };
        let (answer, calls) =
            self.ledger.charge(key, amount, declined).await.map_err(|error| unknown(&error))?;
        pause(behaviour.late()).await;
        if token == method::TIMEOUT_THEN_CAPTURED && calls == 1 {
            return Err(GatewayError::Unknown("no answer within the deadline".to_owned()));
        }
        Ok(Answered { answer, fault: behaviour.fault() })
    }

    pub(crate) async fn voided(&self, key: &str) -> Result<Answered<VoidOutcome>, GatewayError> {
        let behaviour = self.think().await?;
        let answer = self.ledger.void(key).await.map_err(|error| unknown(&error))?;
        pause(behaviour.late()).await;
        Ok(Answered { answer, fault: behaviour.fault() })
    }

    pub(crate) async fn refunded(
        &self,
        key: &str,
        charge_ref: &str,
        amount: Money,
    ) -> Result<Answered<RefundAnswer>, GatewayError> {
        let behaviour = self.think().await?;
        let answer = self.ledger.refund(key, charge_ref, amount).await.map_err(|error| unknown(&error))?;
        pause(behaviour.late()).await;
        Ok(Answered { answer, fault: behaviour.fault() })
    }

    pub(crate) async fn looked_up(&self, key: &str) -> Result<Answered<Option<ChargeOutcome>>, GatewayError> {
        let behaviour = self.think().await?;
        let answer = self.ledger.look_up(key).await.map_err(|error| unknown(&error))?;
        Ok(Answered { answer, fault: behaviour.fault() })
    }
}

#[async_trait]
impl PaymentGateway for Sandbox {
    async fn charge(&self, key: &str, amount: Money, token: &str) -> Result<ChargeOutcome, GatewayError> {
        self.charged(key, amount, token).await?.arrived()
    }

    async fn void(&self, key: &str) -> Result<VoidOutcome, GatewayError> {
        self.voided(key).await?.arrived()
    }

    async fn refund(&self, key: &str, charge_ref: &str, amount: Money) -> Result<RefundAnswer, GatewayError> {
        self.refunded(key, charge_ref, amount).await?.arrived()
    }

    async fn look_up(&self, key: &str) -> Result<Option<ChargeOutcome>, GatewayError> {
        self.looked_up(key).await?.arrived()
    }

    async fn ledger(&self, after: Option<&str>) -> Result<LedgerPage, GatewayError> {
        self.think().await?;
        let after = after.map_or(Ok(0), str::parse).map_err(|_| {
            GatewayError::Unavailable("the page of the books is not one that was handed out".to_owned())
        })?;
        self.ledger.page(after).await.map_err(|error| unknown(&error))
    }

    fn availability(&self) -> Availability {
        if self.behaviour().outage {
            Availability::Unavailable { retry_after: OUTAGE_RETRY_AFTER }
        } else {
            Availability::Available
        }
    }
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        sleep(time).await;
    }
}

fn unknown(error: &StoreError) -> GatewayError {
    GatewayError::Unknown(error.to_string())
}

#[cfg(test)]
mod tests {
    use domain::Currency;

    use super::*;

    fn krw(amount_minor: i64) -> Money {
        Money { amount_minor, currency: Currency::KRW }
    }

    fn sandbox() -> (tempfile::TempDir, Sandbox) {
        let dir = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::open(&dir.path().join("sandbox.db"), SandboxOptions::default()).unwrap();
        (dir, sandbox)
    }

    #[tokio::test]
    async fn the_same_key_charges_once_and_answers_the_same() {
        let (_dir, sandbox) = sandbox();
        let first = sandbox.charge("a:1", krw(100), method::OK).await.unwrap();
        assert!(matches!(first, ChargeOutcome::Captured { .. }));
        assert_eq!(sandbox.charge("a:1", krw(100), method::OK).await.unwrap(), first);
        let entries = sandbox.entries().await.unwrap();
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].amount_minor, entries[0].calls), (100, 2));
    }

    #[tokio::test]
    async fn a_lost_answer_is_found_under_the_same_key() {
        let (_dir, sandbox) = sandbox();
        let lost = sandbox.charge("a:1", krw(100), method::TIMEOUT_THEN_CAPTURED).await;
        assert!(matches!(lost, Err(GatewayError::Unknown(_))));
        assert!(matches!(sandbox.look_up("a:1").await, Ok(Some(ChargeOutcome::Captured { .. }))));
        let again = sandbox.charge("a:1", krw(100), method::TIMEOUT_THEN_CAPTURED).await;
        assert!(matches!(again, Ok(ChargeOutcome::Captured { .. })));
    }

    #[tokio::test]
    async fn a_voided_key_refuses_a_late_charge_and_a_charged_key_says_so() {
        let (_dir, sandbox) = sandbox();
        assert_eq!(sandbox.void("a:1").await, Ok(VoidOutcome::Voided));
        let late = sandbox.charge("a:1", krw(100), method::OK).await;
        assert_eq!(late, Ok(ChargeOutcome::Declined { code: "voided".to_owned() }));
        sandbox.charge("b:1", krw(100), method::OK).await.unwrap();
        assert!(matches!(sandbox.void("b:1").await, Ok(VoidOutcome::Captured { .. })));
    }

    #[tokio::test]
    async fn refunds_never_exceed_the_charge() {
        let (_dir, sandbox) = sandbox();
        let ChargeOutcome::Captured { provider_ref } =
            sandbox.charge("a:1", krw(100), method::OK).await.unwrap()
        else {
            panic!("tok_ok was declined");
        };
        assert!(matches!(
            sandbox.refund("r:1", &provider_ref, krw(60)).await,
            Ok(RefundAnswer::Refunded { .. })
        ));
        assert!(matches!(
            sandbox.refund("r:1", &provider_ref, krw(60)).await,
            Ok(RefundAnswer::Refunded { .. })
        ));
        let too_much = sandbox.refund("s:1", &provider_ref, krw(41)).await;
        assert_eq!(too_much, Ok(RefundAnswer::Failed { code: "more_than_charged".to_owned() }));
        let nothing = sandbox.refund("t:1", "ch_none", krw(1)).await;
        assert_eq!(nothing, Ok(RefundAnswer::Failed { code: "unknown_charge".to_owned() }));
    }

    #[tokio::test]
    async fn an_outage_is_switched_on_and_off_while_it_runs_and_leaves_no_trace_in_the_books() {
        let (_dir, sandbox) = sandbox();
        let gateway = sandbox.clone();
        sandbox.behave(Behaviour { outage: true, ..Behaviour::default() }).unwrap();
        assert!(matches!(
            gateway.charge("a:1", krw(100), method::OK).await,
            Err(GatewayError::Unavailable(_))
        ));
        assert_eq!(gateway.availability(), Availability::Unavailable { retry_after: OUTAGE_RETRY_AFTER });
        assert_eq!(sandbox.entries().await.unwrap(), []);
        sandbox.behave(Behaviour::default()).unwrap();
        assert_eq!(gateway.availability(), Availability::Available);
        gateway.charge("a:1", krw(100), method::OK).await.unwrap();
    }

    #[tokio::test]
    async fn an_answer_that_goes_wrong_is_unknown_and_stands_in_the_books() {
        for fault in ["garbage_rate", "wrong_body_rate", "drop_rate"] {
            let (_dir, sandbox) = sandbox();
            let behaviour = serde_json::from_value(serde_json::json!({ fault: 1.0 })).unwrap();
            sandbox.behave(behaviour).unwrap();
            let charged = sandbox.charge("a:1", krw(100), method::OK).await;
            assert!(matches!(charged, Err(GatewayError::Unknown(_))), "{fault}: {charged:?}");
            assert!(matches!(sandbox.look_up("a:1").await, Err(GatewayError::Unknown(_))), "{fault}");
            assert!(matches!(sandbox.void("b:1").await, Err(GatewayError::Unknown(_))), "{fault}");
            assert!(matches!(sandbox.refund("r:1", "ch_a:1", krw(60)).await, Err(GatewayError::Unknown(_))));
            assert_eq!(sandbox.entries().await.unwrap().len(), 3, "{fault}");
        }
    }

    #[tokio::test]
    async fn a_refunds_key_is_not_found_among_the_charges() {
        let (_dir, sandbox) = sandbox();
        sandbox.charge("a:1", krw(100), method::OK).await.unwrap();
        sandbox.refund("r:1", "ch_a:1", krw(60)).await.unwrap();
        assert_eq!(sandbox.look_up("r:1").await, Ok(None));
        sandbox.void("b:1").await.unwrap();
        assert!(matches!(sandbox.look_up("b:1").await, Ok(Some(ChargeOutcome::Declined { .. }))));
    }

    #[tokio::test]
    async fn the_ledger_survives_a_restart() {
        let (dir, sandbox) = sandbox();
        let first = sandbox.charge("a:1", krw(100), method::OK).await.unwrap();
        sandbox.close().await;
        let again = Sandbox::open(&dir.path().join("sandbox.db"), SandboxOptions::default()).unwrap();
        assert_eq!(again.charge("a:1", krw(100), method::OK).await.unwrap(), first);
        assert_eq!(again.entries().await.unwrap().len(), 1);
    }
}
