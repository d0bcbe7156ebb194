//! Writing windows to the file.

use rusqlite::{
    Connection, params,
    types::{ToSql, ToSqlOutput, ValueRef},
};

use super::Statements;
use crate::{
    batch::{Batch, Datum, as_integer},
    store::{Table, Window},
};

pub(super) fn commit(conn: &Connection, window: &Window) -> rusqlite::Result<bool> {
    let Window { table, batch, from, to, .. } = window;
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
    if moved == 0 {
        return Ok(false);
    }
    rows(conn, table, batch)?;
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
