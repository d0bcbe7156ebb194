//! The way to the provider: calls go on there whether or not anybody waits for the answer, and callers wait only so long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use async_trait::async_trait;
use domain::Money;
use gateway::Sandbox;
use orderstream_sagas::{
    Availability, ChargeOutcome, GatewayError, PaymentGateway, RefundAnswer, VoidOutcome,
};
use tokio::{runtime::Handle, time::timeout};

/// A caller waits so long, unless a test says otherwise.
pub const DEADLINE: Duration = Duration::from_millis(15);

/// What came by on the way.
#[derive(Debug, Default)]
pub struct Traffic {
    pub charges: AtomicU64,
    pub look_ups: AtomicU64,
    /// Look-ups that found an outcome.
    pub found: AtomicU64,
    pub voids: AtomicU64,
    pub refunds: AtomicU64,
    /// Answers that never came.
    pub late: AtomicU64,
    pub garbage: AtomicU64,
    pub wrong_bodies: AtomicU64,
    pub dropped: AtomicU64,
    /// Calls that certainly did nothing.
    pub unavailable: AtomicU64,
}

impl Traffic {
    /// All of it, with names.
    pub fn all(&self) -> [(&'static str, &AtomicU64); 10] {
        [
            ("charges", &self.charges),
            ("look-ups", &self.look_ups),
            ("look-ups that found something", &self.found),
            ("voids", &self.voids),
            ("refunds", &self.refunds),
            ("late answers", &self.late),
            ("garbage", &self.garbage),
            ("wrong bodies", &self.wrong_bodies),
            ("dropped connections", &self.dropped),
            ("calls that did nothing", &self.unavailable),
        ]
    }

    pub fn add(&self, other: &Self) {
        for ((_, to), (_, from)) in self.all().into_iter().zip(other.all()) {
            to.fetch_add(from.load(SeqCst), SeqCst);
        }
    }

    /// What has come by until now.
    pub fn so_far(&self) -> Self {
        let traffic = Self::default();
        traffic.add(self);
        traffic
    }
}

/// The provider as our program reaches it.
#[derive(Clone)]
pub struct Network {
    pub sandbox: Sandbox,
    pub traffic: Arc<Traffic>,
    deadline: Duration,
    /// Where the provider lives: not where we do.
    provider: Handle,
}

impl Network {
    /// To be called in the provider's runtime.
    pub fn new(sandbox: Sandbox, deadline: Duration) -> Self {
        Self { sandbox, traffic: Arc::default(), deadline, provider: Handle::current() }
    }

    async fn call<T: Send + 'static>(
        &self,
        count: &AtomicU64,
        call: impl Future<Output = Result<T, GatewayError>> + Send + 'static,
    ) -> Result<T, GatewayError> {
        count.fetch_add(1, SeqCst);
        let answer = match timeout(self.deadline, self.provider.spawn(call)).await {
            Ok(answer) => answer.unwrap(),
            Err(_) => Err(GatewayError::Unknown("no answer in time".to_owned())),
        };
        if let Err(error) = &answer {
            self.count(error);
        }
        answer
    }

    fn count(&self, error: &GatewayError) {
        let traffic = &self.traffic;
        let count = match error {
            GatewayError::Unavailable(_) => &traffic.unavailable,
            GatewayError::Unknown(why) if why.contains("no JSON") => &traffic.garbage,
            GatewayError::Unknown(why) if why.contains("something else") => &traffic.wrong_bodies,
            GatewayError::Unknown(why) if why.contains("closes") => &traffic.dropped,
            GatewayError::Unknown(_) => &traffic.late,
        };
        count.fetch_add(1, SeqCst);
    }
}

#[async_trait]
impl PaymentGateway for Network {
    async fn charge(&self, key: &str, amount: Money, token: &str) -> Result<ChargeOutcome, GatewayError> {
        let (sandbox, key, token) = (self.sandbox.clone(), key.to_owned(), token.to_owned());
        self.call(&self.traffic.charges, async move { sandbox.charge(&key, amount, &token).await }).await
    }
    async fn void(&self, key: &str) -> Result<VoidOutcome, GatewayError> {
        let (sandbox, key) = (self.sandbox.clone(), key.to_owned());
        self.call(&self.traffic.voids, async move { sandbox.void(&key).await }).await
    }
    async fn refund(&self, key: &str, charge_ref: &str, amount: Money) -> Result<RefundAnswer, GatewayError> {
        let (sandbox, key, charge_ref) = (self.sandbox.clone(), key.to_owned(), charge_ref.to_owned());
        self.call(&self.traffic.refunds, async move { sandbox.refund(&key, &charge_ref, amount).await }).await
    }
    async fn look_up(&self, key: &str) -> Result<Option<ChargeOutcome>, GatewayError> {
        let (sandbox, key) = (self.sandbox.clone(), key.to_owned());
        let answer = self.call(&self.traffic.look_ups, async move { sandbox.look_up(&key).await }).await?;
        self.traffic.found.fetch_add(u64::from(answer.is_some()), SeqCst);
        Ok(answer)
    }
    fn availability(&self) -> Availability {
        // It is a provider elsewhere: whether it is there shows only when it is called.
        Availability::Available
    }
}
