//! What people ask of payments.

use std::time::Duration;

use domain::{
    Actor, AnyCommand, ContactId, Currency, Money, OrderId, PaymentId, RefundId, Subject,
    order::payment_of,
    payment::{CaptureOutcome, PaymentCommand, PaymentTiming},
};
use eventlog::{AnyError, Clock, CommandContext, Executed};
use gateway::LedgerKind;
use uuid::Uuid;

use crate::life::World;

pub fn krw(amount_minor: i64) -> Money {
    Money { amount_minor, currency: Currency::KRW }
}

/// What every payment is about.
pub const PRICE: i64 = 1000;

impl World {
    /// Gives a command; none when the program died meanwhile.
    async fn give(&self, id: PaymentId, command: PaymentCommand) -> Option<Result<Executed, AnyError>> {
        let executor = self.parts().executor;
        let context = CommandContext {
            command_id: Uuid::now_v7(),
            correlation_id: id.uuid(),
            causation_id: None,
            actor: Actor::Process("checkout".to_owned()),
            at: self.clock.now(),
            traceparent: None,
        };
        let command = AnyCommand::Payment { id, command };
        self.within(async move { executor.execute_any(command, context).await }).await
    }

    /// Asks for money: at once from the card behind `token` (none: erased), or later.
    pub async fn ask(
        &self,
        timing: PaymentTiming,
        token: Option<&'static str>,
        within: Duration,
    ) -> PaymentId {
        let order_id = OrderId::from_uuid(Uuid::now_v7());
        let payment_id = payment_of(order_id);
        let method = (timing == PaymentTiming::AtOrder).then(|| self.card(token));
        let command = PaymentCommand::RequestPayment {
            payment_id,
            subject: Subject::Order(order_id),
            customer_id: "hana".parse().unwrap(),
            shop_id: Some("phones".parse().unwrap()),
            amount: krw(PRICE),
            timing,
            method,
            due_at: self.clock.now() + chrono::Duration::from_std(within).unwrap(),
        };
        let _ = self.give(payment_id, command).await;
        payment_id
    }

    fn card(&self, token: Option<&'static str>) -> ContactId {
        let contact = ContactId::from_uuid(Uuid::now_v7());
        if let Some(token) = token {
            self.purse.keep(contact, token);
        }
        contact
    }

    /// Pays what is paid later; refused when it is too late, or paid.
    pub async fn pay(&self, id: PaymentId, token: &'static str) {
        let command = PaymentCommand::StartCapture { method: self.card(Some(token)), at: self.clock.now() };
        let _ = self.give(id, command).await;
    }

    /// The order is cancelled.
    pub async fn cancel(&self, id: PaymentId) {
        let _ = self.give(id, PaymentCommand::VoidPayment).await;
    }

    /// A part goes back; refused when nothing was taken.
    pub async fn return_some(&self, id: PaymentId) {
        let refund_id = RefundId::from_uuid(Uuid::now_v7());
        let _ = self.give(id, PaymentCommand::StartRefund { refund_id, amount: krw(300) }).await;
    }

    /// The provider tells by itself what became of every charge, as it does in callbacks: many times, and before we have its
    /// answer. How many it told.
    pub async fn call_back(&self) -> u64 {
        let mut told = 0;
        for entry in self.network.sandbox.entries().await.unwrap() {
            let Some((id, attempt)) = entry.key.split_once(':') else { continue };
            let Some(provider_ref) = entry.charge_ref.filter(|_| entry.kind == LedgerKind::Charge) else {
                continue;
            };
            let (id, attempt) = (PaymentId::from_uuid(id.parse().unwrap()), attempt.parse().unwrap());
            let outcome = CaptureOutcome::Captured { provider_ref };
            let command = PaymentCommand::RecordCapture { attempt, outcome, at: self.clock.now() };
            let _ = self.give(id, command).await;
            told += 1;
        }
        told
    }
}
