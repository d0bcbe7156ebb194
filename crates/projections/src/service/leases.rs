//! The leases of this process: for the views that it follows, and for those that it builds.

use std::{sync::Arc, time::Duration};

use eventlog::{StoreError, postgres::Leases};
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Shared, consumer::lease_name, slot::Slot};
use crate::{
    ViewError,
    store::{ViewStore, builder_of},
};

/// Keeps the leases of all views that run here, and takes free ones when somebody says that there are, until told to stop.
pub(super) async fn run(shared: Arc<Shared>, leases: Leases) {
    let every = leases.options().renew_every();
    let mut renewal = Instant::now() + every;
    loop {
        let is_due = tokio::select! {
            () = shared.stop.cancelled() => return,
            () = tokio::time::sleep_until(renewal) => true,
            () = shared.lease_wanted.notified() => false,
        };
        let done = if is_due { keep(&shared, &leases).await } else { take(&shared, &leases).await };
        if let Err(error) = done {
            tracing::warn!(%error, "leases of views not renewed; it is tried again");
        }
        if is_due {
            renewal = Instant::now() + every;
        }
    }
}

/// Renews what is ours, and notices what is not any more.
async fn keep(shared: &Shared, leases: &Leases) -> Result<(), StoreError> {
    let here: Vec<_> = shared.slots.iter().filter(|slot| slot.runs_here()).collect();
    for slot in here.iter().filter(|slot| slot.is_halted() && slot.works_here()) {
        // Another process may know how to go on, such as one of a newer release.
        slot.set_lease(None);
        leases.leave(&lease_name(slot)).await?;
    }
    let wanted: Vec<_> = here.into_iter().filter(|slot| !slot.is_halted()).collect();
    let ours = shared.store.renew(wanted.iter().map(|slot| lease_name(slot)).collect()).await?;
    for slot in wanted {
        slot.set_lease(ours.get(&lease_name(slot)).copied());
    }
    Ok(())
}

/// Takes what is free, or was ours all the time.
async fn take(shared: &Shared, leases: &Leases) -> Result<(), StoreError> {
    let lacking = |slot: &&Arc<Slot>| slot.runs_here() && !slot.works_here() && !slot.is_halted();
    for slot in shared.slots.iter().filter(lacking) {
        let balance = leases.balance(&lease_name(slot), 1).await?;
        slot.set_lease(balance.held.first().copied());
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
                    let mut holders = shared
                        .store
                        .holders(vec![consumer.clone()], Duration::ZERO)
                        .await
                        .unwrap_or_default();
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
        let renewing = tokio::spawn(renew(shared.store.clone(), consumers.clone(), done.clone()));
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

async fn renew(store: ViewStore, consumers: Vec<String>, done: CancellationToken) {
    let Some(every) = store.leases().map(|leases| leases.options().renew_every()) else { return };
    while done.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        if let Err(error) = store.renew(consumers.clone()).await {
            tracing::warn!(%error, "the right to build views not renewed; it is tried again");
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
