//! Blue/green rebuild: a new build is folded beside the live one, gets its indexes last, catches up, and takes over by
//! compare-and-set. Killed at any moment, the old build is still the live one.

use std::sync::Arc;

use domain::Position;
use eventlog::postgres::Held;

use super::{
    Shared,
    consumer::lease_name,
    leases::Claim,
    meter::{Meter, Tell},
    pass::pass,
    slot::{Slot, Turn, live},
    window::Build,
};
use crate::{
    Phase, RebuildReport, ViewError,
    store::{BuildState, Table},
};

/// Rounds of catching up with a log that grows, before the live consumer is made to wait.
const ROUNDS: usize = 20;
/// Attempts to switch while a consumer in another process goes on.
const ATTEMPTS_BESIDE: usize = 3;
/// Attempts to switch, those included.
const ATTEMPTS: usize = 8;

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
        let claim = Claim::take(self, &slots).await?;
        let rebuilt = self.rebuild_alone(&slots, tell).await;
        if let Some(claim) = claim {
            claim.release().await;
        }
        rebuilt
    }

    async fn rebuild_alone(&self, slots: &[Arc<Slot>], tell: Tell) -> Result<Vec<RebuildReport>, ViewError> {
        let names = slots.iter().map(|slot| slot.name().to_owned()).collect();
        let meter = Meter::new(names, slots.to_vec(), tell);
        let builds = self.begin(slots).await?;
        let tables: Vec<_> = builds.iter().map(|build| build.table.clone()).collect();
        let rebuilt = self.build_and_switch(slots, builds, &meter).await;
        if rebuilt.is_err() {
            self.give_up(slots, &tables).await;
        }
        rebuilt
    }

    /// New, empty builds.
    pub(super) async fn begin(&self, slots: &[Arc<Slot>]) -> Result<Vec<Build>, ViewError> {
        let mut builds: Vec<Build> = Vec::with_capacity(slots.len());
        for slot in slots {
            let (spec, log_id) = (slot.spec(), self.log.log_id());
            let created = self.store.create_build(spec, BuildState::Building, log_id).await;
            let table = match created.map_err(ViewError::from) {
                Ok(Some(table)) => table,
                none => {
                    for build in &builds {
                        self.discard(&build.table).await;
                    }
                    return Err(none.err().unwrap_or(ViewError::Overtaken { view: spec.name }));
                }
            };
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

    /// Drops a build. If that fails, it is dropped later as one that nobody works on.
    pub(super) async fn discard(&self, table: &Table) {
        let dropped = self.store.drop_build(table.spec.name, table.spec.version, table.build).await;
        if let Err(error) = dropped {
            tracing::warn!(table = table.name, %error, "build not dropped; it is later");
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

    /// Makes the build the live one, and has the consumer go on with it. So far it took so many rows written and events
    /// read.
    async fn take_over(
        &self,
        slot: &Slot,
        build: Build,
        so_far: (u64, u64),
        meter: &Meter,
    ) -> Result<RebuildReport, ViewError> {
        let mut turn = slot.turn.lock().await;
        let mut fence = None;
        let switched = self.switch_level((slot, &turn), build, meter, &mut fence).await;
        if let (Some(held), Some(leases)) = (fence, self.store.leases())
            && let Err(error) = leases.release(&lease_name(slot), &[held]).await
        {
            tracing::warn!(view = slot.name(), %error, "lease not given back: it ends by itself");
        }
        let (mut build, replaced, more) = switched?;
        build.folder.set_capacity(self.options.live_cache_rows);
        let (took_secs, events) = (meter.took_secs(), so_far.1 + more.1);
        let report = RebuildReport {
            view: slot.name().to_owned(),
            version: slot.spec().version,
            build: build.table.build,
            replaced,
            events,
            position: build.checkpoint.position,
            rows_written: so_far.0 + more.0,
            took_secs,
            events_per_sec: events as f64 / took_secs.max(1e-6),
        };
        slot.switch(&mut turn, build);
        tracing::info!(view = report.view, build = report.build, took_secs, "view rebuilt");
        Ok(report)
    }

    /// Brings the build to where the live one is and switches, while the consumer in this process waits. A consumer in
    /// another process goes on meanwhile; if it is always faster, its lease is taken from it (`fence`) for the moment of
    /// the switch. Returns also which build was replaced, rows written and events read.
    async fn switch_level(
        &self,
        (slot, turn): (&Slot, &Turn),
        mut build: Build,
        meter: &Meter,
        fence: &mut Option<Held>,
    ) -> Result<(Build, u32, (u64, u64)), ViewError> {
        let spec = slot.spec();
        let (mut rows, mut events) = (0, 0);
        for attempt in 1..=ATTEMPTS {
            let Some((number, stored)) = live(&self.store.registered().await?, spec) else { break };
            if number == build.table.build {
                // Switched before, and the answer was lost.
                return Ok((build, turn.table.build, (rows, events)));
            }
            if number > build.table.build {
                // Numbers only grow, so that whoever reads the registry can tell what is newer.
                break;
            }
            // What a stopped build counted is not what this log says: there is nothing to catch up with.
            let halted = slot.is_halted();
            let level = if halted { 0 } else { self.level(slot, turn, stored.position).await? };
            let more;
            (build, more) = self.catch_up(build, level, meter).await?;
            rows += more.0;
            events += more.1;
            let old = Arc::new(Table::new(spec, number));
            if self.store.switch(old, build.table.clone(), build.checkpoint, halted).await? {
                return Ok((build, number, (rows, events)));
            }
            if attempt == ATTEMPTS_BESIDE {
                *fence = self.store.steal(lease_name(slot)).await?;
            }
        }
        Err(ViewError::Overtaken { view: spec.name })
    }

    /// Where a new build has to be so that readers do not see the view go back.
    async fn level(&self, slot: &Slot, turn: &Turn, stored: Position) -> Result<Position, ViewError> {
        if slot.works_here() && !turn.doubtful {
            return Ok(stored.max(turn.checkpoint.position));
        }
        // Whoever works for it may have shown more than is stored, but not more than there is.
        Ok(stored.max(self.log.head().await?))
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
