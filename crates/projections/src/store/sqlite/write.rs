//! Writing windows to the file.

use std::{sync::Arc, time::Duration};

use eventlog::sqlite::{StoreError, Writer};
use rusqlite::{
    Connection, params,
    types::{ToSql, ToSqlOutput, ValueRef},
};

use super::Statements;
use crate::{
    batch::{Batch, Datum, as_integer},
    store::{Table, Window},
};

/// Between the two transactions of the planted bug.
const MOMENT: Duration = Duration::from_millis(20);

pub(super) fn commit(conn: &Connection, window: &Window) -> rusqlite::Result<bool> {
    if !advance(conn, window)? {
        return Ok(false);
    }
    rows(conn, &window.table, &window.batch)?;
    Ok(true)
}

/// Moves the checkpoint, unless somebody else counts these events.
fn advance(conn: &Connection, window: &Window) -> rusqlite::Result<bool> {
    let Window { table, from, to, .. } = window;
    let moved = conn
        .prepare_cached(
            "UPDATE checkpoints SET position = ?5, event_id = ?6
             WHERE view = ?1 AND version = ?2 AND build = ?3 AND log_id = ?7 AND position = ?4
               AND EXISTS (SELECT 1 FROM builds b WHERE b.view = ?1 AND b.version = ?2
                           AND b.build = ?3 AND b.state = 'live')",
        )?
        .execute(params![
            table.spec.name,
            table.spec.version,
            table.build,
            as_integer(from.position),
            as_integer(to.position),
            to.event_id.map(|id| id.to_string()),
            to.log_id.to_string(),
        ])?;
    Ok(moved > 0)
}

/// The bug: two transactions, and a moment in between.
pub(super) async fn checkpoint_first(writer: Writer, window: Window) -> Result<bool, StoreError> {
    let window = Arc::new(window);
    let first = window.clone();
    if !writer.write(move |conn| advance(conn, &first)).await? {
        return Ok(false);
    }
    tokio::time::sleep(MOMENT).await;
    writer.write(move |conn| rows(conn, &window.table, &window.batch)).await?;
    Ok(true)
}

pub(super) fn rows(conn: &Connection, table: &Table, batch: &Batch) -> rusqlite::Result<()> {
    let statements = Statements::of(table);
    let mut first = 0;
    for (rows, sql) in &statements.upserts {
        if batch.len() - first < *rows {
            continue;
        }
        let mut statement = conn.prepare_cached(sql)?;
        while batch.len() - first >= *rows {
            for (place, datum) in batch.values(first, *rows).enumerate() {
                statement.raw_bind_parameter(place + 1, datum)?;
            }
            statement.raw_execute()?;
            first += rows;
        }
    }
    if !batch.deletes().is_empty() {
        let mut statement = conn.prepare_cached(&statements.delete)?;
        for key in batch.deletes() {
            statement.execute([key.to_string()])?;
        }
    }
    Ok(())
}

impl ToSql for Datum<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Datum::Null => ValueRef::Null,
            Datum::Integer(number) => ValueRef::Integer(number),
            Datum::Text(text) => ValueRef::Text(text),
        }))
    }
}
