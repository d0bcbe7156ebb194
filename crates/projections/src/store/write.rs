//! Writing windows.

use std::sync::Arc;

use eventlog::{Checkpoint, sqlite::PendingWrite};
use rusqlite::{Connection, params};

use super::{Table, ViewStore};
use crate::batch::{Batch, as_integer};

impl ViewStore {
    /// Writes a window of the live build and moves its checkpoint, in one transaction. Answers false, with nothing
    /// written, if the build is no longer live or its checkpoint is not at `from`: somebody else counted these events.
    pub(crate) fn commit(
        &self,
        table: Arc<Table>,
        batch: Batch,
        from: Checkpoint,
        to: Checkpoint,
    ) -> PendingWrite<bool> {
        self.writer.queue(move |conn| {
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
            write_rows(conn, &table, &batch)?;
            Ok(true)
        })
    }

    /// Writes a window of a build that is not live: it has no checkpoint, since half a build is worth nothing.
    pub(crate) fn write(&self, table: Arc<Table>, batch: Batch) -> PendingWrite<()> {
        self.writer.queue(move |conn| write_rows(conn, &table, &batch))
    }
}

fn write_rows(conn: &Connection, table: &Table, batch: &Batch) -> rusqlite::Result<()> {
    let mut first = 0;
    for (rows, sql) in &table.upserts {
        if batch.len() - first < *rows {
            continue;
        }
        let mut statement = conn.prepare_cached(sql)?;
        while batch.len() - first >= *rows {
            for (place, parameter) in batch.parameters(first, *rows).enumerate() {
                statement.raw_bind_parameter(place + 1, parameter)?;
            }
            statement.raw_execute()?;
            first += rows;
        }
    }
    if !batch.deletes().is_empty() {
        let mut statement = conn.prepare_cached(&table.delete)?;
        for key in batch.deletes() {
            statement.execute([key.to_string()])?;
        }
    }
    Ok(())
}
