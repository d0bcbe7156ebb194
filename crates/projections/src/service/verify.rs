//! Proof that a view is what the log says: folds it anew into a scratch build, up to where the live build is at one
//! moment, and compares the two row by row in order of key. The live build goes on meanwhile.

use std::{cmp::Ordering, sync::Arc};

use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use super::{
    Shared,
    leases::Claim,
    meter::{Meter, Tell},
    pass::pass,
    slot::Slot,
    window::Build,
};
use crate::{
    Difference, Phase, Value, VerifyReport, ViewError,
    store::{ScannedRow, Table},
};

/// Chunks of rows that are read ahead of the comparison.
const CHUNKS: usize = 2;

/// Checks the views in a task of its own, so that a caller who hangs up does not leave scratch builds.
pub(super) async fn start(
    shared: &Arc<Shared>,
    slots: Vec<Arc<Slot>>,
    tell: Tell,
) -> Result<Vec<VerifyReport>, ViewError> {
    let shared = shared.clone();
    let task = tokio::spawn(async move { shared.verify(slots, tell).await });
    task.await.unwrap_or(Err(ViewError::ShuttingDown))
}

impl Shared {
    async fn verify(&self, slots: Vec<Arc<Slot>>, tell: Tell) -> Result<Vec<VerifyReport>, ViewError> {
        let _alone = self.building.lock().await;
        let claim = Claim::take(self, &slots).await?;
        let checked = self.verify_alone(slots, tell).await;
        if let Some(claim) = claim {
            claim.release().await;
        }
        checked
    }

    async fn verify_alone(&self, slots: Vec<Arc<Slot>>, tell: Tell) -> Result<Vec<VerifyReport>, ViewError> {
        let names = slots.iter().map(|slot| slot.name().to_owned()).collect();
        let meter = Meter::new(names, Vec::new(), tell);
        let builds = self.begin(&slots).await?;
        let tables: Vec<_> = builds.iter().map(|build| build.table.clone()).collect();
        let checked = self.refold_and_compare(&slots, builds, &meter).await;
        for table in &tables {
            self.discard(table).await;
        }
        checked
    }

    async fn refold_and_compare(
        &self,
        slots: &[Arc<Slot>],
        builds: Vec<Build>,
        meter: &Meter,
    ) -> Result<Vec<VerifyReport>, ViewError> {
        // Every live build is here or further; the rest follows for each view by itself.
        let mut until = self.log.head().await?;
        let registered = self.store.registered().await?;
        slots.iter().for_each(|slot| slot.look_up(&registered));
        for registered in registered {
            if slots.iter().any(|slot| registered.is_of(slot.spec())) {
                until = registered.checkpoint.map_or(until, |checkpoint| until.min(checkpoint.position));
            }
        }
        meter.head(until);
        let passed = pass(self, builds, until, meter).await?;
        let mut reports = Vec::with_capacity(slots.len());
        for (slot, build) in slots.iter().zip(passed.builds) {
            reports.push(self.compare(slot, build, meter).await?);
        }
        meter.phase(Phase::Done);
        Ok(reports)
    }

    async fn compare(&self, slot: &Slot, scratch: Build, meter: &Meter) -> Result<VerifyReport, ViewError> {
        // Up to where the view says it is, not only up to the last event that meant something to it.
        self.store_checkpoint(slot, &mut *slot.turn.lock().await).await?;
        let live = slot.table();
        let (at, mut live_rows) = self.scan(live.clone());
        // From here on the live rows are seen as they were at this position.
        let Ok(Some(position)) = at.await else {
            live_rows.next().await?;
            return Err(ViewError::Overtaken { view: live.spec.name });
        };
        meter.phase(Phase::CatchingUp);
        meter.head(position);
        let (scratch, _) = self.catch_up(scratch, position, meter).await?;
        meter.phase(Phase::Comparing);
        let (_, mut refolded_rows) = self.scan(scratch.table.clone());

        let mut report = VerifyReport {
            view: live.spec.name.to_owned(),
            version: live.spec.version,
            build: live.build,
            position,
            same: 0,
            different: 0,
            missing: 0,
            unexpected: 0,
            differences: Vec::new(),
            took_secs: 0.0,
        };
        let shown = self.options.shown_differences;
        let (mut left, mut right) = (live_rows.next().await?, refolded_rows.next().await?);
        while let Some(order) = order(left.as_ref(), right.as_ref()) {
            if self.stop.is_cancelled() {
                return Err(ViewError::ShuttingDown);
            }
            let live_row = if order.is_le() { left.take() } else { None };
            let refolded_row = if order.is_ge() { right.take() } else { None };
            if order.is_le() {
                left = live_rows.next().await?;
            }
            if order.is_ge() {
                right = refolded_rows.next().await?;
            }
            note(&mut report, live_row, refolded_row, &live, shown);
        }
        report.took_secs = meter.took_secs();
        Ok(report)
    }

    /// Reads a table by key; answers its position first.
    fn scan(&self, table: Arc<Table>) -> (oneshot::Receiver<Option<u64>>, RowStream) {
        let (position, at) = oneshot::channel();
        let (sender, chunks) = mpsc::channel(CHUNKS);
        let store = self.store.clone();
        let scan = tokio::spawn(async move { store.scan(table, position, sender).await });
        (at, RowStream { chunks, chunk: Vec::new().into_iter(), scan: Some(scan) })
    }
}

/// Which of the two rows comes first; none when there are no more.
fn order(live: Option<&ScannedRow>, refolded: Option<&ScannedRow>) -> Option<Ordering> {
    match (live, refolded) {
        (None, None) => None,
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (Some(live), Some(refolded)) => Some(live.key.cmp(&refolded.key)),
    }
}

fn note(
    report: &mut VerifyReport,
    live: Option<ScannedRow>,
    refolded: Option<ScannedRow>,
    table: &Table,
    shown: usize,
) {
    let count = match (&live, &refolded) {
        (Some(live), Some(refolded)) if same(live, refolded) => {
            report.same += 1;
            return;
        }
        (Some(_), Some(_)) => &mut report.different,
        (None, _) => &mut report.missing,
        (_, None) => &mut report.unexpected,
    };
    *count += 1;
    if report.differences.len() < shown {
        let key = live.as_ref().or(refolded.as_ref()).map(|row| row.key.clone()).unwrap_or_default();
        let show = |row: ScannedRow| shown_row(row, table);
        report.differences.push(Difference { key, live: live.map(show), refolded: refolded.map(show) });
    }
}

/// The same columns, and the same document whatever its spelling.
fn same(live: &ScannedRow, refolded: &ScannedRow) -> bool {
    let parse = |doc: &str| serde_json::from_str::<serde_json::Value>(doc).ok();
    live.columns == refolded.columns
        && (live.doc == refolded.doc
            || parse(&live.doc).is_some_and(|live| parse(&refolded.doc) == Some(live)))
}

fn shown_row(row: ScannedRow, table: &Table) -> serde_json::Value {
    let doc = serde_json::from_str(&row.doc).unwrap_or(serde_json::Value::String(row.doc));
    let mut shown = json!({ "doc": doc });
    let names = std::iter::once("sort").chain(table.spec.columns.iter().map(|column| column.name));
    for (name, value) in names.zip(row.columns) {
        shown[name] = match value {
            Some(Value::Text(text)) => json!(text),
            Some(Value::Integer(number)) => json!(number),
            None => serde_json::Value::Null,
        };
    }
    shown
}

/// Rows of a table, as they come.
struct RowStream {
    chunks: mpsc::Receiver<Vec<ScannedRow>>,
    chunk: std::vec::IntoIter<ScannedRow>,
    scan: Option<tokio::task::JoinHandle<Result<(), eventlog::StoreError>>>,
}

impl RowStream {
    async fn next(&mut self) -> Result<Option<ScannedRow>, ViewError> {
        loop {
            if let Some(row) = self.chunk.next() {
                return Ok(Some(row));
            }
            match self.chunks.recv().await {
                Some(chunk) => self.chunk = chunk.into_iter(),
                None => break,
            }
        }
        // The rows ended: all of them, or because reading failed?
        if let Some(scan) = self.scan.take() {
            scan.await.unwrap_or(Err(eventlog::StoreError::Closed))?;
        }
        Ok(None)
    }
}
