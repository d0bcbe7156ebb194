//! On SQLite: rows are read back from the log's file and inserted into a table with the same columns and indexes.

use std::{path::Path, time::Instant};

use eventlog::sqlite::{COMMITS_PER_CHECKPOINT, Durability};
use rusqlite::{Connection, OpenFlags, types::Value};

use crate::Failure;

/// Rows of one INSERT.
const ROWS: usize = 64;

/// The statements that make the table, and its rows.
type Table = (String, Vec<Vec<Value>>);

/// Copies the last events of the log at `from`, `most` at most, into a new file at `to`; rows per second.
pub(super) fn measure(from: &Path, to: &Path, batch: usize, most: i64) -> Result<f64, Failure> {
    let (schema, rows) = read(from, most)?;
    let columns = rows.first().map_or(0, Vec::len);
    let conn = Connection::open(to)?;
    conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;")?;
    conn.execute_batch("PRAGMA wal_autocheckpoint = 0;")?;
    conn.execute_batch(&schema)?;
    let insert = |rows: usize| {
        let row = format!("({})", vec!["?"; columns].join(","));
        format!("INSERT OR FAIL INTO events VALUES {}", vec![row; rows].join(","))
    };
    let (many, one) = (insert(ROWS), insert(1));
    let rows_per_checkpoint = Durability::Full.rows_per_checkpoint() as usize;
    let (begun, mut unfolded, mut commits) = (Instant::now(), 0, 0_u32);
    for batch in rows.chunks(batch.max(1)) {
        conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        for rows in batch.chunks(ROWS) {
            if rows.len() == ROWS {
                conn.prepare_cached(&many)?.execute(rusqlite::params_from_iter(rows.iter().flatten()))?;
            } else {
                for row in rows {
                    conn.prepare_cached(&one)?.execute(rusqlite::params_from_iter(row))?;
                }
            }
        }
        conn.prepare_cached("COMMIT")?.execute([])?;
        (unfolded, commits) = (unfolded + batch.len(), commits + 1);
        // As rarely as the log does.
        if unfolded >= rows_per_checkpoint || commits >= COMMITS_PER_CHECKPOINT {
            conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            (unfolded, commits) = (0, 0);
        }
    }
    let rate = rows.len() as f64 / begun.elapsed().as_secs_f64();
    drop(conn);
    std::fs::remove_file(to)?;
    Ok(rate)
}

/// The table's own statements and its last rows.
fn read(from: &Path, most: i64) -> Result<Table, Failure> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(from, flags)?;
    let schema: Vec<String> = conn
        .prepare(
            "SELECT sql FROM sqlite_master WHERE tbl_name = 'events' AND sql IS NOT NULL ORDER BY rowid",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut statement = conn.prepare(
        "SELECT * FROM events WHERE position > (SELECT max(position) FROM events) - ?1 ORDER BY position",
    )?;
    let columns = statement.column_count();
    let rows = statement
        .query_map([most], |row| (0..columns).map(|column| row.get(column)).collect())?
        .collect::<Result<_, _>>()?;
    Ok((schema.join(";"), rows))
}
