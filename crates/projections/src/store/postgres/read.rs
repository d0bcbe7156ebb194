//! Reading rows of the database.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use domain::Position;
use eventlog::{StoreError, postgres::Database};
use sqlx::{
    Connection, Row,
    postgres::{PgConnection, PgRow},
};
use tokio::sync::{mpsc, oneshot};

use super::{Statements, builds::key, in_time};
use crate::{
    ColumnKind, Cursor, ListQuery, RowKey, Value,
    fold::StoredRow,
    store::{SCAN_ROWS, ScannedRow, Table},
};

/// All pages see the rows of one moment. Between two pages somebody may think for long.
const BEGIN_SCAN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
                          SET LOCAL idle_in_transaction_session_timeout = 0";

/// What PostgreSQL takes as a text: everything but U+0000, which also a reader may ask for.
pub(super) fn storable(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { text }
}

pub(super) async fn get(
    database: &Database,
    table: Arc<Table>,
    key: String,
) -> Result<Option<String>, StoreError> {
    let key = storable(Cow::Owned(key)).into_owned();
    let found = database.run(move |conn| {
        let (table, key) = (table.clone(), key.clone());
        Box::pin(in_time(async move {
            sqlx::query(&Statements::of(&table).get).bind(key).fetch_optional(conn).await
        }))
    });
    Ok(found.await?.map(|row| row.get(0)))
}

// A plan that was made while a table was small is a bad one when it has grown, so these two are planned each time.

pub(super) async fn fetch(
    database: &Database,
    table: Arc<Table>,
    keys: Vec<RowKey>,
) -> Result<Vec<StoredRow>, StoreError> {
    let text = |key: &RowKey| storable(Cow::Owned(key.to_string())).into_owned();
    let mut by_text: HashMap<String, RowKey> = keys.into_iter().map(|key| (text(&key), key)).collect();
    let texts: Arc<Vec<String>> = Arc::new(by_text.keys().cloned().collect());
    let found = database.run(move |conn| {
        let (table, texts) = (table.clone(), texts.clone());
        Box::pin(async move {
            let fetch = sqlx::query(&Statements::of(&table).fetch).bind(&*texts).persistent(false);
            fetch.fetch_all(conn).await
        })
    });
    let stored = |row: &PgRow| {
        let key = by_text.remove(row.get::<&str, _>(0))?;
        Some(StoredRow { key, sort: row.get::<Option<i64>, _>(1).map(i64::unsigned_abs), doc: row.get(2) })
    };
    Ok(found.await?.iter().filter_map(stored).collect())
}

pub(super) async fn list(
    database: &Database,
    table: Arc<Table>,
    query: ListQuery,
) -> Result<Vec<(Cursor, String)>, StoreError> {
    let sql = table.list(&query, |number| format!("${number}"));
    let wanted = Arc::new((sql, query));
    let found = database.run(move |conn| {
        let wanted = wanted.clone();
        Box::pin(in_time(async move {
            let (sql, query) = &*wanted;
            let mut list = sqlx::query(sql).persistent(false);
            for (_, value) in &query.filters {
                list = match value {
                    Value::Text(text) => list.bind(storable(text.as_str().into())),
                    Value::Integer(number) => list.bind(number),
                };
            }
            for end in query.key_range().into_iter().flatten() {
                list = list.bind(end);
            }
            if let Some(after) = &query.after {
                list = list.bind(after.sort).bind(storable(after.key.as_str().into()));
            }
            list.bind(i64::try_from(query.limit).unwrap_or(i64::MAX)).fetch_all(conn).await
        }))
    });
    let place = |row: &PgRow| (Cursor { key: row.get(0), sort: row.get(1) }, row.get(2));
    Ok(found.await?.iter().map(place).collect())
}

pub(super) async fn scan(
    database: &Database,
    table: &Table,
    position: oneshot::Sender<Option<Position>>,
    rows: mpsc::Sender<Vec<ScannedRow>>,
) -> Result<(), sqlx::Error> {
    // Not back into the pool: whoever gives up in the middle leaves a transaction open.
    let mut conn = database.pool().acquire().await?.detach();
    let mut transaction = conn.begin_with(BEGIN_SCAN).await?;
    let at = "SELECT position FROM view_builds WHERE view = $1 AND version = $2 AND build = $3";
    let (view, version, build) = key(table);
    let at = sqlx::query(at).bind(view).bind(version).bind(build).fetch_optional(&mut *transaction).await?;
    let at: Option<i64> = at.and_then(|row| row.get(0));
    // Not everybody wants to know; who does not want the rows either stops listening to those.
    let _ = position.send(at.map(i64::unsigned_abs));
    let mut after = String::new();
    loop {
        let page = page(&mut transaction, table, &after).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.key);
        if rows.send(page).await.is_err() {
            break;
        }
    }
    transaction.rollback().await
}

async fn page(conn: &mut PgConnection, table: &Table, after: &str) -> Result<Vec<ScannedRow>, sqlx::Error> {
    let page = sqlx::query(&Statements::of(table).scan).bind(after).bind(SCAN_ROWS as i64);
    let last = table.spec.columns.len() + 2;
    let scanned = |row: &PgRow| {
        let integer = |place: usize| row.get::<Option<i64>, _>(place).map(Value::Integer);
        let kinds = table.spec.columns.iter().enumerate();
        let columns = kinds.map(|(place, column)| match column.kind {
            ColumnKind::Text => row.get::<Option<String>, _>(place + 2).map(Value::Text),
            ColumnKind::Integer => integer(place + 2),
        });
        ScannedRow {
            key: row.get(0),
            columns: [integer(1)].into_iter().chain(columns).collect(),
            doc: row.get(last),
        }
    };
    Ok(page.persistent(false).fetch_all(conn).await?.iter().map(scanned).collect())
}
