//! Blue/green rebuild: a new build is folded beside the live one, gets its indexes last, catches up, and takes over by
//! compare-and-set. Killed at any moment, the old build is still the live one.

use std::sync::Arc;

use domain::Position;

use super::{
    Shared,
    meter::{Meter, Tell},
    pass::pass,
    slot::Slot,
    window::Build,
};
use crate::{
    Phase, RebuildReport, ViewError,
    store::{BuildState, Table},
};

/// Rounds of catching up with a log that grows, before the live consumer is made to wait.
const ROUNDS: usize = 20;

/// Rebuilds the views in a task of its own, so that a caller who hangs up does not leave half a build.
pub(super) async fn start(
    shared: &Arc<Shared>,
    slots: Vec<Arc<Slot>>,
    tell: Tell,
) -> Result<Vec<RebuildReport>, ViewError> {
    let shared = shared.clone();
    let task = tokio::spawn(async move { shared.rebuild(slots, tell).await });
    task.await.unwrap_or(Err(ViewError::ShuttingDown))
}

impl Shared {
    async fn rebuild(&self, slots: Vec<Arc<Slot>>, tell: Tell) -> Result<Vec<RebuildReport>, ViewError> {
        let _alone = self.building.lock().await;
        let names = slots.iter().map(|slot| slot.name().to_owned()).collect();
        let meter = Meter::new(names, slots.clone(), tell);
        let builds = self.begin(&slots).await?;
        let tables: Vec<_> = builds.iter().map(|build| build.table.clone()).collect();
        let rebuilt = self.build_and_switch(&slots, builds, &meter).await;
        if rebuilt.is_err() {
            self.give_up(&slots, &tables).await;
        }
        rebuilt
    }

    /// New, empty builds.
    pub(super) async fn begin(&self, slots: &[Arc<Slot>]) -> Result<Vec<Build>, ViewError> {
        let mut builds = Vec::with_capacity(slots.len());
        for slot in slots {
            let (spec, log_id) = (slot.table().spec, self.log.log_id());
            let created = self.store.create_build(spec, BuildState::Building, log_id).await?;
            let table = created.ok_or(ViewError::Overtaken { view: spec.name })?;
            let folder = (spec.folder)(self.options.rebuild_cache_rows);
            let checkpoint = eventlog::Checkpoint { log_id, position: 0, event_id: None };
            builds.push(Build { table, folder, checkpoint });
        }
        Ok(builds)
    }

    /// Drops builds that did not become live.
    async fn give_up(&self, slots: &[Arc<Slot>], tables: &[Arc<Table>]) {
        for (slot, table) in slots.iter().zip(tables) {
            if slot.table().build != table.build {
                self.discard(table).await;
            }
        }
    }

    /// Drops a build. If that fails, it is dropped when the views are opened next.
    pub(super) async fn discard(&self, table: &Table) {
        let dropped = self.store.drop_build(table.spec.name, table.spec.version, table.build).await;
        if let Err(error) = dropped {
            tracing::warn!(table = table.name, %error, "build not dropped; it is at the next start");
        }
    }

    async fn build_and_switch(
        &self,
        slots: &[Arc<Slot>],
        builds: Vec<Build>,
        meter: &Meter,
    ) -> Result<Vec<RebuildReport>, ViewError> {
        let until = self.log.head().await?;
        meter.head(until);
        let mut passed = pass(self, builds, until, meter).await?;
        let (mut rows, mut events) = (passed.rows, passed.events);

        meter.phase(Phase::Indexing);
        for build in &passed.builds {
            self.store.create_indexes(&build.table).await?;
        }

        meter.phase(Phase::CatchingUp);
        for _ in 0..ROUNDS {
            let head = self.log.head().await?;
            meter.head(head);
            let at = passed.builds.first().map_or(head, |build| build.checkpoint.position);
            if head.saturating_sub(at) <= self.options.live_window as u64 {
                break;
            }
            passed = pass(self, passed.builds, head, meter).await?;
            rows.iter_mut().zip(&passed.rows).for_each(|(rows, more)| *rows += more);
            events += passed.events;
        }

        let mut reports = Vec::with_capacity(slots.len());
        for ((slot, build), rows) in slots.iter().zip(passed.builds).zip(rows) {
            reports.push(self.take_over(slot, build, (rows, events), meter).await?);
        }
        meter.phase(Phase::Done);
        Ok(reports)
    }

    /// Brings the build to where the live one is, while that one waits, and switches. So far it took so many rows
    /// written and events read.
    async fn take_over(
        &self,
        slot: &Slot,
        build: Build,
        (mut rows_written, mut events): (u64, u64),
        meter: &Meter,
    ) -> Result<RebuildReport, ViewError> {
        let mut turn = slot.turn.lock().await;
        if turn.doubtful {
            turn.look_up(&self.store.registered().await?);
        }
        // What a stopped build counted is not what this log says: there is nothing to catch up with.
        let halted = slot.is_halted();
        let goal = if halted { build.checkpoint.position } else { turn.checkpoint.position };
        let (mut build, more) = self.catch_up(build, goal, meter).await?;
        rows_written += more.0;
        events += more.1;
        let (old, new, checkpoint) = (turn.table.clone(), build.table.clone(), build.checkpoint);
        if !self.store.switch(old.clone(), new, checkpoint, halted).await? {
            return Err(ViewError::Overtaken { view: old.spec.name });
        }
        build.folder.set_capacity(self.options.live_cache_rows);
        let took_secs = meter.took_secs();
        let report = RebuildReport {
            view: old.spec.name.to_owned(),
            version: old.spec.version,
            build: build.table.build,
            replaced: old.build,
            events,
            position: checkpoint.position,
            rows_written,
            took_secs,
            events_per_sec: events as f64 / took_secs.max(1e-6),
        };
        slot.switch(&mut turn, build);
        tracing::info!(view = report.view, build = report.build, took_secs, "view rebuilt");
        Ok(report)
    }

    /// Folds one build up to `goal`, if it is not there yet. Returns also how many rows were written and events read.
    pub(super) async fn catch_up(
        &self,
        build: Build,
        goal: Position,
        meter: &Meter,
    ) -> Result<(Build, (u64, u64)), ViewError> {
        if build.checkpoint.position >= goal {
            return Ok((build, (0, 0)));
        }
        let mut passed = pass(self, vec![build], goal, meter).await?;
        let build = passed.builds.pop().ok_or(ViewError::ShuttingDown)?;
        Ok((build, (passed.rows.iter().sum(), passed.events)))
    }
}
