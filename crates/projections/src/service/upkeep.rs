//! What has to be done now and then: drop builds whose time is over, look up views that run elsewhere.

use std::{sync::Arc, time::Duration};

use eventlog::StoreError;
use tokio::time::Instant;

use super::{Shared, consumer::lease_name, slot::live};
use crate::{
    ViewError,
    store::{BuildState, Registered, ViewStore, builder_of},
};

/// How often, when the store is this process's own.
const SELDOM: Duration = Duration::from_secs(1);
/// How often, when other processes have a hand in it: a new build is noticed that fast, and a view that nobody works for.
const OFTEN: Duration = Duration::from_millis(250);
/// How often views that run elsewhere are looked up while somebody waits for one.
const WAITED_FOR: Duration = Duration::from_millis(15);
/// Lives of a lease for which half a build stays after the lease of whoever builds it ended.
const GRACE: u32 = 4;
/// The least time between two look-ups, however many begin to wait.
const BREATH: Duration = Duration::from_millis(5);

pub(super) async fn run(shared: Arc<Shared>) {
    let every = if shared.store.is_shared() { OFTEN } else { SELDOM };
    let every = every.min(shared.options.keep_retired).max(Duration::from_millis(10));
    let (mut thorough, mut failing) = (Instant::now() + every, false);
    loop {
        let waits = |slot: &Arc<_>| is_waited_for_elsewhere(slot);
        let quick = shared.store.is_shared() && shared.slots.iter().any(waits);
        let next = if quick { thorough.min(Instant::now() + WAITED_FOR) } else { thorough };
        tokio::select! {
            () = shared.stop.cancelled() => return,
            () = tokio::time::sleep_until(next) => {}
            () = shared.look_up_wanted.notified() => {}
        }
        let is_due = Instant::now() >= thorough;
        let done = round(&shared, is_due).await;
        if is_due {
            thorough = Instant::now() + every;
        }
        match done {
            Ok(()) => failing = false,
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(%error, "upkeep of the views failed; it is tried again");
                }
                tokio::time::sleep(OFTEN).await;
            }
        }
        tokio::time::sleep(BREATH).await;
    }
}

fn is_waited_for_elsewhere(slot: &super::slot::Slot) -> bool {
    !slot.works_here() && slot.is_waited_for()
}

async fn round(shared: &Shared, thorough: bool) -> Result<(), ViewError> {
    let confirmed: Vec<_> = shared.slots.iter().map(|slot| slot.confirmed()).collect();
    let registered = shared.store.registered().await?;
    let is_shared = shared.store.is_shared();
    for (slot, confirmed) in shared.slots.iter().zip(confirmed).filter(|_| is_shared) {
        let Some((build, checkpoint)) = live(&registered, slot.spec()) else { continue };
        let known = slot.table().build;
        if slot.is_halted() {
            slot.look_up(&registered);
            if build > known {
                slot.go_on();
            }
        } else if !slot.works_here() {
            slot.look_up(&registered);
        } else if build > known || (build == known && checkpoint.position < confirmed) {
            // Somebody switched to a new build; or the database came back without the last of what it had confirmed.
            slot.doubt();
        }
    }
    if !thorough {
        return Ok(());
    }
    if is_shared {
        let holders =
            shared.store.holders(shared.slots.iter().map(|slot| lease_name(slot)).collect(), Duration::ZERO);
        let holders = holders.await?;
        for slot in &shared.slots {
            let holder = holders.get(&lease_name(slot));
            if holder.is_none() && slot.runs_here() && !slot.works_here() {
                shared.lease_wanted.notify_one();
            }
            slot.set_holder(holder.cloned());
        }
    }
    // What this process itself builds is in good hands, however late it is with renewing its lease. In a store that is
    // its own, nobody else builds.
    let others = is_shared && shared.building.try_lock().is_ok();
    let given_up = if others { given_up(&shared.store, &registered).await? } else { Vec::new() };
    let overdue = registered.iter().filter(|build| build.is_overdue(shared.options.keep_retired));
    drop_builds(&shared.store, overdue.chain(given_up)).await
}

/// Builds that nobody works on any more, and has not for a while: somebody may only be slow.
pub(super) async fn given_up<'a>(
    store: &ViewStore,
    registered: &'a [Registered],
) -> Result<Vec<&'a Registered>, StoreError> {
    let builder = |build: &Registered| builder_of(&build.view, build.version);
    let mut half: Vec<_> = registered.iter().filter(|build| build.state == BuildState::Building).collect();
    if let (Some(leases), false) = (store.leases(), half.is_empty()) {
        // The registry was read before, so that a new build has its holder here.
        let grace = leases.options().ttl * GRACE;
        let holders = store.holders(half.iter().map(|build| builder(build)).collect(), grace).await?;
        half.retain(|build| !holders.contains_key(&builder(build)));
    }
    Ok(half)
}

/// Drops builds, those that somebody reads just now another time.
pub(super) async fn drop_builds<'a>(
    store: &ViewStore,
    builds: impl Iterator<Item = &'a Registered>,
) -> Result<(), ViewError> {
    for old in builds {
        match store.drop_build(&old.view, old.version, old.build).await {
            Ok(()) => {
                tracing::info!(
                    view = old.view,
                    version = old.version,
                    build = old.build,
                    "old build dropped"
                );
            }
            Err(StoreError::Busy(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
