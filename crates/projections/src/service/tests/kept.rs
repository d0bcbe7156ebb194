//! Where views are kept, looked at and changed from outside.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use eventlog::postgres::DatabaseOptions;
use serde_json::Value;
use sqlx::{
    Connection, Row,
    postgres::{PgConnectOptions, PgConnection},
};

use crate::{ViewPlace, testing::places};

/// A file or a schema.
#[derive(Clone)]
pub(super) enum Kept {
    File(PathBuf),
    Database(DatabaseOptions),
}

impl Kept {
    /// As one more process uses it.
    pub(super) async fn process(&self, ttl: Duration) -> ViewPlace {
        match self {
            Self::File(path) => ViewPlace::Sqlite(path.clone()),
            Self::Database(options) => places::process(options, ttl).await,
        }
    }

    /// The one column of texts that a query of the file, or of the database, gives.
    async fn texts(&self, of_file: &str, of_database: &str) -> Vec<String> {
        match self {
            Self::File(path) => {
                let conn = rusqlite::Connection::open(path).unwrap();
                let mut statement = conn.prepare(of_file).unwrap();
                statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
            }
            Self::Database(options) => {
                let rows = sqlx::query(of_database).fetch_all(&mut connect(options).await).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        }
    }

    /// Runs a statement; answers how many rows it changed.
    pub(super) async fn change(&self, sql: &str) -> u64 {
        match self {
            Self::File(path) => {
                let conn = rusqlite::Connection::open(path).unwrap();
                conn.execute(sql, []).unwrap() as u64
            }
            Self::Database(options) => {
                sqlx::query(sql).execute(&mut connect(options).await).await.unwrap().rows_affected()
            }
        }
    }

    /// The tables of rows that there are.
    pub(super) async fn tables(&self) -> Vec<String> {
        let of_file =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name GLOB '*_v*_b*' ORDER BY name";
        let of_database = r"SELECT tablename::text FROM pg_tables
                            WHERE schemaname = current_schema AND tablename ~ '_v\d+_b\d+$' ORDER BY tablename";
        self.texts(of_file, of_database).await
    }

    pub(super) async fn live_table(&self, view: &str) -> String {
        let sql = |builds: &str| {
            format!(
                "SELECT view || '_v' || version || '_b' || build FROM {builds}
                 WHERE view = '{view}' AND state = 'live'"
            )
        };
        self.texts(&sql("builds"), &sql("view_builds")).await.pop().unwrap()
    }

    /// All rows of the view's live build.
    pub(super) async fn stored(&self, view: &str) -> BTreeMap<String, Value> {
        let table = self.live_table(view).await;
        let sql = format!("SELECT key || ' ' || doc FROM {table}");
        let row = |row: String| {
            let (key, doc) = row.split_once(' ').unwrap();
            (key.to_owned(), serde_json::from_str(doc).unwrap())
        };
        self.texts(&sql, &sql).await.into_iter().map(row).collect()
    }
}

async fn connect(options: &DatabaseOptions) -> PgConnection {
    let connect: PgConnectOptions = options.url.parse().unwrap();
    PgConnection::connect_with(&connect.options([("search_path", &options.schema)])).await.unwrap()
}
