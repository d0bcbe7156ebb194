//! The leases of this process: for the views that it follows, and for those that it builds.

use std::sync::Arc;

use eventlog::{StoreError, postgres::Leases};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Shared, consumer::lease_name, slot::Slot};
use crate::{ViewError, store::builder_of};

/// Renews and takes the leases of all views that run here, until told to stop.
pub(super) async fn run(shared: Arc<Shared>, leases: Leases) {
    let every = leases.options().renew_every();
    let mut renewal = Instant::now();
    loop {
        let is_due = Instant::now() >= renewal;
        if is_due {
            renewal = Instant::now() + every;
        }
        if let Err(error) = round(&shared, &leases, is_due).await {
            tracing::warn!(%error, "leases of views not renewed; it is tried again");
        }
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = tokio::time::sleep_until(renewal) => {}
            () = shared.lease_wanted.notified() => {}
        }
    }
}

/// Asks for what is not ours; renews also what is ours, if that `is_due`.
async fn round(shared: &Shared, leases: &Leases, is_due: bool) -> Result<(), StoreError> {
    for slot in shared.slots.iter().filter(|slot| slot.runs_here()) {
        let is_ours = slot.works_here();
        if slot.is_halted() {
            if is_ours {
                // Another process may know how to go on, such as one of a newer release.
                slot.set_lease(None);
                leases.leave(&lease_name(slot)).await?;
            }
        } else if is_due || !is_ours {
            let balance = leases.balance(&lease_name(slot), 1).await?;
            slot.set_lease(balance.held.first().copied());
        }
    }
    Ok(())
}

/// Lets others have all views that run here.
pub(super) async fn leave(shared: &Shared, leases: &Leases) {
    for slot in shared.slots.iter().filter(|slot| slot.runs_here()) {
        slot.set_lease(None);
        if let Err(error) = leases.leave(&lease_name(slot)).await {
            // Then the others do not answer either; the leases end by themselves.
            tracing::warn!(%error, "leases of views not given back");
            return;
        }
    }
}

/// The right to build some views. It is renewed until it is released, so that nobody drops half a build that is worked
/// on, and everybody one that is not.
pub(super) struct Claim {
    leases: Leases,
    consumers: Vec<String>,
    done: CancellationToken,
    renewing: JoinHandle<()>,
}

impl Claim {
    /// Takes the right to build the views of `slots`; none is needed when the store is this process's own.
    pub(super) async fn take(shared: &Shared, slots: &[Arc<Slot>]) -> Result<Option<Self>, ViewError> {
        let Some(leases) = shared.store.leases() else { return Ok(None) };
        let mut consumers = Vec::with_capacity(slots.len());
        for slot in slots {
            let spec = slot.spec();
            let consumer = builder_of(spec.name, spec.version);
            let taken = leases.balance(&consumer, 1).await;
            let refused = match taken {
                Ok(balance) if !balance.held.is_empty() => {
                    consumers.push(consumer);
                    continue;
                }
                Ok(_) => {
                    let mut holders = shared.store.holders(vec![consumer.clone()]).await.unwrap_or_default();
                    let holder = holders.remove(&consumer).unwrap_or_else(|| "another process".to_owned());
                    ViewError::BeingBuilt { view: spec.name, holder }
                }
                Err(error) => error.into(),
            };
            consumers.push(consumer);
            give_back(leases, &consumers).await;
            return Err(refused);
        }
        let done = CancellationToken::new();
        let renewing = tokio::spawn(renew(leases.clone(), consumers.clone(), done.clone()));
        Ok(Some(Self { leases: leases.clone(), consumers, done, renewing }))
    }

    /// Lets others build them.
    pub(super) async fn release(self) {
        self.done.cancel();
        // It ends with nothing worth knowing.
        let _ = self.renewing.await;
        give_back(&self.leases, &self.consumers).await;
    }
}

async fn renew(leases: Leases, consumers: Vec<String>, done: CancellationToken) {
    while done.run_until_cancelled(tokio::time::sleep(leases.options().renew_every())).await.is_some() {
        for consumer in &consumers {
            if let Err(error) = leases.balance(consumer, 1).await {
                tracing::warn!(%error, "the right to build views not renewed; it is tried again");
                break;
            }
        }
    }
}

async fn give_back(leases: &Leases, consumers: &[String]) {
    for consumer in consumers {
        if let Err(error) = leases.leave(consumer).await {
            tracing::warn!(%error, "the right to build views not given back: it ends by itself");
            return;
        }
    }
}
