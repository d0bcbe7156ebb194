//! What has to be done now and then: drop builds whose time is over, look up views that run elsewhere.

use std::{sync::Arc, time::Duration};

use eventlog::StoreError;
use tokio::time::Instant;

use super::{Shared, consumer::lease_name, slot::live};
use crate::{
    ViewError,
    store::{BuildState, Holders, Registered, ViewStore, builder_of},
};

/// How often, when the store is this process's own.
const SELDOM: Duration = Duration::from_secs(1);
/// How often, when other processes have a hand in it: a new build is noticed that fast, and a view that nobody works for.
const OFTEN: Duration = Duration::from_millis(250);
/// How often views that run elsewhere are looked up while somebody waits for one.
const WAITED_FOR: Duration = Duration::from_millis(15);
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
    let holders = holders(&shared.store, &registered, shared).await?;
    for slot in shared.slots.iter().filter(|_| is_shared) {
        let holder = holders.get(&lease_name(slot));
        if holder.is_none() && slot.runs_here() && !slot.works_here() {
            shared.lease_wanted.notify_one();
        }
        slot.set_holder(holder.cloned());
    }
    let is_dead = |build: &Registered| is_shared && is_given_up(build, &holders);
    tidy(&shared.store, &registered, shared.options.keep_retired, is_dead).await
}

/// Who works for the views and the builds that there are.
async fn holders(
    store: &ViewStore,
    registered: &[Registered],
    shared: &Shared,
) -> Result<Holders, StoreError> {
    let views = shared.slots.iter().map(|slot| lease_name(slot));
    store.holders(views.chain(builders(registered)).collect()).await
}

/// Who would be building what is being built.
pub(super) fn builders(registered: &[Registered]) -> impl Iterator<Item = String> {
    let building = registered.iter().filter(|build| build.state == BuildState::Building);
    building.map(|build| builder_of(&build.view, build.version))
}

/// Whether nobody builds it any more. `holders` was asked after the registry, so that a new build has its holder there.
pub(super) fn is_given_up(build: &Registered, holders: &Holders) -> bool {
    build.state == BuildState::Building && !holders.contains_key(&builder_of(&build.view, build.version))
}

/// Drops what was replaced long enough ago, and what `is_dead`.
pub(super) async fn tidy(
    store: &ViewStore,
    registered: &[Registered],
    keep: Duration,
    is_dead: impl Fn(&Registered) -> bool,
) -> Result<(), ViewError> {
    for old in registered.iter().filter(|build| build.is_overdue(keep) || is_dead(build)) {
        match store.drop_build(&old.view, old.version, old.build).await {
            Ok(()) => {
                tracing::info!(
                    view = old.view,
                    version = old.version,
                    build = old.build,
                    "old build dropped"
                );
            }
            // Somebody reads it: another time.
            Err(StoreError::Busy(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
