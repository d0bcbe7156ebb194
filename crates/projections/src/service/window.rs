//! Folding one window of events for one or several builds.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use domain::Envelope;
use eventlog::Checkpoint;

use crate::{
    RowKey, ViewError,
    batch::Batch,
    fold::{Fold, StoredRow},
    store::{Table, ViewStore},
};

/// Windows up to this size are folded where they are (about a millisecond); larger ones on a thread that may block.
const INLINE_EVENTS: usize = 512;

/// A build being folded.
pub(crate) struct Build {
    pub(crate) table: Arc<Table>,
    pub(crate) folder: Box<dyn Fold>,
    /// The last event that was folded.
    pub(crate) checkpoint: Checkpoint,
}

/// Folds the events behind the builds' checkpoints, which are the same, and moves these. Returns what to write for
/// each. On an error the builds' rows in memory are lost with them.
pub(crate) async fn fold_window(
    store: &ViewStore,
    mut builds: Vec<Build>,
    mut events: Vec<Arc<Envelope>>,
) -> Result<(Vec<Build>, Vec<Batch>), ViewError> {
    let Some(first) = builds.first() else { return Ok((builds, Vec::new())) };
    let from = first.checkpoint;
    debug_assert!(builds.iter().all(|build| build.checkpoint == from), "builds of a pass go together");
    // What is counted already does not count again.
    let counted = events.partition_point(|event| event.position <= from.position);
    events.drain(..counted);
    let Some(last) = events.last() else {
        let nothing = builds.iter().map(|build| Batch::new(build.table.spec.columns.len())).collect();
        return Ok((builds, nothing));
    };
    let (position, event_id) = (last.position, Some(last.metadata.event_id));
    let to = Checkpoint { log_id: from.log_id, position, event_id };
    let names = builds.iter().map(|build| build.table.spec.name).collect::<Vec<_>>().join(", ");
    let panicked = |reason| ViewError::Panicked { views: names.clone(), position: from.position, reason };
    let inline = events.len() <= INLINE_EVENTS;

    let look = move || {
        let missing: Vec<_> = builds.iter_mut().map(|build| build.folder.missing(&events)).collect();
        (builds, events, missing)
    };
    let (builds, events, missing) = run(inline, look).await.map_err(&panicked)?;

    let stored = fetch(store, &builds, missing).await?;
    let look_on = move || {
        let mut builds = builds;
        let mut related = Vec::with_capacity(builds.len());
        for (build, rows) in builds.iter_mut().zip(stored) {
            build.folder.load(rows)?;
            related.push(build.folder.related(&events));
        }
        Ok::<_, ViewError>((builds, events, related))
    };
    let (builds, events, related) = run(inline, look_on).await.map_err(&panicked)??;

    let stored = fetch(store, &builds, related).await?;
    let fold = move || {
        let mut builds = builds;
        let mut batches = Vec::with_capacity(builds.len());
        for (build, rows) in builds.iter_mut().zip(stored) {
            build.folder.load(rows)?;
            batches.push(build.folder.fold(&events));
            build.checkpoint = to;
        }
        Ok((builds, batches))
    };
    run(inline, fold).await.map_err(panicked)?
}

/// What the store has of the rows that each build misses.
async fn fetch(
    store: &ViewStore,
    builds: &[Build],
    missing: Vec<Vec<RowKey>>,
) -> Result<Vec<Vec<StoredRow>>, ViewError> {
    let mut stored = Vec::with_capacity(builds.len());
    for (build, keys) in builds.iter().zip(missing) {
        let nothing = keys.is_empty();
        stored.push(if nothing { Vec::new() } else { store.fetch(build.table.clone(), keys).await? });
    }
    Ok(stored)
}

/// Runs `work` here or on a thread that may block. An error is the message of a panic.
async fn run<T: Send + 'static>(
    inline: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    let work = move || catch_unwind(AssertUnwindSafe(work)).map_err(|panic| panic_text(panic.as_ref()));
    if inline {
        return work();
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err("the runtime is shutting down".to_owned()))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a message".to_owned())
}
