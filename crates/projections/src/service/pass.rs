//! One pass over the log for all builds at once: reading, folding and writing go on side by side, and only a few
//! windows are in memory at any time.

use std::{collections::VecDeque, sync::Arc};

use domain::{Envelope, Position};
use eventlog::{Log, LogError};
use tokio::sync::mpsc;

use super::{
    Shared,
    meter::Meter,
    window::{Build, fold_window},
};
use crate::{
    ViewError,
    store::{BuildWindow, Pending},
};

/// Events read at once: reading decodes them, which must not keep a worker of the runtime for long.
const PAGE: usize = 1_024;
/// Windows that are read ahead.
const READ_AHEAD: usize = 1;
/// Windows whose writes are waited for while the next is folded.
const IN_FLIGHT: usize = 1;

/// What a pass did.
pub(super) struct Passed {
    pub(super) builds: Vec<Build>,
    /// Rows written, for each build.
    pub(super) rows: Vec<u64>,
    /// Events read.
    pub(super) events: u64,
}

/// The writes of one window: each build's window number, and the answer.
type Writes = (Vec<u64>, Pending<()>);

/// Folds the builds, which stand at the same event, up to `until`.
pub(super) async fn pass(
    shared: &Shared,
    mut builds: Vec<Build>,
    until: Position,
    meter: &Meter,
) -> Result<Passed, ViewError> {
    let (mut rows, mut events) = (vec![0; builds.len()], 0);
    let from = builds.first().map_or(until, |build| build.checkpoint.position);
    let mut windows = read_ahead(shared.log.clone(), from, until, shared.options.rebuild_window);
    let mut in_flight: VecDeque<Writes> = VecDeque::new();
    while let Some(window) = windows.recv().await {
        if shared.stop.is_cancelled() {
            return Err(ViewError::ShuttingDown);
        }
        let window = window?;
        let count = window.len();
        let (folded, batches) = fold_window(&shared.store, builds, window).await?;
        builds = folded;
        while in_flight.len() >= IN_FLIGHT {
            written(&mut builds, in_flight.pop_front()).await?;
        }
        let mut written = Vec::with_capacity(builds.len());
        for ((build, batch), rows) in builds.iter().zip(batches).zip(&mut rows) {
            *rows += batch.len() as u64;
            written.push(BuildWindow { table: build.table.clone(), batch, number: build.folder.window() });
        }
        let numbers = written.iter().map(|window| window.number).collect();
        in_flight.push_back((numbers, shared.store.write(written)));
        events += count as u64;
        meter.add(count);
    }
    while !in_flight.is_empty() {
        written(&mut builds, in_flight.pop_front()).await?;
    }
    Ok(Passed { builds, rows, events })
}

async fn written(builds: &mut [Build], writes: Option<Writes>) -> Result<(), ViewError> {
    let Some((numbers, written)) = writes else { return Ok(()) };
    written.await?;
    for (build, number) in builds.iter_mut().zip(numbers) {
        build.folder.settle(number);
    }
    Ok(())
}

/// Reads windows of the log in a task of its own. Ends at `until`, after an error, or when nobody listens any more.
fn read_ahead(
    log: Log,
    from: Position,
    until: Position,
    window: usize,
) -> mpsc::Receiver<Result<Vec<Arc<Envelope>>, LogError>> {
    let (sender, windows) = mpsc::channel(READ_AHEAD);
    tokio::spawn(async move {
        let mut after = from;
        while after < until {
            let read = read_window(&log, &mut after, until, window).await;
            let failed = read.is_err();
            if sender.send(read).await.is_err() || failed {
                return;
            }
        }
    });
    windows
}

async fn read_window(
    log: &Log,
    after: &mut Position,
    until: Position,
    window: usize,
) -> Result<Vec<Arc<Envelope>>, LogError> {
    let mut events: Vec<Arc<Envelope>> = Vec::with_capacity(window);
    while *after < until && events.len() < window {
        let left = usize::try_from(until - *after).unwrap_or(usize::MAX);
        let limit = PAGE.min(window - events.len()).min(left);
        let mut page = log.read_all(*after, limit).await?;
        // Positions may have gaps: what lies beyond the goal is not wanted.
        page.truncate(page.partition_point(|event| event.position <= until));
        let Some(last) = page.last() else {
            *after = until;
            break;
        };
        *after = last.position;
        events.append(&mut page);
        tokio::task::yield_now().await;
    }
    Ok(events)
}
