//! What every view must pass.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{Envelope, Position};
use eventlog::Checkpoint;
use serde_json::Value;
use uuid::Uuid;

use super::{
    crowd, places,
    scripts::{Random, Scenario},
    story,
};
use crate::{
    RowKey, View, ViewPlace,
    batch::Batch,
    fold::{Fold, Folder, StoredRow},
    service::window::{Build, fold_window},
    spec::Spec,
    store::{BuildState, ViewStore, Window, consumer_of},
};

/// Rows by key, as a store would keep them.
#[derive(Clone, Debug, Default, PartialEq)]
struct Kept(BTreeMap<String, (Option<Position>, Value)>);

impl Kept {
    fn take(&mut self, batch: &Batch) {
        for (key, sort, doc) in batch.documents() {
            self.0.insert(key, (sort, doc));
        }
        for key in batch.deletes() {
            self.0.remove(&key.to_string());
        }
    }
    fn rows(&self, keys: Vec<RowKey>) -> Vec<StoredRow> {
        let found = |key: RowKey| {
            let (sort, doc) = self.0.get(&key.to_string())?;
            Some(StoredRow { key, sort: *sort, doc: doc.to_string() })
        };
        keys.into_iter().filter_map(found).collect()
    }
}

/// Folds in windows of this size. `forgetful`: nothing stays in memory from one window to the next, so every row is
/// written, fetched and read again.
fn keep<V: View>(events: &[Arc<Envelope>], window: usize, forgetful: bool) -> Kept {
    let mut kept = Kept::default();
    let mut folder = Folder::<V>::new(usize::MAX);
    for events in events.chunks(window) {
        if forgetful {
            folder = Folder::new(usize::MAX);
        }
        let missing = folder.missing(events);
        folder.load(kept.rows(missing)).unwrap();
        let related = folder.related(events);
        folder.load(kept.rows(related)).unwrap();
        kept.take(&folder.fold(events));
    }
    kept
}

/// The documents of the rows that the events come to.
pub(crate) fn fold_rows<V: View>(events: &[Arc<Envelope>]) -> BTreeMap<String, Value> {
    keep::<V>(events, usize::MAX, false).0.into_iter().map(|(key, (_, doc))| (key, doc)).collect()
}

/// Rebuilt is the same as incremental: rows do not depend on where windows end, nor on what was in memory.
pub(crate) fn windows_do_not_matter<V: View>() {
    let events = crowd(7, 60).envelopes();
    let at_once = keep::<V>(&events, usize::MAX, false);
    assert!(!at_once.0.is_empty(), "nothing to compare");
    for window in [1, 7, 100] {
        assert_eq!(keep::<V>(&events, window, false), at_once, "windows of {window}");
        assert_eq!(keep::<V>(&events, window, true), at_once, "forgetful windows of {window}");
    }
}

/// Events in any order, and each of them twice, make no fold panic.
pub(crate) fn tolerates_any_order<V: View>() {
    for seed in 0..20 {
        let mut events: Vec<_> = Scenario::all().flat_map(|s| story(s).envelopes()).collect();
        events.extend(events.clone());
        let mut random = Random(seed);
        for place in (1..events.len()).rev() {
            events.swap(place, random.below(place + 1));
        }
        keep::<V>(&events, 1 + random.below(50), seed % 2 == 0);
    }
}

/// Events that come again after a crash between fold and commit, or after the commit, count once.
pub(crate) async fn applied_twice_is_once<V: View>() {
    let folder = tempfile::tempdir().unwrap();
    applied_twice_in::<V>(ViewPlace::Sqlite(folder.path().join("views.db"))).await;
    if let Some(schema) = places::schema().await {
        applied_twice_in::<V>(places::process(&schema, Duration::from_secs(60)).await).await;
    }
}

async fn applied_twice_in<V: View>(place: ViewPlace) {
    let log_id = Uuid::from_u128(1);
    let spec: &'static Spec = Box::leak(Box::new(Spec::of::<V>()));
    let events = crowd(8, 30).envelopes();
    let (first, second) = events.split_at(events.len() / 2);

    let store = ViewStore::open(place, 2).await.unwrap();
    let held = match store.leases() {
        Some(leases) => leases.take_if_free(&consumer_of(V::NAME, V::VERSION), 0).await.unwrap(),
        None => None,
    };
    let table = store.create_build(spec, BuildState::Live, log_id).await.unwrap().unwrap();
    let none = Checkpoint { log_id, position: 0, event_id: None };
    let begin = |checkpoint| vec![Build { table: table.clone(), folder: (spec.folder)(10), checkpoint }];
    let fold = async |checkpoint, events: &[Arc<Envelope>]| {
        let (mut builds, mut batches) =
            fold_window(&store, begin(checkpoint), events.to_vec()).await.unwrap();
        (builds.pop().unwrap().checkpoint, batches.pop().unwrap())
    };
    let commit = |batch, from, to| {
        let table = table.clone();
        store.commit(Window { table, batch, from, to, held })
    };

    let (halfway, batch) = fold(none, first).await;
    assert!(commit(batch, none, halfway).await.unwrap());
    // Folded, and lost before it was written.
    drop(fold(halfway, second).await);
    // Everything comes again; what is below the checkpoint does not count.
    let (end, batch) = fold(halfway, &events).await;
    assert!(commit(batch, halfway, end).await.unwrap());
    // The same window once more, by somebody who does not know that it is written.
    let (again, batch) = fold(halfway, second).await;
    assert!(!commit(batch, halfway, again).await.unwrap());

    let all = keep::<V>(&events, usize::MAX, false).0;
    let keys = all.keys().map(|key| RowKey::from(key.as_str())).collect();
    let stored = store.fetch(table.clone(), keys).await.unwrap();
    let stored: BTreeMap<_, _> = stored
        .into_iter()
        .map(|row| (row.key.to_string(), (row.sort, serde_json::from_str(&row.doc).unwrap())))
        .collect();
    assert_eq!(stored, all);
}
