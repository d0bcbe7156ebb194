//! Reading rows of the file.

use std::collections::HashMap;

use domain::Position;
use rusqlite::{Connection, OptionalExtension, ToSql, types::Value as SqlValue};
use tokio::sync::{mpsc, oneshot};

use super::Statements;
use crate::{
    Cursor, ListQuery, RowKey, Value,
    fold::StoredRow,
    store::{SCAN_ROWS, ScannedRow, Table},
};

pub(super) fn get(conn: &Connection, table: &Table, key: &str) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached(&Statements::of(table).get)?.query_row([key], |row| row.get(0)).optional()
}

pub(super) fn fetch(conn: &Connection, table: &Table, keys: Vec<RowKey>) -> rusqlite::Result<Vec<StoredRow>> {
    let mut by_text: HashMap<String, RowKey> = keys.into_iter().map(|key| (key.to_string(), key)).collect();
    let texts: Vec<String> = by_text.keys().cloned().collect();
    let mut rows = Vec::with_capacity(texts.len());
    let mut rest = texts.as_slice();
    for (count, sql) in &Statements::of(table).fetches {
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

pub(super) fn list(
    conn: &Connection,
    table: &Table,
    query: &ListQuery,
) -> rusqlite::Result<Vec<(Cursor, String)>> {
    let mut values: Vec<&dyn ToSql> = Vec::new();
    for (_, value) in &query.filters {
        values.push(match value {
            Value::Text(text) => text,
            Value::Integer(number) => number,
        });
    }
    let range = query.key_range();
    values.extend(range.iter().flatten().map(|end| end as &dyn ToSql));
    if let Some(after) = &query.after {
        values.extend([&after.sort as &dyn ToSql, &after.key]);
    }
    let limit = i64::try_from(query.limit).unwrap_or(i64::MAX);
    values.push(&limit);
    let mut statement = conn.prepare_cached(&table.list(query, |number| format!("?{number}")))?;
    let rows = statement.query_map(values.as_slice(), |row| {
        Ok((Cursor { key: row.get(0)?, sort: row.get(1)? }, row.get(2)?))
    })?;
    rows.collect()
}

pub(super) fn scan(
    conn: &Connection,
    table: &Table,
    position: oneshot::Sender<Option<Position>>,
    rows: &mpsc::Sender<Vec<ScannedRow>>,
) -> rusqlite::Result<()> {
    let at: Option<i64> = conn
        .query_row(
            "SELECT position FROM checkpoints WHERE view = ?1 AND version = ?2 AND build = ?3",
            rusqlite::params![table.spec.name, table.spec.version, table.build],
            |row| row.get(0),
        )
        .optional()?;
    // Not everybody wants to know; who does not want the rows either stops listening to those.
    let _ = position.send(at.map(i64::unsigned_abs));
    let mut statement = conn.prepare(&Statements::of(table).scan)?;
    let last = statement.column_count() - 1;
    let mut found = statement.query([])?;
    let mut chunk = Vec::with_capacity(SCAN_ROWS);
    while let Some(row) = found.next()? {
        let columns = (1..last).map(|place| row.get(place).map(value)).collect::<Result<_, _>>()?;
        chunk.push(ScannedRow { key: row.get(0)?, columns, doc: row.get(last)? });
        if chunk.len() == SCAN_ROWS && rows.blocking_send(std::mem::take(&mut chunk)).is_err() {
            return Ok(());
        }
    }
    let _ = rows.blocking_send(chunk);
    Ok(())
}

fn value(stored: SqlValue) -> Option<Value> {
    match stored {
        SqlValue::Text(text) => Some(Value::Text(text)),
        SqlValue::Integer(number) => Some(Value::Integer(number)),
        // Strict tables hold nothing else.
        _ => None,
    }
}
