//! A gateway where there is none: payments are made by another process.

use async_trait::async_trait;
use domain::Money;
use sagas::ports::{Availability, ChargeOutcome, GatewayError, PaymentGateway, RefundAnswer, VoidOutcome};

/// Stands where a process has no way to a provider. It is never asked, since the process manager that would ask runs
/// elsewhere; if it is, nothing is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Elsewhere;

/// When to ask again.
const RETRY_AFTER: std::time::Duration = std::time::Duration::from_secs(2);

fn nowhere<T>() -> Result<T, GatewayError> {
    Err(GatewayError::Unavailable("this process has no way to the payment provider".to_owned()))
}

#[async_trait]
impl PaymentGateway for Elsewhere {
    async fn charge(&self, _: &str, _: Money, _: &str) -> Result<ChargeOutcome, GatewayError> {
        nowhere()
    }

    async fn void(&self, _: &str) -> Result<VoidOutcome, GatewayError> {
        nowhere()
    }

    async fn refund(&self, _: &str, _: &str, _: Money) -> Result<RefundAnswer, GatewayError> {
        nowhere()
    }

    async fn look_up(&self, _: &str) -> Result<Option<ChargeOutcome>, GatewayError> {
        nowhere()
    }

    fn availability(&self) -> Availability {
        Availability::Unavailable { retry_after: RETRY_AFTER }
    }
}
