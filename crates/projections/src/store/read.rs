//! Reading rows.

use std::{collections::HashMap, sync::Arc};

use domain::Position;
use eventlog::sqlite::StoreError;
use rusqlite::{Connection, OptionalExtension, ToSql, types::Value as SqlValue};
use tokio::sync::mpsc;

use super::{Table, ViewStore};
use crate::{Cursor, ListQuery, RowKey, Value, fold::StoredRow};

/// Rows of one message of a scan.
const SCAN_ROWS: usize = 1_024;

/// A row as it stands in the table: all values but the document, and that.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScannedRow {
    pub(crate) key: String,
    pub(crate) columns: Vec<SqlValue>,
    pub(crate) doc: String,
}

impl ViewStore {
    /// The rows that exist of `keys`.
    pub(crate) async fn fetch(
        &self,
        table: Arc<Table>,
        keys: Vec<RowKey>,
    ) -> Result<Vec<StoredRow>, StoreError> {
        self.readers.read(move |conn| fetch(conn, &table, keys)).await
    }

    /// The document of one row that lists show.
    pub(crate) async fn get(&self, table: Arc<Table>, key: String) -> Result<Option<String>, StoreError> {
        self.readers
            .read(move |conn| conn.prepare_cached(&table.get)?.query_row([key], |row| row.get(0)).optional())
            .await
    }

    /// Places and documents of at most `query.limit` rows; the filters name columns that the table has.
    pub(crate) async fn list(
        &self,
        table: Arc<Table>,
        query: ListQuery,
    ) -> Result<Vec<(Cursor, String)>, StoreError> {
        self.readers.read(move |conn| list(conn, &table, &query)).await
    }

    /// Sends all rows of a table by key, as they are at this moment. The first message is the table's checkpoint
    /// position, if it has one.
    pub(crate) async fn scan(
        &self,
        table: Arc<Table>,
        position: tokio::sync::oneshot::Sender<Option<Position>>,
        rows: mpsc::Sender<Vec<ScannedRow>>,
    ) -> Result<(), StoreError> {
        let scan = move |conn: &Connection| {
            let at: Option<i64> = conn
                .query_row(
                    "SELECT position FROM checkpoints WHERE view = ?1 AND version = ?2 AND build = ?3",
                    rusqlite::params![table.spec.name, table.spec.version, table.build],
                    |row| row.get(0),
                )
                .optional()?;
            // Not everybody wants to know; who does not want the rows either stops listening to those.
            let _ = position.send(at.map(i64::unsigned_abs));
            let mut statement = conn.prepare(&table.scan)?;
            let last = statement.column_count() - 1;
            let mut found = statement.query([])?;
            let mut chunk = Vec::with_capacity(SCAN_ROWS);
            while let Some(row) = found.next()? {
                let columns = (1..last).map(|place| row.get(place)).collect::<Result<_, _>>()?;
                chunk.push(ScannedRow { key: row.get(0)?, columns, doc: row.get(last)? });
                if chunk.len() == SCAN_ROWS && rows.blocking_send(std::mem::take(&mut chunk)).is_err() {
                    return Ok(());
                }
            }
            let _ = rows.blocking_send(chunk);
            Ok(())
        };
        self.readers.read(scan).await
    }
}

fn fetch(conn: &Connection, table: &Table, keys: Vec<RowKey>) -> rusqlite::Result<Vec<StoredRow>> {
    let mut by_text: HashMap<String, RowKey> = keys.into_iter().map(|key| (key.to_string(), key)).collect();
    let texts: Vec<String> = by_text.keys().cloned().collect();
    let mut rows = Vec::with_capacity(texts.len());
    let mut rest = texts.as_slice();
    for (count, sql) in &table.fetches {
        while rest.len() >= *count {
            let (now, later) = rest.split_at(*count);
            rest = later;
            let mut statement = conn.prepare_cached(sql)?;
            let mut found = statement.query(rusqlite::params_from_iter(now))?;
            while let Some(row) = found.next()? {
                let Some(key) = by_text.remove(row.get_ref(0)?.as_str()?) else { continue };
                let sort: Option<i64> = row.get(1)?;
                rows.push(StoredRow { key, sort: sort.map(i64::unsigned_abs), doc: row.get(2)? });
            }
        }
    }
    Ok(rows)
}

fn list(conn: &Connection, table: &Table, query: &ListQuery) -> rusqlite::Result<Vec<(Cursor, String)>> {
    let mut sql = format!("SELECT key, sort, doc FROM {} WHERE sort IS NOT NULL", table.name);
    let mut values: Vec<&dyn ToSql> = Vec::new();
    for (column, value) in &query.filters {
        sql.push_str(&format!(" AND {column} = ?"));
        values.push(match value {
            Value::Text(text) => text,
            Value::Integer(number) => number,
        });
    }
    let (direction, beyond) = if query.newest_first { ("DESC", "<") } else { ("ASC", ">") };
    if let Some(after) = &query.after {
        // The first comparison is what an index can use.
        sql.push_str(&format!(" AND sort {beyond}= ? AND (sort, key) {beyond} (?, ?)"));
        values.extend([&after.sort as &dyn ToSql, &after.sort, &after.key]);
    }
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    sql.push_str(&format!(" ORDER BY sort {direction}, key {direction} LIMIT ?"));
    values.push(&limit);
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query_map(values.as_slice(), |row| {
        Ok((Cursor { key: row.get(0)?, sort: row.get(1)? }, row.get(2)?))
    })?;
    rows.collect()
}
