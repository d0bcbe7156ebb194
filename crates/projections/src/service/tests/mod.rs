//! The views at work over a real log and a real store.

mod crash;
mod follow;
mod lists;
mod measure;
mod queries;
mod rebuild;
mod verify;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use domain::{Envelope, Position};
use eventlog::{Commit, Log, LogOptions};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    Coupons, DailyFigures, Deliveries, Notifications, Orders, Payments, Products, Refunds, Reservations,
    Resorts, Shops, Timeline, ViewOptions, Views, Vouchers, testing::fold_rows, view_names,
};

/// Long enough for a busy machine; never waited for when all is well.
const PATIENCE: Duration = Duration::from_secs(20);

/// A folder with a log and the views over it.
struct Place {
    folder: TempDir,
    log: Log,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = open_log(&folder.path().join("log.db")).await;
        Self { folder, log }
    }

    fn views_db(&self) -> PathBuf {
        self.folder.path().join("views.db")
    }

    async fn views(&self) -> Views {
        self.views_with(ViewOptions::default()).await
    }

    async fn views_with(&self, options: ViewOptions) -> Views {
        Views::open(&self.views_db(), self.log.clone(), options).await.unwrap()
    }

    async fn append(&self, commits: &[Commit]) -> Position {
        append(&self.log, commits).await
    }

    /// All rows of the view's live build.
    fn stored(&self, view: &str) -> BTreeMap<String, Value> {
        let conn = rusqlite::Connection::open(self.views_db()).unwrap();
        let table = live_table(&conn, view);
        let mut statement = conn.prepare(&format!("SELECT key, doc FROM {table}")).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).unwrap();
        rows.map(|row| row.map(|(key, doc)| (key, serde_json::from_str(&doc).unwrap())).unwrap()).collect()
    }

    /// Every view holds what these events come to.
    fn assert_is(&self, events: &[Arc<Envelope>]) {
        for view in view_names() {
            assert_eq!(self.stored(view), folded(view, events), "view {view}");
        }
    }
}

async fn open_log(path: &Path) -> Log {
    Log::open_sqlite(path, LogOptions::default()).await.unwrap()
}

/// Appends the commits in order; returns the last position.
async fn append(log: &Log, commits: &[Commit]) -> Position {
    for some in commits.chunks(4_096) {
        let pending: Vec<_> = some.iter().map(|commit| log.enqueue(commit.clone())).collect();
        for appended in pending {
            appended.await.unwrap();
        }
    }
    log.head().await.unwrap()
}

async fn all_at(views: &Views, position: Position) {
    for view in view_names() {
        assert!(views.wait_for(view, position, PATIENCE).await, "{view} stays at {}", views.position(view));
    }
}

fn live_table(conn: &rusqlite::Connection, view: &str) -> String {
    let sql =
        "SELECT view || '_v' || version || '_b' || build FROM builds WHERE view = ?1 AND state = 'live'";
    conn.query_row(sql, [view], |row| row.get(0)).unwrap()
}

/// The tables of rows that there are.
fn tables(path: &Path) -> Vec<String> {
    let conn = rusqlite::Connection::open(path).unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB '*_v*_b*' ORDER BY name";
    let mut statement = conn.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn folded(view: &str, events: &[Arc<Envelope>]) -> BTreeMap<String, Value> {
    match view {
        "orders" => fold_rows::<Orders>(events),
        "payments" => fold_rows::<Payments>(events),
        "deliveries" => fold_rows::<Deliveries>(events),
        "products" => fold_rows::<Products>(events),
        "notifications" => fold_rows::<Notifications>(events),
        "timeline" => fold_rows::<Timeline>(events),
        "shops" => fold_rows::<Shops>(events),
        "refunds" => fold_rows::<Refunds>(events),
        "coupons" => fold_rows::<Coupons>(events),
        "resorts" => fold_rows::<Resorts>(events),
        "reservations" => fold_rows::<Reservations>(events),
        "vouchers" => fold_rows::<Vouchers>(events),
        "daily_figures" => fold_rows::<DailyFigures>(events),
        other => panic!("no view {other}"),
    }
}
