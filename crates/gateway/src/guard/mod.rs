//! What stands between the process managers and any adapter: a circuit breaker, which fails calls at once while the
//! provider is known to fail, and a bulkhead, which bounds how many calls are under way.
//!
//! In this order: is the breaker open (at once), is there a place (bounded wait), does the breaker still let it through,
//! the call. So the wait for a place is not taken for slowness of the provider, and a queue that is too long does not open
//! the breaker. What is refused here was certainly not sent: [`GatewayError::Unavailable`].
//!
//! Whoever has many calls to make asks first ([`PaymentGateway::permit`]): nothing is tried while the breaker is open, few
//! while it probes, and retries stay within a budget.

mod breaker;
mod budget;
#[cfg(test)]
mod tests;
mod window;

use std::time::Duration;

use async_trait::async_trait;
use domain::Money;
use sagas::ports::{
    Availability, ChargeOutcome, GatewayError, GatewayFigures, LedgerPage, PaymentGateway, RefundAnswer, Try,
    VoidOutcome,
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use breaker::{Breaker, Refusal};
use budget::Budget;

pub use breaker::BreakerState;
pub use budget::RetryOptions;

/// When the circuit breaker opens and closes. Charge, void, refund and look-up count alike. A decline is a success: the
/// provider works. Every error is a failure.
///
/// *Source* of the defaults: 50 calls are a second of the load that the platform has to carry; 5 are what the tries for
/// one order come to in two seconds, so that a small shop, too, learns soon that its provider is away; half of the calls
/// failing cannot be worked with; a payment is expected to take 400-620 ms (SCENARIOS, payments), so 1500 ms is far out of
/// it; 2 s are short enough for a customer to try again.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakerOptions {
    /// So many of the last calls are looked at.
    pub window: usize,
    /// With fewer calls than these it does not judge.
    pub minimum_calls: usize,
    /// It opens when at least this share of them failed. Above 0.0, up to 1.0.
    pub failure_rate: f64,
    /// It opens when at least this share of them were slow. Above 0.0, up to 1.0.
    pub slow_call_rate: f64,
    /// A call that takes at least so long is slow. Milliseconds.
    pub slow_call_ms: u64,
    /// So long it lets no call through. Milliseconds.
    pub open_ms: u64,
    /// Then so many, all of which must succeed before it lets all through.
    pub probes: usize,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self {
            window: 50,
            minimum_calls: 5,
            failure_rate: 0.5,
            slow_call_rate: 0.8,
            slow_call_ms: 1500,
            open_ms: 2000,
            probes: 3,
        }
    }
}

struct Bulkhead {
    places: usize,
    free: Semaphore,
    wait: Duration,
}

/// A gateway behind a circuit breaker and, if wanted, a bulkhead.
pub struct Guarded<G> {
    inner: G,
    breaker: Breaker,
    budget: Budget,
    bulkhead: Option<Bulkhead>,
}

impl<G: PaymentGateway> Guarded<G> {
    /// Puts a circuit breaker in front of `inner`.
    #[must_use]
    pub fn new(inner: G, breaker: BreakerOptions) -> Self {
        let budget = Budget::new(RetryOptions::default());
        Self { inner, breaker: Breaker::new(breaker), budget, bulkhead: None }
    }

    /// Permits so many retries, in place of the default.
    #[must_use]
    pub fn with_retries(self, retries: RetryOptions) -> Self {
        Self { budget: Budget::new(retries), ..self }
    }

    /// Lets at most `places` calls be under way at once; others wait for at most `wait`.
    #[must_use]
    pub fn with_bulkhead(mut self, places: usize, wait: Duration) -> Self {
        let places = places.clamp(1, Semaphore::MAX_PERMITS);
        self.bulkhead = Some(Bulkhead { places, free: Semaphore::new(places), wait });
        self
    }

    /// What is guarded.
    pub fn inner(&self) -> &G {
        &self.inner
    }

    /// Whether calls are let through. Once its time is over, an open breaker is half open without anybody calling.
    pub fn state(&self) -> BreakerState {
        self.breaker.state()
    }

    /// How it is doing.
    pub fn figures(&self) -> GatewayFigures {
        let (state, counts) = (self.state(), self.breaker.counts());
        let (bulkhead, retries) = (self.bulkhead.as_ref(), self.budget.counts());
        let open_for = match state {
            BreakerState::Open { retry_after } => retry_after,
            BreakerState::Closed | BreakerState::HalfOpen => Duration::ZERO,
        };
        GatewayFigures {
            state: state.name(),
            open_for_ms: u64::try_from(open_for.as_millis()).unwrap_or(u64::MAX),
            opened: counts.opened,
            refused: counts.refused,
            window_calls: counts.calls,
            window_failures: counts.failures,
            window_slow: counts.slow,
            under_way: bulkhead.map_or(0, |bulkhead| bulkhead.places - bulkhead.free.available_permits()),
            places: bulkhead.map(|bulkhead| bulkhead.places),
            first_tries: retries.first_tries,
            retries: retries.retries,
            retries_put_off: retries.put_off,
            retries_left: retries.left,
            last_error: self.breaker.last_error(),
        }
    }

    async fn call<T>(&self, call: impl Future<Output = Result<T, GatewayError>>) -> Result<T, GatewayError> {
        self.breaker.ask().map_err(refused)?;
        let _place = self.place().await?;
        let admission = self.breaker.admit().map_err(refused)?;
        let answer = call.await;
        admission.finish(answer.as_ref().err());
        answer
    }

    async fn place(&self) -> Result<Option<SemaphorePermit<'_>>, GatewayError> {
        let Some(Bulkhead { places, free, wait }) = &self.bulkhead else { return Ok(None) };
        match timeout(*wait, free.acquire()).await {
            Ok(place) => Ok(Some(place.expect("nobody closes the semaphore"))),
            Err(_) => Err(GatewayError::Unavailable(format!(
                "{places} calls were under way for {} ms, and no more are made at once",
                wait.as_millis()
            ))),
        }
    }
}

#[async_trait]
impl<G: PaymentGateway> PaymentGateway for Guarded<G> {
    async fn charge(&self, key: &str, amount: Money, token: &str) -> Result<ChargeOutcome, GatewayError> {
        self.call(self.inner.charge(key, amount, token)).await
    }

    async fn void(&self, key: &str) -> Result<VoidOutcome, GatewayError> {
        self.call(self.inner.void(key)).await
    }

    async fn refund(&self, key: &str, charge_ref: &str, amount: Money) -> Result<RefundAnswer, GatewayError> {
        self.call(self.inner.refund(key, charge_ref, amount)).await
    }

    async fn look_up(&self, key: &str) -> Result<Option<ChargeOutcome>, GatewayError> {
        self.call(self.inner.look_up(key)).await
    }

    /// Past the breaker and the bulkhead: whoever looks at the books does not hold up payments, nor judge by them.
    async fn ledger(&self, after: Option<&str>) -> Result<LedgerPage, GatewayError> {
        self.inner.ledger(after).await
    }

    fn availability(&self) -> Availability {
        match self.state() {
            BreakerState::Open { retry_after } => Availability::Unavailable { retry_after },
            BreakerState::Closed | BreakerState::HalfOpen => Availability::Available,
        }
    }

    fn permit(&self, which: Try) -> Result<(), Duration> {
        self.breaker.permit()?;
        match which {
            Try::First => self.budget.first_try(),
            Try::Again => self.budget.retry()?,
        }
        Ok(())
    }

    fn figures(&self) -> Option<GatewayFigures> {
        Some(Guarded::figures(self))
    }
}

fn refused(refusal: Refusal) -> GatewayError {
    GatewayError::Unavailable(refusal.to_string())
}
