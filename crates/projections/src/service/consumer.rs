//! The consumer of one view: takes what is new on the log, folds it, writes rows and checkpoint in one transaction.

use std::{sync::Arc, time::Duration};

use domain::Envelope;
use eventlog::{LogError, StoreError};
use tokio_util::sync::CancellationToken;

use super::{
    Shared,
    slot::{Slot, Turn},
    window::{Build, fold_window},
};
use crate::ViewError;

/// Pause after a first failure, and the longest one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Follows the log until told to stop.
pub(super) async fn run(shared: Arc<Shared>, slot: Arc<Slot>) {
    let stop = &shared.stop;
    let (mut pause, mut caught_up) = (FIRST_PAUSE, false);
    while !stop.is_cancelled() {
        if slot.is_halted() {
            tokio::select! {
                () = stop.cancelled() => {}
                () = slot.resumed.notified() => {}
            }
            continue;
        }
        match step(&shared, &slot, stop).await {
            Ok(()) => pause = FIRST_PAUSE,
            Err(error) if is_passing(&error) => {
                tracing::warn!(view = slot.name(), %error, ?pause, "view tries again");
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(pause) => {}
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            Err(error) => slot.halt(&error),
        }
        if !caught_up && *slot.position().borrow() >= *shared.head.borrow() {
            let retired = shared.store.retire_older_versions(slot.table().spec).await;
            caught_up = retired.is_ok();
        }
    }
    let mut turn = slot.turn.lock().await;
    if let Err(error) = shared.store_checkpoint(&mut turn).await {
        // Those events mean nothing to the view: they are looked at once more after the next start.
        tracing::warn!(view = slot.name(), %error, "checkpoint not written");
    }
}

/// Whether another try may help.
fn is_passing(error: &ViewError) -> bool {
    match error {
        ViewError::Log(LogError::Unavailable(_) | LogError::Full(_)) => true,
        ViewError::Store(error) => !matches!(error, StoreError::NewerSchema { .. } | StoreError::Corrupt(_)),
        _ => false,
    }
}

async fn step(shared: &Shared, slot: &Slot, stop: &CancellationToken) -> Result<(), ViewError> {
    let (after, doubtful) = {
        let turn = slot.turn.lock().await;
        (turn.checkpoint, turn.doubtful)
    };
    if doubtful {
        let registered = shared.store.registered().await?;
        let mut turn = slot.turn.lock().await;
        turn.look_up(&registered);
        slot.publish(&turn.table, turn.checkpoint.position);
        return Ok(());
    }
    let lag = shared.head.borrow().saturating_sub(after.position);
    let options = &shared.options;
    let behind = lag > options.live_window as u64;
    let limit = if behind { options.rebuild_window } else { options.live_window };
    let mut events = shared.log.next(after.position, limit, stop).await?;
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
    if turn.checkpoint == after && !turn.doubtful {
        shared.advance(slot, &mut turn, events).await?;
    }
    Ok(())
}

impl Shared {
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
        let idle = batch.is_empty() && to.position - turn.stored.position < self.options.idle_checkpoint;
        if !idle {
            // Until the answer is there nobody knows what the store has.
            turn.doubtful = true;
            if !self.store.commit(turn.table.clone(), batch, turn.stored, to).await? {
                tracing::info!(view = slot.name(), "another build or process went on with this view");
                return Ok(());
            }
            turn.doubtful = false;
            turn.stored = to;
        }
        build.folder.settle(build.folder.window());
        turn.folder = Some(build.folder);
        turn.checkpoint = to;
        slot.publish(&turn.table, to.position);
        Ok(())
    }

    /// Writes a checkpoint that was put off.
    pub(super) async fn store_checkpoint(&self, turn: &mut Turn) -> Result<(), ViewError> {
        if !turn.doubtful && turn.stored != turn.checkpoint {
            let nothing = crate::batch::Batch::new(turn.table.spec.columns.len());
            if self.store.commit(turn.table.clone(), nothing, turn.stored, turn.checkpoint).await? {
                turn.stored = turn.checkpoint;
            }
        }
        Ok(())
    }
}
