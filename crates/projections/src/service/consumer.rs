//! The consumer of one view: takes what is new on the log, folds it, writes rows and checkpoint in one transaction.
//! Where several processes may, it does so only while the view's lease is its own, and stands by otherwise.

use std::{sync::Arc, time::Duration};

use domain::Envelope;
use eventlog::{Checkpoint, LogError, StoreError, kill_point, postgres::Held};
use tokio::{sync::watch, time::Instant};

use super::{
    Shared,
    slot::{Slot, Turn, live},
    window::{Build, fold_window},
};
use crate::{
    ViewError,
    batch::Batch,
    store::{Window, consumer_of},
};

/// Pause after a first failure, and the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// After so long, events that mean nothing to a view are counted in a store that other processes read: they may wait for
/// one of them.
const COUNT_AFTER: Duration = Duration::from_millis(50);

/// Follows the log until told to stop.
pub(super) async fn run(shared: Arc<Shared>, slot: Arc<Slot>) {
    let stop = &shared.stop;
    let mut lease = slot.lease();
    let (mut pause, mut caught_up) = (FIRST_PAUSE, false);
    while !stop.is_cancelled() {
        if slot.is_halted() {
            tokio::select! {
                () = stop.cancelled() => {}
                () = slot.news.notified() => {}
            }
            continue;
        }
        match step(&shared, &slot, &mut lease).await {
            Ok(()) => pause = FIRST_PAUSE,
            Err(error) if is_passing(&error) => {
                tracing::warn!(view = slot.name(), %error, ?pause, "view tries again");
                slot.doubt();
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => slot.halt(&error),
        }
        if !caught_up && *slot.position().borrow() >= *shared.head.borrow() {
            let retired = shared.store.retire_older_versions(slot.spec()).await;
            caught_up = retired.is_ok();
        }
    }
    let mut turn = slot.turn.lock().await;
    if let Err(error) = shared.store_checkpoint(&slot, &mut turn).await {
        // Those events mean nothing to the view: they are looked at once more after the next start.
        tracing::warn!(view = slot.name(), %error, "checkpoint not written");
    }
}

/// Whether another try may help, also if it takes somebody who gives us back the right to the database.
fn is_passing(error: &ViewError) -> bool {
    match error {
        ViewError::Log(error) => matches!(
            error,
            LogError::Unavailable(_) | LogError::Full(_) | LogError::Locked { .. } | LogError::Unusable(_)
        ),
        ViewError::Store(error) => !matches!(error, StoreError::NewerSchema { .. } | StoreError::Corrupt(_)),
        ViewError::Retired { .. } => true,
        _ => false,
    }
}

async fn step(
    shared: &Shared,
    slot: &Slot,
    lease: &mut watch::Receiver<Option<Held>>,
) -> Result<(), ViewError> {
    let stop = &shared.stop;
    let held = *lease.borrow_and_update();
    if slot.is_shared() && held.is_none() {
        tokio::select! {
            () = stop.cancelled() => {}
            _ = lease.changed() => {}
        }
        return Ok(());
    }
    let (after, count_at) = {
        let mut turn = slot.turn.lock().await;
        turn.doubtful |= slot.take_doubt();
        if turn.doubtful || turn.held != held {
            shared.look_up(slot, &mut turn, held).await?;
        }
        (turn.checkpoint, turn.behind_since.filter(|_| slot.is_shared()).map(|since| since + COUNT_AFTER))
    };
    let lag = shared.head.borrow().saturating_sub(after.position);
    let options = &shared.options;
    let behind = lag > options.live_window as u64;
    let limit = if behind { options.rebuild_window } else { options.live_window };
    let mut events = tokio::select! {
        events = shared.log.next(after.position, limit, stop) => events?,
        _ = lease.changed() => return Ok(()),
        () = slot.news.notified() => return Ok(()),
        () = reached(count_at) => return shared.store_checkpoint(slot, &mut *slot.turn.lock().await).await,
    };
    if events.len() >= options.busy_events && events.len() < limit {
        // There is a rush: what comes within the next moments mostly touches the same rows, and they are written once.
        tokio::time::sleep(options.linger).await;
        events = shared.log.next(after.position, limit, stop).await?;
    }
    if events.is_empty() {
        // Told to stop; or the log shut down, and there is nothing more to come.
        if !stop.is_cancelled() {
            stop.cancelled().await;
        }
        return Ok(());
    }
    let mut turn = slot.turn.lock().await;
    if turn.checkpoint == after && !turn.doubtful && turn.held == held {
        shared.advance(slot, &mut turn, events).await?;
    }
    Ok(())
}

async fn reached(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

impl Shared {
    /// Looks up where the store is, under a lease that is ours.
    async fn look_up(&self, slot: &Slot, turn: &mut Turn, held: Option<Held>) -> Result<(), ViewError> {
        let spec = turn.table.spec;
        let Some((build, checkpoint)) = live(&self.store.registered().await?, spec) else {
            return Err(ViewError::Retired { view: spec.name, version: spec.version });
        };
        self.log.verify_checkpoint(&checkpoint).await?;
        turn.begin_at(build, checkpoint, held);
        slot.confirm(checkpoint.position);
        slot.publish(&turn.table, checkpoint.position);
        Ok(())
    }

    /// Folds and writes one window of the live build.
    async fn advance(
        &self,
        slot: &Slot,
        turn: &mut Turn,
        events: Vec<Arc<Envelope>>,
    ) -> Result<(), ViewError> {
        let folder = turn.folder.take();
        let folder = folder.unwrap_or_else(|| (turn.table.spec.folder)(self.options.live_cache_rows));
        let build = Build { table: turn.table.clone(), folder, checkpoint: turn.checkpoint };
        let (builds, batches) = fold_window(&self.store, vec![build], events).await?;
        let Some((mut build, batch)) = builds.into_iter().zip(batches).next() else { return Ok(()) };
        let to = build.checkpoint;
        let soon = slot.is_shared() && turn.waited() >= COUNT_AFTER;
        let few = to.position - turn.stored.position < self.options.idle_checkpoint;
        if batch.is_empty() && few && !soon {
            turn.behind_since.get_or_insert_with(Instant::now);
        } else if !self.commit(slot, turn, batch, to).await? {
            return Ok(());
        }
        build.folder.settle(build.folder.window());
        turn.folder = Some(build.folder);
        turn.checkpoint = to;
        slot.publish(&turn.table, to.position);
        Ok(())
    }

    /// Writes a window. False: somebody else went on with this view, or took the right to.
    async fn commit(
        &self,
        slot: &Slot,
        turn: &mut Turn,
        batch: Batch,
        to: Checkpoint,
    ) -> Result<bool, ViewError> {
        // Until the answer is there nobody knows what the store has.
        turn.doubtful = true;
        let (table, from, held) = (turn.table.clone(), turn.stored, turn.held);
        kill_point("view.before_write");
        let written = self.store.commit(Window { table, batch, from, to, held }).await?;
        kill_point("view.after_write");
        if !written {
            tracing::info!(view = slot.name(), "another build or process went on with this view");
            if slot.is_shared() {
                // Whether it is still ours is asked now rather than with the next renewal.
                slot.set_lease(None);
                self.lease_wanted.notify_one();
            }
            return Ok(false);
        }
        (turn.doubtful, turn.stored, turn.behind_since) = (false, to, None);
        slot.confirm(to.position);
        Ok(true)
    }

    /// Writes a checkpoint that was put off.
    pub(super) async fn store_checkpoint(&self, slot: &Slot, turn: &mut Turn) -> Result<(), ViewError> {
        if !turn.doubtful && turn.stored != turn.checkpoint {
            let (nothing, to) = (Batch::new(turn.table.spec.columns.len()), turn.checkpoint);
            self.commit(slot, turn, nothing, to).await?;
        }
        Ok(())
    }
}

/// The consumer under which the view's lease stands.
pub(super) fn lease_name(slot: &Slot) -> String {
    let spec = slot.spec();
    consumer_of(spec.name, spec.version)
}
