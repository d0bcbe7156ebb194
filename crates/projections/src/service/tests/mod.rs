//! The views at work over a real log and a real store.

mod crash;
mod follow;
mod kept;
mod lists;
mod measure;
mod outage;
mod processes;
mod queries;
mod rebuild;
mod verify;

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use domain::{Envelope, Position};
use eventlog::{Commit, Log, LogOptions, postgres::DatabaseOptions};
use serde_json::Value;
use tempfile::TempDir;

use self::kept::Kept;
use crate::{
    Coupons, DailyFigures, Deliveries, Notifications, Orders, Payments, Products, Refunds, Reservations,
    Resorts, Shops, Timeline, ViewOptions, Views, Vouchers,
    testing::{fold_rows, places},
    view_names,
};

/// Long enough for a busy machine; never waited for when all is well.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long leases last in tests: nobody there is paused for so long.
const TTL: Duration = Duration::from_secs(2);

/// Runs each test with the views in a file, and with the views in a database.
macro_rules! in_a_file_and_in_a_database {
    ($($name:ident),+ $(,)?) => { $(
        mod $name {
            use crate::service::tests::Place;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_a_file() {
                super::$name(Place::with_a_file().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_a_database() {
                if let Some(place) = Place::with_a_database().await {
                    super::$name(place).await;
                }
            }
        }
    )+ };
}
use in_a_file_and_in_a_database;

/// A folder with a log, and views over it, there or in a database.
struct Place {
    folder: TempDir,
    log: Log,
    database: Option<DatabaseOptions>,
}

impl Place {
    async fn with_a_file() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = open_log(&folder.path().join("log.db")).await;
        Self { folder, log, database: None }
    }

    async fn with_a_database() -> Option<Self> {
        let database = places::schema().await?;
        Some(Self { database: Some(database), ..Self::with_a_file().await })
    }

    async fn views(&self) -> Views {
        self.views_with(ViewOptions::default()).await
    }

    async fn views_with(&self, options: ViewOptions) -> Views {
        self.views_over(self.log.clone(), options).await
    }

    /// The views as one more process has them, if they are in a database.
    async fn views_over(&self, log: Log, options: ViewOptions) -> Views {
        let place = self.kept().process(TTL).await;
        Views::open(place, log, options).await.unwrap()
    }

    async fn append(&self, commits: &[Commit]) -> Position {
        append(&self.log, commits).await
    }

    fn kept(&self) -> Kept {
        match &self.database {
            Some(database) => Kept::Database(database.clone()),
            None => Kept::File(self.folder.path().join("views.db")),
        }
    }

    /// All rows of the view's live build.
    async fn stored(&self, view: &str) -> BTreeMap<String, Value> {
        self.kept().stored(view).await
    }

    /// The tables of rows that there are.
    async fn tables(&self) -> Vec<String> {
        self.kept().tables().await
    }

    /// Every view holds what these events come to.
    async fn assert_is(&self, events: &[Arc<Envelope>]) {
        for view in view_names() {
            assert_eq!(self.stored(view).await, folded(view, events), "view {view}");
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
