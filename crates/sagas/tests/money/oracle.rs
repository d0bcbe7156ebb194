//! The provider's books against the log.

use std::collections::BTreeMap;

use domain::{
    Aggregate as _, Event, PaymentId,
    payment::{Payment, PaymentEvent, PaymentStage, RefundProgress},
};
use gateway::LedgerKind;

use crate::life::World;

/// What money did.
#[derive(Clone, Copy, Debug, Default)]
pub struct Money {
    pub payments: u64,
    /// Charges in the books that took money.
    pub captured: u64,
    /// Payments that kept some of it.
    pub kept: u64,
    /// Refunds in the books that gave money back.
    pub refunded: u64,
    /// Keys that were closed.
    pub voided: u64,
}

/// A charge that took money.
struct Charge {
    attempt: u32,
    amount: i64,
    back: i64,
}

impl World {
    /// Compares. What is wrong, if anything is.
    pub async fn audit(&self) -> Result<Money, String> {
        let mut payments: BTreeMap<PaymentId, (Payment, Vec<(u32, String)>)> = BTreeMap::new();
        let mut after = 0;
        loop {
            let events = self.parts().log.read_all(after, 1000).await.unwrap();
            let Some(last) = events.last() else { break };
            after = last.position;
            for event in &events {
                let Event::Payment(payment) = &event.event else { continue };
                let id = PaymentId::from_uuid(event.stream.id);
                let (state, captures) = payments.entry(id).or_default();
                state.evolve(payment);
                match payment {
                    PaymentEvent::PaymentCaptured(e) => captures.push((e.attempt, e.provider_ref.clone())),
                    PaymentEvent::LateCaptureFound(e) => captures.push((e.attempt, e.provider_ref.clone())),
                    _ => {}
                }
            }
        }
        let (mut money, mut charges) = (Money::default(), BTreeMap::new());
        money.payments = payments.len() as u64;
        let entries = self.network.sandbox.entries().await.unwrap();
        for entry in &entries {
            match (entry.kind, &entry.charge_ref) {
                (LedgerKind::Charge, Some(charge_ref)) => {
                    let (id, attempt) = entry.key.split_once(':').unwrap();
                    let charge =
                        Charge { attempt: attempt.parse().unwrap(), amount: entry.amount_minor, back: 0 };
                    charges.insert(charge_ref.clone(), (PaymentId::from_uuid(id.parse().unwrap()), charge));
                    money.captured += 1;
                }
                (LedgerKind::Refund, Some(_)) => money.refunded += 1,
                (LedgerKind::Refund, None) => return Err(format!("a refund was refused: {entry:?}")),
                (LedgerKind::Void, _) => money.voided += 1,
                (LedgerKind::Charge, None) => {}
            }
        }
        for entry in entries.iter().filter(|entry| entry.kind == LedgerKind::Refund) {
            let of = entry.charge_ref.as_ref().and_then(|charge| charges.get_mut(charge));
            let (_, charge) = of.ok_or_else(|| format!("a refund of no charge: {entry:?}"))?;
            charge.back += entry.amount_minor;
        }
        for (charge_ref, (id, charge)) in &charges {
            let Some((state, captures)) = payments.get(id) else {
                return Err(format!("{charge_ref} belongs to no payment"));
            };
            let known = captures.contains(&(charge.attempt, charge_ref.clone()));
            let is_paid = matches!(state, Payment::Existing { stage: PaymentStage::Captured { .. }, .. });
            if charge.back > charge.amount || (charge.back < charge.amount && !(known && is_paid)) {
                return Err(format!(
                    "{charge_ref} is an orphan: {} of {} are back, {state:?}",
                    charge.back, charge.amount
                ));
            }
        }
        for (id, (state, captures)) in &payments {
            let kept =
                charges.values().filter(|(of, charge)| of == id && charge.back < charge.amount).count();
            if kept > 1 {
                return Err(format!("{id} was charged {kept} times"));
            }
            money.kept += kept as u64;
            self.audit_payment(*id, state, captures, &charges)?;
        }
        Ok(money)
    }

    #[expect(clippy::unused_self, reason = "it is part of the audit")]
    fn audit_payment(
        &self,
        id: PaymentId,
        state: &Payment,
        captures: &[(u32, String)],
        charges: &BTreeMap<String, (PaymentId, Charge)>,
    ) -> Result<(), String> {
        let Payment::Existing { details, stage } = state else { return Err(format!("{id} is nothing")) };
        if matches!(stage, PaymentStage::Requested | PaymentStage::Capturing { .. }) {
            return Err(format!("{id} has not ended: {state:?}"));
        }
        if details.refunds.values().any(|refund| refund.progress != RefundProgress::Done) {
            return Err(format!("{id} still has something to give back: {state:?}"));
        }
        if let Some((_, lost)) = captures.iter().find(|(_, charge_ref)| !charges.contains_key(charge_ref)) {
            return Err(format!("{id} was captured as {lost}, of which the provider knows nothing"));
        }
        let back: i64 = charges.values().filter(|(of, _)| *of == id).map(|(_, charge)| charge.back).sum();
        if back != details.refunded() {
            return Err(format!("{id}: {back} are back, and the log says {}", details.refunded()));
        }
        Ok(())
    }
}
